// SPDX-License-Identifier: Apache-2.0
/** Records in: from Kafka or from a file. */
@NullMarked
package dev.weir.edge.stream;

import org.jspecify.annotations.NullMarked;
