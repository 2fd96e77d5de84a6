// SPDX-License-Identifier: Apache-2.0
/** The clients, the topics and who may use them. */
@NullMarked
package dev.weir.provisioner.kafka;

import org.jspecify.annotations.NullMarked;
