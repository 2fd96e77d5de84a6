// SPDX-License-Identifier: Apache-2.0
/** Tenants' and operators' REST service; stateless, any number of instances. Each package is a module. */
@NullMarked
package dev.weir.api;

import org.jspecify.annotations.NullMarked;
