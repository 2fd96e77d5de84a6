// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

/**
 * The newest committed record of a key, as the log has it.
 *
 * @param live false: the record says that the key is deleted
 */
record LogEntry(long epoch, long sequence, long offset, boolean live) {}
