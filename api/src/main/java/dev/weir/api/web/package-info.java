// SPDX-License-Identifier: Apache-2.0
/** What all calls share: problems, bodies checked against the contract, pages, entity tags, idempotency. */
@NullMarked
package dev.weir.api.web;

import org.jspecify.annotations.NullMarked;
