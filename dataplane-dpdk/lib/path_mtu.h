// SPDX-License-Identifier: Apache-2.0
//
// Path MTUs towards members that routers on the way have told of. A hash of one word per slot,
// so that all workers read and write it without locks; of two members that share a slot the later
// one is remembered, which costs the other one more error. Never lower than what every path must
// carry, and forgotten after ten minutes (RFC 1191, section 6.3), when a larger packet tries again.

#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "lib/address.h"

#define WEIR_PATH_MTU_SLOTS 4096
#define WEIR_PATH_MTU_TICKS 6000 // of 100 ms

struct weir_path_mtus {
	_Atomic uint64_t slots[WEIR_PATH_MTU_SLOTS]; // learnt at tick << 32 | tag << 16 | MTU
};

#define WEIR_LEAST_MTU_V4 576
#define WEIR_LEAST_MTU_V6 1280

static inline uint16_t weir_least_mtu(const struct weir_address *address)
{
	return weir_address_is_v4(address) ? WEIR_LEAST_MTU_V4 : WEIR_LEAST_MTU_V6;
}

// What is known of the path to `member`; 0: nothing.
static inline uint16_t weir_path_mtu_get(const struct weir_path_mtus *mtus,
					 const struct weir_address *member, uint32_t now)
{
	uint32_t hash = weir_address_hash(member);
	uint64_t slot = atomic_load_explicit(&mtus->slots[hash % WEIR_PATH_MTU_SLOTS],
					     memory_order_relaxed);

	if ((uint16_t)(slot >> 16) != hash >> 16 ||
	    now - (uint32_t)(slot >> 32) > WEIR_PATH_MTU_TICKS)
		return 0;
	return (uint16_t)slot;
}

// Takes an MTU as told; a larger one than known is not believed. Returns what counts from now on.
static inline uint16_t weir_path_mtu_learn(struct weir_path_mtus *mtus,
					   const struct weir_address *member, uint16_t mtu,
					   uint32_t now)
{
	uint32_t hash = weir_address_hash(member);
	uint16_t known = weir_path_mtu_get(mtus, member, now);
	uint16_t least = weir_least_mtu(member);

	if (mtu < least)
		mtu = least;
	if (known != 0 && known <= mtu)
		return known;
	atomic_store_explicit(&mtus->slots[hash % WEIR_PATH_MTU_SLOTS],
			      (uint64_t)now << 32 | (uint64_t)(hash >> 16) << 16 | mtu,
			      memory_order_relaxed);
	return mtu;
}
