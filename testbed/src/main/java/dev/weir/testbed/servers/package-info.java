// SPDX-License-Identifier: Apache-2.0
/** The real PostgreSQL, Kafka and Keycloak, unpacked from Maven artifacts; used by the stack and by integration tests. */
@NullMarked
package dev.weir.testbed.servers;

import org.jspecify.annotations.NullMarked;
