// SPDX-License-Identifier: Apache-2.0
/** A real Kafka broker in a process of its own. */
@NullMarked
package dev.weir.testbed.kafka;

import org.jspecify.annotations.NullMarked;
