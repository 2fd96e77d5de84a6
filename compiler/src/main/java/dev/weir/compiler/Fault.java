// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

/**
 * One thing that is wrong with a tree.
 *
 * @param pointer JSON Pointer into the tree's JSON, such as {@code /pools/0/members/1/address}; indices are those of the
 *     lists as they were given to the compiler
 * @param message one sentence for the author of the tree: what is wrong and what would be right
 */
public record Fault(FaultCode code, String pointer, String message) {}
