// SPDX-License-Identifier: Apache-2.0
//
// The sources that begin most flows, within a fixed amount of memory: "space saving" (Metwally et
// al., 2005) over small sets instead of one long list, so that a flow costs two cache lines. A
// source that is not kept takes the place of the set's smallest and inherits its count, which is
// the most that its own count is too high by.
//
// Written by one thread; others read it only when that thread has turned to another one.

#pragma once

#include <stdint.h>

#include "lib/address.h"

#define WEIR_TOP_SETS    128
#define WEIR_TOP_WAYS    4
#define WEIR_TOP_ENTRIES (WEIR_TOP_SETS * WEIR_TOP_WAYS)

struct weir_top_source {
	struct weir_address address;
	uint32_t lb_id;
	uint32_t count; // 0: empty
	uint32_t error;
	uint32_t reserved;
};

_Static_assert(sizeof(struct weir_top_source) == 32, "two per cache line");

struct weir_top_sources {
	struct weir_top_source sets[WEIR_TOP_SETS][WEIR_TOP_WAYS];
};

void weir_top_sources_add(struct weir_top_sources *top, uint32_t lb_id,
			  const struct weir_address *address);

// Copies the entries in use to `out`, which has room for WEIR_TOP_ENTRIES. Returns their number.
uint32_t weir_top_sources_read(const struct weir_top_sources *top, struct weir_top_source *out);

// Adds up entries of the same source, and sorts: by load balancer, then most flows first. Returns
// how many are left.
uint32_t weir_top_sources_merge(struct weir_top_source *entries, uint32_t nb);
