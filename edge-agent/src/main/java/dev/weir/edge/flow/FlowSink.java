// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.flow;

import dev.weir.messages.v1.FlowsRecord;

/** Where records of flows go. Called from the reader's thread alone, which it may hold for some seconds. */
public interface FlowSink extends AutoCloseable {
    /** A record that can't be taken is lost and counted. */
    void publish(String loadBalancerId, FlowsRecord record);

    /** Records taken since the start. */
    long published();

    /** Records lost since the start. */
    long lost();

    @Override
    void close();
}
