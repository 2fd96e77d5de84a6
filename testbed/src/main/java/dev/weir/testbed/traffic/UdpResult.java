// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.traffic;

import java.util.Map;

/**
 * What a client saw of its own datagrams.
 *
 * @param flows      sockets used, one after the other
 * @param sent       datagrams sent
 * @param answered   datagrams that came back as they were sent
 * @param backends   flows by the backend that answered them
 * @param mixedFlows flows that were answered by more than one backend
 */
public record UdpResult(int flows, int sent, int answered, Map<String, Integer> backends, int mixedFlows) {}
