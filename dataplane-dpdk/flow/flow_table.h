// SPDX-License-Identifier: Apache-2.0
//
// The flow table of one worker lcore. Entries lie in a mapping that outlives the process, one arena
// per class; they are the truth. The index over them is rebuilt when the mapping is found again.
//
// An arena may hold as many entries as the table has flows; pages of it exist once they were used.
// Free entries are handed out last freed first, so that few pages are. Direct flows have one
// reference in the index, NAT flows one per direction, so that a packet's own 5-tuple finds its
// flow from either side.
//
// Written and read by the owning worker alone. Other threads copy entries for display by
// weir_flow_copy().

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "flow/flow_entry.h"
#include "flow/flow_index.h"
#include "lib/prefetch.h"
#include "lib/tuple_hash.h"

// A tick is 100 ms of CLOCK_BOOTTIME, so that expiry times mean the same after a restart.
#define WEIR_TICKS_PER_SECOND 10
#define WEIR_FLOW_MAX_FLOWS   (UINT32_C(1) << 29)
#define WEIR_FLOW_NO_ENTRY    UINT32_MAX

struct weir_flow_arena {
	uint8_t *entries;     // in the mapping
	uint32_t *high_water; // in the mapping: entries at and above it hold nothing
	uint32_t first_free;  // WEIR_FLOW_NO_ENTRY: none below high_water
	uint32_t used;
};

struct weir_flow_table {
	struct weir_flow_arena arenas[WEIR_FLOW_NB_CLASSES];
	struct weir_flow_index index;
	uint32_t nb_flows;     // capacity, over all classes
	uint32_t used;         // over all classes
	uint32_t changes;      // inserts and removals; what was looked up before may be gone
	uint32_t sweep_cursor; // weir_flow_next()
	uint64_t key[2];
};

// Where a table's entries lie. What was there before is taken over by weir_flow_table_recover().
struct weir_flow_memory {
	void *entries[WEIR_FLOW_NB_CLASSES]; // nb_flows entries each
	uint32_t *high_water;                // [class]
};

// nb_flows: capacity, at most WEIR_FLOW_MAX_FLOWS. The table holds `memory` but does not own it.
// Returns 0 or -errno.
int weir_flow_table_init(struct weir_flow_table *table, const struct weir_flow_memory *memory,
			 uint32_t nb_flows, const uint64_t key[2]);
void weir_flow_table_destroy(struct weir_flow_table *table);

// The flow of a packet and the side it comes from; NULL: none.
struct weir_flow *weir_flow_lookup(const struct weir_flow_table *table, uint64_t hash,
				   const struct weir_tuple *tuple, enum weir_direction *direction);

// Copies `spec` (state included) into a free entry and publishes it.
// Returns the entry, or NULL when the table or both buckets of a key are full. No tuple of it may
// be in the table yet. Never evicts.
struct weir_flow *weir_flow_insert(struct weir_flow_table *table,
				   const struct weir_flow_spec *spec);

// `flow` must be an entry of this table.
void weir_flow_remove(struct weir_flow_table *table, struct weir_flow *flow);

// Walks the entries of all classes, free ones included. `cursor` starts at 0 and stays good while
// the table changes. NULL: the end. Any thread may, on a cursor of its own.
struct weir_flow *weir_flow_next(const struct weir_flow_table *table, uint32_t *cursor);

// Entries that weir_flow_next() gives.
uint32_t weir_flow_table_span(const struct weir_flow_table *table);

static inline uint32_t weir_flow_table_used(const struct weir_flow_table *table)
{
	return table->used;
}

// No further flow fits. A NAT flow may be refused one reference earlier.
static inline bool weir_flow_table_full(const struct weir_flow_table *table)
{
	return table->used == table->nb_flows || weir_flow_index_full(&table->index);
}

// Bytes of entries and index that `used` flows take; for those who measure.
uint64_t weir_flow_table_bytes(const struct weir_flow_table *table);

// Rebuilds index and free lists from the entries of a mapping found again. `keep` says whether an
// entry may stay, and is asked once about each whole one; others are freed. Returns flows kept.
uint32_t weir_flow_table_recover(struct weir_flow_table *table,
				 bool (*keep)(const struct weir_flow *flow, void *arg), void *arg);

// The lookup of a burst in stages, so that its cache misses overlap: hash all, prefetch buckets,
// guess, prefetch entries, compare.

static inline uint64_t weir_flow_port_word(weir_be16_t source_port, weir_be16_t destination_port,
					   uint8_t protocol)
{
	return (uint64_t)source_port << 32 | (uint64_t)destination_port << 16 | protocol;
}

static inline uint64_t weir_flow_hash4(const uint64_t key[2], weir_be32_t source,
				       weir_be32_t destination, uint64_t ports)
{
	uint64_t addresses = (uint64_t)source << 32 | destination;

	return weir_tuple_hash_end(key, weir_tuple_hash_add(key, 0, addresses, ports));
}

static inline uint64_t weir_flow_hash6(const uint64_t key[2], const struct weir_address *source,
				       const struct weir_address *destination, uint64_t ports)
{
	uint64_t hash = weir_tuple_hash_add(key, 0, source->halves[0], source->halves[1]);

	hash = weir_tuple_hash_add(key, hash, destination->halves[0], destination->halves[1]);
	return weir_tuple_hash_end(key, weir_tuple_hash_add(key, hash, 0, ports));
}

static inline uint64_t weir_flow_hash(const struct weir_flow_table *table,
				      const struct weir_tuple *tuple)
{
	uint64_t ports =
		weir_flow_port_word(tuple->source_port, tuple->destination_port, tuple->protocol);

	if (weir_address_is_v4(&tuple->source))
		return weir_flow_hash4(table->key, tuple->source.words[3],
				       tuple->destination.words[3], ports);
	return weir_flow_hash6(table->key, &tuple->source, &tuple->destination, ports);
}

// A reference: class in 2 bits, direction in 1, entry in 29.
static inline uint32_t weir_flow_ref(enum weir_flow_class flow_class, enum weir_direction direction,
				     uint32_t entry)
{
	return (uint32_t)flow_class << 30 | (uint32_t)direction << 29 | entry;
}

static inline enum weir_flow_class weir_flow_ref_class(uint32_t ref)
{
	return (enum weir_flow_class)(ref >> 30);
}

static inline enum weir_direction weir_flow_ref_direction(uint32_t ref)
{
	return (enum weir_direction)(ref >> 29 & 1);
}

static inline struct weir_flow *weir_flow_at(const struct weir_flow_table *table,
					     enum weir_flow_class flow_class, uint32_t entry)
{
	uint8_t *entries = table->arenas[flow_class].entries;

	return (struct weir_flow *)(void *)(entries + entry * weir_flow_size(flow_class));
}

static inline struct weir_flow *weir_flow_of_ref(const struct weir_flow_table *table, uint32_t ref)
{
	return weir_flow_at(table, weir_flow_ref_class(ref), ref & (WEIR_FLOW_MAX_FLOWS - 1));
}

static inline void weir_flow_prefetch_entry(const struct weir_flow_table *table, uint32_t ref)
{
	const uint8_t *entry = (const uint8_t *)weir_flow_of_ref(table, ref);

	weir_prefetch(entry);
	// Entries of the other two classes are a line long and lie on one, or hardly ever on two.
	if (weir_flow_ref_class(ref) == WEIR_FLOW_NAT6 ||
	    weir_flow_ref_class(ref) == WEIR_FLOW_DIRECT4)
		weir_prefetch(entry + weir_flow_size(weir_flow_ref_class(ref)) - 1);
}

// Does the entry of `ref` have the tuple on the reference's side?
static inline bool weir_flow_has_tuple(const struct weir_flow *flow, uint32_t ref,
				       const struct weir_tuple *tuple)
{
	const struct weir_flow_nat4 *nat4 = (const void *)flow;
	const struct weir_flow_nat6 *nat6 = (const void *)flow;
	bool v4 = weir_address_is_v4(&tuple->source);

	// Addresses of the other family are never equal; they are not where this one's would be.
	if (flow->protocol != tuple->protocol || weir_flow_is_v4(weir_flow_ref_class(ref)) != v4)
		return false;
	if (weir_flow_ref_direction(ref) == WEIR_FROM_CLIENT) {
		if (flow->client_port != tuple->source_port ||
		    flow->vip_port != tuple->destination_port)
			return false;
		if (v4)
			return nat4->client_address == tuple->source.words[3] &&
			       nat4->vip_address == tuple->destination.words[3];
		return weir_address_equal(&nat6->client_address, &tuple->source) &&
		       weir_address_equal(&nat6->vip_address, &tuple->destination);
	}
	if (v4)
		return nat4->member_address == tuple->source.words[3] &&
		       nat4->reply_address == tuple->destination.words[3] &&
		       nat4->member_port == tuple->source_port &&
		       nat4->reply_port == tuple->destination_port;
	return nat6->member_port == tuple->source_port &&
	       nat6->reply_port == tuple->destination_port &&
	       weir_address_equal(&nat6->member_address, &tuple->source) &&
	       weir_address_equal(&nat6->reply_address, &tuple->destination);
}
