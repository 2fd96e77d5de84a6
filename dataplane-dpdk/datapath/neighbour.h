// SPDX-License-Identifier: Apache-2.0
//
// MAC addresses of next hops. The control thread resolves and refreshes them (control/arp.c);
// workers only look them up. An open-addressed hash; addresses never leave it before the engine
// ends, so that readers need no lock: a slot's address is written once, its MAC is one word.

#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/byte_order.h"

#define WEIR_NEIGHBOUR_SLOTS    4096
#define WEIR_NEIGHBOUR_MAX      2048
#define WEIR_NEIGHBOUR_RESOLVED (UINT64_C(1) << 63)

struct weir_neighbour {
	_Atomic weir_be32_t address; // 0: empty slot
	_Atomic uint32_t used;       // tick of the last packet; written by workers
	_Atomic uint64_t mac;        // 6 bytes in memory order, WEIR_NEIGHBOUR_RESOLVED if valid
};

struct weir_neighbours {
	struct weir_neighbour slots[WEIR_NEIGHBOUR_SLOTS];
};

static inline uint32_t weir_neighbour_hash(weir_be32_t address)
{
	return ((address * UINT32_C(0x9E3779B1)) >> 8) & (WEIR_NEIGHBOUR_SLOTS - 1);
}

static inline struct weir_neighbour *weir_neighbour_find(struct weir_neighbours *neighbours,
							 weir_be32_t address)
{
	for (uint32_t at = weir_neighbour_hash(address);;
	     at = (at + 1) & (WEIR_NEIGHBOUR_SLOTS - 1)) {
		weir_be32_t found =
			atomic_load_explicit(&neighbours->slots[at].address, memory_order_acquire);

		if (found == address)
			return &neighbours->slots[at];
		if (found == 0)
			return NULL;
	}
}
