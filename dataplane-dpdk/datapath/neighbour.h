// SPDX-License-Identifier: Apache-2.0
//
// MAC addresses of next hops. The control thread resolves and refreshes them
// (control/arp_resolver.c); workers only look them up, without locks. An open-addressed hash; a
// slot gets another address only after a grace period, its MAC is one word.

#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/address.h"

#define WEIR_NEIGHBOUR_SLOTS    4096
#define WEIR_NEIGHBOUR_MAX      2048
#define WEIR_NEIGHBOUR_RESOLVED (UINT64_C(1) << 63)

enum weir_neighbour_slot {
	WEIR_NEIGHBOUR_EMPTY, // a search ends here
	WEIR_NEIGHBOUR_USED,
	WEIR_NEIGHBOUR_LEFT, // its address was taken out; searches go on
};

struct weir_neighbour {
	struct weir_address address; // written before `used_slot`
	_Atomic uint32_t used_slot;  // enum weir_neighbour_slot
	_Atomic uint32_t used;       // tick of the last packet; written by workers
	_Atomic uint64_t mac;        // 6 bytes in memory order, WEIR_NEIGHBOUR_RESOLVED if valid
};

struct weir_neighbours {
	struct weir_neighbour slots[WEIR_NEIGHBOUR_SLOTS];
};

static inline uint32_t weir_neighbour_hash(const struct weir_address *address)
{
	return weir_address_hash(address) & (WEIR_NEIGHBOUR_SLOTS - 1);
}

static inline struct weir_neighbour *weir_neighbour_find(struct weir_neighbours *neighbours,
							 const struct weir_address *address)
{
	uint32_t at = weir_neighbour_hash(address);

	for (uint32_t tries = 0; tries < WEIR_NEIGHBOUR_SLOTS; tries++) {
		struct weir_neighbour *slot = &neighbours->slots[at];
		uint32_t used = atomic_load_explicit(&slot->used_slot, memory_order_acquire);

		if (used == WEIR_NEIGHBOUR_EMPTY)
			return NULL;
		if (used == WEIR_NEIGHBOUR_USED && weir_address_equal(&slot->address, address))
			return slot;
		at = (at + 1) & (WEIR_NEIGHBOUR_SLOTS - 1);
	}
	return NULL;
}
