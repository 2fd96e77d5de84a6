// SPDX-License-Identifier: Apache-2.0
//
// Maglev tables by what they were made of, in a file beside the flow table: an engine that starts
// again copies them instead of computing them, which for thousands of pools is most of its start.
// Only the control thread uses it. A table is found by 128 bits of hash over its size and its
// members' ids and weights; one that is half written by a kill is not found.

#pragma once

#include <stdint.h>

#include "lib/maglev.h"

struct weir_maglev_cache;

// Opens or makes `dir`/maglev. NULL: there is none, and tables are computed.
struct weir_maglev_cache *weir_maglev_cache_open(const char *dir);
void weir_maglev_cache_close(struct weir_maglev_cache *cache);

// weir_maglev_build(), from the cache or into it; cache may be NULL.
int weir_maglev_cache_build(struct weir_maglev_cache *cache, uint16_t *table, uint32_t size,
			    const struct weir_maglev_member *members, uint32_t nb_members);

// Tables that were found since the cache was opened.
uint32_t weir_maglev_cache_hits(const struct weir_maglev_cache *cache);
