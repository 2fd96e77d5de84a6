// SPDX-License-Identifier: Apache-2.0
//
// The flow table of one worker lcore. Entries lie in a mapping that outlives
// the process; they are the truth. The index over them is rebuilt when the mapping is found again.
//
// Index: buckets of one cache line with 8 tags and 8 references, two candidate buckets per key,
// and one displacement when both are full. Each flow has two references, one per direction, so
// that a packet's own 5-tuple finds it from either side.
//
// Written and read by the owning worker alone. Other threads may copy entries for display; they
// check `state` before and after. An entry is published by its state, written last: a kill at any
// instruction leaves it either free or whole.

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "flow/flow_state.h"
#include "lib/address.h"
#include "lib/byte_order.h"

// A tick is 100 ms of CLOCK_BOOTTIME, so that expiry times mean the same after a restart.
#define WEIR_TICKS_PER_SECOND  10
#define WEIR_FLOW_BUCKET_SLOTS 8

enum weir_flow_flag {
	WEIR_FLOW_ENDED = 0x01,       // already counted as ended, no longer active
	WEIR_FLOW_ADOPTED = 0x02,     // found in mid-flow, not counted as new
	WEIR_FLOW_MEMBER_SEEN = 0x04, // the member's packets come through this node too
};

struct weir_flow {
	struct weir_address client_address;
	struct weir_address vip_address;
	struct weir_address member_address;
	struct weir_address snat_address; // none unless snat
	weir_be16_t client_port;
	weir_be16_t vip_port;
	weir_be16_t member_port;
	weir_be16_t snat_port;   // 0 unless snat
	uint32_t backend_id;     // registry; stable over restarts
	uint32_t binding_id;     // registry; listener x backend, names the counters
	uint32_t lb_id;          // registry
	uint32_t expires;        // tick
	uint32_t started;        // tick
	uint32_t idle_timeout_s; // the listener's when the flow began
	_Atomic uint8_t state;   // enum weir_flow_state; written last when published
	uint8_t protocol;
	uint8_t flags;
	uint8_t reserved[29];
};

_Static_assert(sizeof(struct weir_flow) == 128, "two cache lines per flow");

struct weir_flow_bucket {
	uint16_t tags[WEIR_FLOW_BUCKET_SLOTS]; // 0: empty slot
	uint32_t refs[WEIR_FLOW_BUCKET_SLOTS]; // entry << 1 | direction
	uint8_t pad[16];
};

_Static_assert(sizeof(struct weir_flow_bucket) == 64, "one cache line per bucket");

// A packet's 5-tuple as it came in.
struct weir_tuple {
	struct weir_address source;
	struct weir_address destination;
	weir_be16_t source_port;
	weir_be16_t destination_port;
	uint8_t protocol;
};

struct weir_flow_table {
	struct weir_flow *flows; // in the mapping
	struct weir_flow_bucket *buckets;
	uint32_t *free_entries; // stack
	uint32_t nb_free;
	uint32_t nb_flows; // capacity
	uint32_t bucket_mask;
	uint32_t high_water; // entries at and above it were never used since start
	uint32_t sweep_cursor;
	uint64_t key[2];
};

// nb_flows: capacity, at most 2^30. The table holds `flows` but does not own it.
// Returns 0 or -errno.
int weir_flow_table_init(struct weir_flow_table *table, struct weir_flow *flows, uint32_t nb_flows,
			 const uint64_t key[2]);
void weir_flow_table_destroy(struct weir_flow_table *table);

uint64_t weir_flow_hash(const struct weir_flow_table *table, const struct weir_tuple *tuple);

static inline void weir_flow_prefetch(const struct weir_flow_table *table, uint64_t hash)
{
	__builtin_prefetch(&table->buckets[hash & table->bucket_mask]);
}

// The flow of a packet and the side it comes from; NULL: none.
struct weir_flow *weir_flow_lookup(const struct weir_flow_table *table, uint64_t hash,
				   const struct weir_tuple *tuple, enum weir_direction *direction);

// Copies `flow` (state included) into a free entry and publishes it.
// Returns the entry, or NULL when the table or both buckets of a key are full. Neither tuple may
// be in the table yet. Never evicts.
struct weir_flow *weir_flow_insert(struct weir_flow_table *table, const struct weir_flow *flow);

// `flow` must be an entry of this table.
void weir_flow_remove(struct weir_flow_table *table, struct weir_flow *flow);

// Tuple of the flow's packets from a direction.
struct weir_tuple weir_flow_tuple(const struct weir_flow *flow, enum weir_direction direction);

static inline uint32_t weir_flow_table_used(const struct weir_flow_table *table)
{
	return table->nb_flows - table->nb_free;
}

// Rebuilds index and free list from the entries of a mapping found again. `keep` says whether an
// entry may stay (its ids are known, it has not expired); others are freed. Returns flows kept.
uint32_t weir_flow_table_recover(struct weir_flow_table *table,
				 bool (*keep)(const struct weir_flow *flow, void *arg), void *arg);
