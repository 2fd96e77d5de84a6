// SPDX-License-Identifier: Apache-2.0
/** PoPs in network namespaces: links, addresses, routers with BIRD, members' side, clients and backends' places. */
@NullMarked
package dev.weir.testbed.topology;

import org.jspecify.annotations.NullMarked;
