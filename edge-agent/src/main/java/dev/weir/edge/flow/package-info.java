// SPDX-License-Identifier: Apache-2.0
/** Records of flows and their top sources: from the engine's own stream to Kafka, apart from all else the agent does. */
@NullMarked
package dev.weir.edge.flow;

import org.jspecify.annotations.NullMarked;
