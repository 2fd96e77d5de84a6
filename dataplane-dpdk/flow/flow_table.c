// SPDX-License-Identifier: Apache-2.0

#include "flow/flow_table.h"

#include <errno.h>
#include <string.h>

enum { RECOVERY_BATCH = 32, CURSOR_CLASS_SHIFT = 30 };

int weir_flow_table_init(struct weir_flow_table *table, const struct weir_flow_memory *memory,
			 uint32_t nb_flows, const uint64_t key[2])
{
	memset(table, 0, sizeof(*table));
	if (nb_flows == 0 || nb_flows > WEIR_FLOW_MAX_FLOWS)
		return -EINVAL;
	// Room for two references per flow, so that at four fifths of the flows, all of them NAT,
	// four fifths of the slots are taken.
	int ret = weir_flow_index_init(&table->index, (uint64_t)nb_flows * 2);
	if (ret != 0)
		return ret;
	for (int class = 0; class < WEIR_FLOW_NB_CLASSES; class ++) {
		table->arenas[class] = (struct weir_flow_arena){
			.entries = memory->entries[class],
			.high_water = &memory->high_water[class],
			.first_free = WEIR_FLOW_NO_ENTRY,
		};
	}
	table->nb_flows = nb_flows;
	table->key[0] = key[0];
	table->key[1] = key[1];
	return 0;
}

void weir_flow_table_destroy(struct weir_flow_table *table)
{
	weir_flow_index_destroy(&table->index);
	memset(table, 0, sizeof(*table));
}

static uint32_t entry_of(const struct weir_flow_table *table, const struct weir_flow *flow)
{
	size_t offset = (size_t)((const uint8_t *)flow - table->arenas[flow->flow_class].entries);

	return (uint32_t)(offset / weir_flow_size(flow->flow_class));
}

static struct weir_flow *lookup_bucket(const struct weir_flow_table *table,
				       const struct weir_flow_bucket *bucket, uint16_t tag,
				       const struct weir_tuple *tuple,
				       enum weir_direction *direction)
{
	for (uint32_t hits = weir_flow_match(bucket, tag); hits != 0; hits &= hits - 1) {
		uint32_t ref = bucket->refs[__builtin_ctz(hits)];
		struct weir_flow *flow = weir_flow_of_ref(table, ref);

		if (weir_flow_has_tuple(flow, ref, tuple)) {
			*direction = weir_flow_ref_direction(ref);
			return flow;
		}
	}
	return NULL;
}

struct weir_flow *weir_flow_lookup(const struct weir_flow_table *table, uint64_t hash,
				   const struct weir_tuple *tuple, enum weir_direction *direction)
{
	const struct weir_flow_index *index = &table->index;
	uint16_t tag = weir_flow_tag(hash);
	uint32_t first = weir_flow_first_bucket(index, hash);
	uint32_t other = weir_flow_other_bucket(index, first, tag);

	// Who asks outside of a burst's stages has prefetched neither; a miss waits once, not
	// twice.
	weir_prefetch(&index->buckets[other]);
	struct weir_flow *flow =
		lookup_bucket(table, &index->buckets[first], tag, tuple, direction);
	if (flow != NULL)
		return flow;
	return lookup_bucket(table, &index->buckets[other], tag, tuple, direction);
}

// Both references of a flow, or the one of a direct flow.
struct references {
	uint64_t hashes[2];
	uint32_t refs[2];
	int nb;
};

static void hash4(const struct weir_flow_table *table, const struct weir_flow_nat4 *flow, int nb,
		  uint64_t hashes[2])
{
	const struct weir_flow *head = &flow->head;

	hashes[0] = weir_flow_hash4(
		table->key, flow->client_address, flow->vip_address,
		weir_flow_port_word(head->client_port, head->vip_port, head->protocol));
	if (nb > 1)
		hashes[1] = weir_flow_hash4(
			table->key, flow->member_address, flow->reply_address,
			weir_flow_port_word(flow->member_port, flow->reply_port, head->protocol));
}

static void hash6(const struct weir_flow_table *table, const struct weir_flow_nat6 *flow, int nb,
		  uint64_t hashes[2])
{
	const struct weir_flow *head = &flow->head;

	hashes[0] = weir_flow_hash6(
		table->key, &flow->client_address, &flow->vip_address,
		weir_flow_port_word(head->client_port, head->vip_port, head->protocol));
	if (nb > 1)
		hashes[1] = weir_flow_hash6(
			table->key, &flow->member_address, &flow->reply_address,
			weir_flow_port_word(flow->member_port, flow->reply_port, head->protocol));
}

// The hashes of weir_flow_tuple(), straight from the entry.
static struct references references_of(const struct weir_flow_table *table,
				       const struct weir_flow *flow, uint32_t entry)
{
	struct references references = {.nb = weir_flow_is_nat(flow->flow_class) ? 2 : 1};

	if (weir_flow_is_v4(flow->flow_class))
		hash4(table, (const void *)flow, references.nb, references.hashes);
	else
		hash6(table, (const void *)flow, references.nb, references.hashes);
	for (int side = 0; side < references.nb; side++)
		references.refs[side] = weir_flow_ref(flow->flow_class, side, entry);
	return references;
}

static int index_flow(struct weir_flow_table *table, const struct references *references)
{
	for (int side = 0; side < references->nb; side++) {
		if (weir_flow_index_insert(&table->index, references->hashes[side],
					   references->refs[side]) == 0)
			continue;
		if (side > 0)
			weir_flow_index_remove(&table->index, references->hashes[0],
					       references->refs[0]);
		return -ENOSPC;
	}
	return 0;
}

// An entry to be filled; it stays the arena's until take() is confirmed by its state.
static uint32_t choose_entry(const struct weir_flow_table *table, enum weir_flow_class class)
{
	const struct weir_flow_arena *arena = &table->arenas[class];

	return arena->first_free != WEIR_FLOW_NO_ENTRY ? arena->first_free : *arena->high_water;
}

static void take_entry(struct weir_flow_table *table, enum weir_flow_class class, uint32_t entry,
		       uint32_t next_free)
{
	struct weir_flow_arena *arena = &table->arenas[class];

	if (entry == arena->first_free) {
		arena->first_free = next_free;
		if (next_free != WEIR_FLOW_NO_ENTRY)
			weir_prefetch(weir_flow_at(table, class, next_free));
	} else {
		// Before the entry's state: recovery looks at no entry above it.
		__atomic_store_n(arena->high_water, entry + 1, __ATOMIC_RELEASE);
	}
	arena->used++;
	table->used++;
	table->changes++;
}

struct weir_flow *weir_flow_insert(struct weir_flow_table *table, const struct weir_flow_spec *spec)
{
	if (table->used == table->nb_flows)
		return NULL;
	enum weir_flow_class class = spec->flow_class;
	uint32_t entry = choose_entry(table, class);
	struct weir_flow *flow = weir_flow_at(table, class, entry);
	uint32_t next_free = flow->binding_id;

	// The entry is free, so its state is WEIR_FLOW_FREE until the last store below.
	weir_flow_write(flow, spec);
	struct references references = references_of(table, flow, entry);
	if (index_flow(table, &references) != 0) {
		flow->binding_id = next_free;
		return NULL;
	}
	take_entry(table, class, entry, next_free);
	atomic_store_explicit(&flow->state, spec->state, memory_order_release);
	return flow;
}

// An arena without flows begins anew, and with it the list of free entries.
static void reset_arena(struct weir_flow_arena *arena)
{
	__atomic_store_n(arena->high_water, 0, __ATOMIC_RELEASE);
	arena->first_free = WEIR_FLOW_NO_ENTRY;
}

void weir_flow_remove(struct weir_flow_table *table, struct weir_flow *flow)
{
	struct weir_flow_arena *arena = &table->arenas[flow->flow_class];
	uint32_t entry = entry_of(table, flow);
	struct references references = references_of(table, flow, entry);

	atomic_store_explicit(&flow->state, WEIR_FLOW_FREE, memory_order_release);
	for (int side = 0; side < references.nb; side++)
		weir_flow_index_remove(&table->index, references.hashes[side],
				       references.refs[side]);
	flow->binding_id = arena->first_free;
	arena->first_free = entry;
	table->used--;
	table->changes++;
	if (--arena->used == 0)
		reset_arena(arena);
}

struct weir_flow *weir_flow_next(const struct weir_flow_table *table, uint32_t *cursor)
{
	uint32_t class = *cursor >> CURSOR_CLASS_SHIFT;
	uint32_t entry = *cursor & (WEIR_FLOW_MAX_FLOWS - 1);

	for (; class < WEIR_FLOW_NB_CLASSES; class ++, entry = 0) {
		uint32_t end = __atomic_load_n(table->arenas[class].high_water, __ATOMIC_ACQUIRE);

		if (entry < end) {
			*cursor = class << CURSOR_CLASS_SHIFT | (entry + 1);
			return weir_flow_at(table, class, entry);
		}
		if (class == WEIR_FLOW_NB_CLASSES - 1)
			break;
		*cursor = (class + 1) << CURSOR_CLASS_SHIFT;
	}
	return NULL;
}

uint32_t weir_flow_table_span(const struct weir_flow_table *table)
{
	uint32_t span = 0;

	for (int class = 0; class < WEIR_FLOW_NB_CLASSES; class ++)
		span += *table->arenas[class].high_water;
	return span;
}

uint64_t weir_flow_table_bytes(const struct weir_flow_table *table)
{
	uint64_t bytes = (uint64_t)table->index.nb_buckets * sizeof(struct weir_flow_bucket);

	for (int class = 0; class < WEIR_FLOW_NB_CLASSES; class ++)
		bytes += (uint64_t)*table->arenas[class].high_water * weir_flow_size(class);
	return bytes;
}

static void free_recovered(struct weir_flow_table *table, enum weir_flow_class class,
			   struct weir_flow *flow, uint32_t entry)
{
	struct weir_flow_arena *arena = &table->arenas[class];

	if (flow->state != WEIR_FLOW_FREE)
		atomic_store_explicit(&flow->state, WEIR_FLOW_FREE, memory_order_relaxed);
	flow->binding_id = arena->first_free;
	arena->first_free = entry;
}

// A second entry of the same tuple can't come from a kill, but from a damaged file.
static bool indexed_already(const struct weir_flow_table *table, const struct weir_flow *flow,
			    const struct references *references)
{
	enum weir_direction direction;

	for (int side = 0; side < references->nb; side++) {
		uint64_t hash = references->hashes[side];

		if (weir_flow_index_guess(&table->index, hash) == WEIR_FLOW_NO_REF &&
		    weir_flow_index_guess_other(&table->index, hash) == WEIR_FLOW_NO_REF)
			continue;
		struct weir_tuple tuple = weir_flow_tuple(flow, side);
		if (weir_flow_lookup(table, hash, &tuple, &direction) != NULL)
			return true;
	}
	return false;
}

static bool whole(const struct weir_flow *flow, enum weir_flow_class class)
{
	uint8_t state = atomic_load_explicit(&flow->state, memory_order_acquire);

	return state != WEIR_FLOW_FREE && state < WEIR_FLOW_NB_STATES && flow->flow_class == class;
}

// Entries first to last - 1 of a class, at most RECOVERY_BATCH: hashes and prefetches before it
// touches the index.
static uint32_t recover_batch(struct weir_flow_table *table, enum weir_flow_class class,
			      uint32_t first, uint32_t last,
			      bool (*keep)(const struct weir_flow *flow, void *arg), void *arg)
{
	struct references references[RECOVERY_BATCH];
	bool kept[RECOVERY_BATCH];
	uint32_t nb = 0;

	for (uint32_t entry = first; entry < last; entry++) {
		const struct weir_flow *flow = weir_flow_at(table, class, entry);
		struct references *r = &references[entry - first];

		kept[entry - first] = whole(flow, class) && keep(flow, arg);
		if (!kept[entry - first])
			continue;
		*r = references_of(table, flow, entry);
		for (int side = 0; side < r->nb; side++) {
			weir_flow_index_prefetch(&table->index, r->hashes[side]);
			weir_flow_index_prefetch_other(&table->index, r->hashes[side]);
		}
	}
	for (uint32_t entry = last; entry-- > first;) {
		struct weir_flow *flow = weir_flow_at(table, class, entry);
		const struct references *r = &references[entry - first];

		if (kept[entry - first] && !indexed_already(table, flow, r) &&
		    index_flow(table, r) == 0)
			nb++;
		else
			free_recovered(table, class, flow, entry);
	}
	return nb;
}

static uint32_t recover_class(struct weir_flow_table *table, enum weir_flow_class class,
			      bool (*keep)(const struct weir_flow *flow, void *arg), void *arg)
{
	struct weir_flow_arena *arena = &table->arenas[class];
	uint32_t end = *arena->high_water;

	if (end > table->nb_flows) // damaged
		end = *arena->high_water = table->nb_flows;
	// From the end, so that low entries come first in the list of free ones.
	while (end > 0) {
		uint32_t first = end > RECOVERY_BATCH ? end - RECOVERY_BATCH : 0;

		arena->used += recover_batch(table, class, first, end, keep, arg);
		end = first;
	}
	if (arena->used == 0)
		reset_arena(arena);
	return arena->used;
}

uint32_t weir_flow_table_recover(struct weir_flow_table *table,
				 bool (*keep)(const struct weir_flow *flow, void *arg), void *arg)
{
	for (int class = 0; class < WEIR_FLOW_NB_CLASSES; class ++)
		table->used += recover_class(table, class, keep, arg);
	return table->used;
}
