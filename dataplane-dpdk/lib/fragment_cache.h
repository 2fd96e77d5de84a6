// SPDX-License-Identifier: Apache-2.0
//
// What one worker knows about datagrams that come in fragments: the ports that the first fragment
// carried, so that later ones find the flow, and later fragments that came before the first one.
//
// Ports: a hash of WEIR_FRAGMENT_SETS sets of WEIR_FRAGMENT_WAYS; the oldest of a set gives way.
// Held fragments: a ring of WEIR_FRAGMENT_HELD. Nothing here grows; who floods it harms datagrams
// in fragments alone. Times are in any unit that only goes forward. One worker reads and writes.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/address.h"
#include "lib/byte_order.h"

#define WEIR_FRAGMENT_SETS 256
#define WEIR_FRAGMENT_WAYS 4
#define WEIR_FRAGMENT_HELD 64

// What the fragments of one datagram have in common.
struct weir_fragment_key {
	struct weir_address source;
	struct weir_address destination;
	uint32_t id; // as on the wire
	uint32_t protocol;
};

struct weir_fragment_entry {
	struct weir_fragment_key key;
	weir_be16_t source_port;
	weir_be16_t destination_port;
	uint32_t new_id;    // id that the fragments are to leave with
	uint64_t forget_at; // 0: empty
};

struct weir_held_fragment {
	struct weir_fragment_key key;
	void *packet; // NULL: given back already
	uint64_t until;
};

struct weir_fragment_cache {
	uint64_t hold_time;
	uint64_t remember_time;
	uint32_t first_held; // held: first_held up to next_held, modulo the ring's size
	uint32_t next_held;
	struct weir_held_fragment held[WEIR_FRAGMENT_HELD];
	struct weir_fragment_entry entries[WEIR_FRAGMENT_SETS][WEIR_FRAGMENT_WAYS];
};

void weir_fragment_cache_init(struct weir_fragment_cache *cache, uint64_t hold_time,
			      uint64_t remember_time);

// secret: so that nobody chooses whose entries give way.
uint64_t weir_fragment_hash(const uint64_t secret[2], const struct weir_fragment_key *key);

// The entry of a datagram; NULL: its first fragment has not been seen, or long ago.
struct weir_fragment_entry *weir_fragment_find(struct weir_fragment_cache *cache, uint64_t hash,
					       const struct weir_fragment_key *key, uint64_t now);

// Makes room for a datagram whose first fragment came. The caller fills ports and new_id; an entry
// that was there is returned as it is, with its time renewed.
struct weir_fragment_entry *weir_fragment_learn(struct weir_fragment_cache *cache, uint64_t hash,
						const struct weir_fragment_key *key, uint64_t now);

// Keeps a later fragment until the first comes. False: no room, the packet stays the caller's.
bool weir_fragment_hold(struct weir_fragment_cache *cache, const struct weir_fragment_key *key,
			void *packet, uint64_t now);

// The next held fragment of a datagram, in the order in which they came; NULL: none left.
void *weir_fragment_take(struct weir_fragment_cache *cache, const struct weir_fragment_key *key);

// The next fragment that was held too long; NULL: none.
void *weir_fragment_expired(struct weir_fragment_cache *cache, uint64_t now);
