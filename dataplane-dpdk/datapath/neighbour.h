// SPDX-License-Identifier: Apache-2.0
//
// MAC addresses of next hops. The control thread resolves and refreshes them (control/arp.c);
// workers only look them up. An open-addressed hash; addresses never leave it before the engine
// ends, so that readers need no lock: a slot's address is written once, its MAC is one word.

#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/address.h"

#define WEIR_NEIGHBOUR_SLOTS    4096
#define WEIR_NEIGHBOUR_MAX      2048
#define WEIR_NEIGHBOUR_RESOLVED (UINT64_C(1) << 63)

struct weir_neighbour {
	struct weir_address address; // written once, before `used_slot`
	_Atomic uint32_t used_slot;  // 0: empty
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
	for (uint32_t at = weir_neighbour_hash(address);;
	     at = (at + 1) & (WEIR_NEIGHBOUR_SLOTS - 1)) {
		struct weir_neighbour *slot = &neighbours->slots[at];

		if (atomic_load_explicit(&slot->used_slot, memory_order_acquire) == 0)
			return NULL;
		if (weir_address_equal(&slot->address, address))
			return slot;
	}
}
