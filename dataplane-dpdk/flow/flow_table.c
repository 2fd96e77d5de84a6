// SPDX-License-Identifier: Apache-2.0

#include "flow/flow_table.h"

#include <emmintrin.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/flow_hash.h"

static inline uint16_t tag_of(uint64_t hash)
{
	uint16_t tag = (uint16_t)(hash >> 48);

	return tag != 0 ? tag : 1;
}

// The other bucket of a key follows from the bucket and the tag alone, so that a reference can be
// displaced without reading its entry. Symmetric; never the bucket itself.
static inline uint32_t other_bucket(const struct weir_flow_table *t, uint32_t bucket, uint16_t tag)
{
	uint32_t distance = ((uint32_t)tag * UINT32_C(0x9E3779B1)) >> 7;

	return bucket ^ ((distance & t->bucket_mask) | 1);
}

// Bit 2i is set for each slot i that holds the tag.
static inline uint32_t match_tags(const struct weir_flow_bucket *bucket, uint16_t tag)
{
	__m128i tags = _mm_load_si128((const __m128i *)(const void *)bucket->tags);
	__m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16((int16_t)tag));

	return (uint32_t)_mm_movemask_epi8(equal) & 0x5555;
}

int weir_flow_table_init(struct weir_flow_table *table, struct weir_flow *flows, uint32_t nb_flows,
			 const uint64_t key[2])
{
	uint32_t nb_buckets = 2;

	if (nb_flows == 0 || nb_flows > UINT32_C(1) << 30)
		return -EINVAL;
	// Two references per flow at a load of at most one half.
	while ((uint64_t)nb_buckets * WEIR_FLOW_BUCKET_SLOTS < (uint64_t)nb_flows * 4)
		nb_buckets *= 2;
	memset(table, 0, sizeof(*table));
	table->buckets = aligned_alloc(64, (size_t)nb_buckets * sizeof(*table->buckets));
	table->free_entries = malloc((size_t)nb_flows * sizeof(*table->free_entries));
	if (table->buckets == NULL || table->free_entries == NULL) {
		weir_flow_table_destroy(table);
		return -ENOMEM;
	}
	memset(table->buckets, 0, (size_t)nb_buckets * sizeof(*table->buckets));
	table->flows = flows;
	table->nb_flows = nb_flows;
	table->bucket_mask = nb_buckets - 1;
	table->key[0] = key[0];
	table->key[1] = key[1];
	// Low entries are handed out first, which keeps the sweep short.
	for (uint32_t i = 0; i < nb_flows; i++)
		table->free_entries[i] = nb_flows - 1 - i;
	table->nb_free = nb_flows;
	return 0;
}

void weir_flow_table_destroy(struct weir_flow_table *table)
{
	free(table->buckets);
	free(table->free_entries);
	memset(table, 0, sizeof(*table));
}

uint64_t weir_flow_hash(const struct weir_flow_table *table, const struct weir_tuple *tuple)
{
	uint64_t ports = (uint64_t)tuple->source_port << 32 |
			 (uint64_t)tuple->destination_port << 16 | tuple->protocol;

	if (weir_address_is_v4(&tuple->source))
		return weir_siphash13_2(table->key,
					(uint64_t)tuple->source.words[3] << 32 |
						tuple->destination.words[3],
					ports);
	const uint64_t words[5] = {
		tuple->source.halves[0],
		tuple->source.halves[1],
		tuple->destination.halves[0],
		tuple->destination.halves[1],
		ports,
	};
	return weir_siphash13(table->key, words, 5);
}

struct weir_tuple weir_flow_tuple(const struct weir_flow *flow, enum weir_direction direction)
{
	if (direction == WEIR_FROM_CLIENT)
		return (struct weir_tuple){
			.source = flow->client_address,
			.destination = flow->vip_address,
			.source_port = flow->client_port,
			.destination_port = flow->vip_port,
			.protocol = flow->protocol,
		};
	bool snat = !weir_address_is_none(&flow->snat_address);
	return (struct weir_tuple){
		.source = flow->member_address,
		.destination = snat ? flow->snat_address : flow->client_address,
		.source_port = flow->member_port,
		.destination_port = snat ? flow->snat_port : flow->client_port,
		.protocol = flow->protocol,
	};
}

static inline bool tuple_equal(const struct weir_tuple *a, const struct weir_tuple *b)
{
	return weir_address_equal(&a->source, &b->source) &&
	       weir_address_equal(&a->destination, &b->destination) &&
	       a->source_port == b->source_port && a->destination_port == b->destination_port &&
	       a->protocol == b->protocol;
}

static struct weir_flow *lookup_bucket(const struct weir_flow_table *table,
				       const struct weir_flow_bucket *bucket, uint16_t tag,
				       const struct weir_tuple *tuple,
				       enum weir_direction *direction)
{
	for (uint32_t hits = match_tags(bucket, tag); hits != 0; hits &= hits - 1) {
		uint32_t ref = bucket->refs[__builtin_ctz(hits) / 2];
		struct weir_flow *flow = &table->flows[ref >> 1];
		struct weir_tuple found = weir_flow_tuple(flow, ref & 1);

		if (tuple_equal(&found, tuple)) {
			*direction = ref & 1;
			return flow;
		}
	}
	return NULL;
}

struct weir_flow *weir_flow_lookup(const struct weir_flow_table *table, uint64_t hash,
				   const struct weir_tuple *tuple, enum weir_direction *direction)
{
	uint16_t tag = tag_of(hash);
	uint32_t first = (uint32_t)hash & table->bucket_mask;
	struct weir_flow *flow =
		lookup_bucket(table, &table->buckets[first], tag, tuple, direction);

	if (flow != NULL)
		return flow;
	return lookup_bucket(table, &table->buckets[other_bucket(table, first, tag)], tag, tuple,
			     direction);
}

static inline int free_slot(const struct weir_flow_bucket *bucket)
{
	uint32_t empty = match_tags(bucket, 0);

	return empty != 0 ? __builtin_ctz(empty) / 2 : -1;
}

static inline int nb_used_slots(const struct weir_flow_bucket *bucket)
{
	return WEIR_FLOW_BUCKET_SLOTS - __builtin_popcount(match_tags(bucket, 0));
}

static void fill_slot(struct weir_flow_bucket *bucket, int slot, uint16_t tag, uint32_t ref)
{
	bucket->refs[slot] = ref;
	bucket->tags[slot] = tag;
}

// Moves one reference of a full bucket to its other bucket. Returns the freed slot or -1.
static int displace(struct weir_flow_table *table, uint32_t bucket_index)
{
	struct weir_flow_bucket *bucket = &table->buckets[bucket_index];

	for (int slot = 0; slot < WEIR_FLOW_BUCKET_SLOTS; slot++) {
		uint32_t other = other_bucket(table, bucket_index, bucket->tags[slot]);
		int target = free_slot(&table->buckets[other]);

		if (target < 0)
			continue;
		fill_slot(&table->buckets[other], target, bucket->tags[slot], bucket->refs[slot]);
		bucket->tags[slot] = 0;
		return slot;
	}
	return -1;
}

static int index_insert(struct weir_flow_table *table, const struct weir_tuple *tuple, uint32_t ref)
{
	uint64_t hash = weir_flow_hash(table, tuple);
	uint16_t tag = tag_of(hash);
	uint32_t first = (uint32_t)hash & table->bucket_mask;
	uint32_t second = other_bucket(table, first, tag);
	uint32_t chosen =
		nb_used_slots(&table->buckets[first]) <= nb_used_slots(&table->buckets[second])
			? first
			: second;
	int slot = free_slot(&table->buckets[chosen]);

	if (slot < 0)
		slot = displace(table, chosen);
	if (slot < 0) {
		chosen = chosen == first ? second : first;
		slot = displace(table, chosen);
	}
	if (slot < 0)
		return -ENOSPC;
	fill_slot(&table->buckets[chosen], slot, tag, ref);
	return 0;
}

static void index_remove(struct weir_flow_table *table, const struct weir_tuple *tuple,
			 uint32_t ref)
{
	uint64_t hash = weir_flow_hash(table, tuple);
	uint16_t tag = tag_of(hash);
	uint32_t index = (uint32_t)hash & table->bucket_mask;

	for (int turn = 0; turn < 2; turn++) {
		struct weir_flow_bucket *bucket = &table->buckets[index];

		for (uint32_t hits = match_tags(bucket, tag); hits != 0; hits &= hits - 1) {
			int slot = __builtin_ctz(hits) / 2;

			if (bucket->refs[slot] == ref) {
				bucket->tags[slot] = 0;
				return;
			}
		}
		index = other_bucket(table, index, tag);
	}
}

static int index_flow(struct weir_flow_table *table, uint32_t entry)
{
	const struct weir_flow *flow = &table->flows[entry];
	struct weir_tuple forward = weir_flow_tuple(flow, WEIR_FROM_CLIENT);
	struct weir_tuple reverse = weir_flow_tuple(flow, WEIR_FROM_MEMBER);

	if (index_insert(table, &forward, entry << 1 | WEIR_FROM_CLIENT) != 0)
		return -ENOSPC;
	if (index_insert(table, &reverse, entry << 1 | WEIR_FROM_MEMBER) != 0) {
		index_remove(table, &forward, entry << 1 | WEIR_FROM_CLIENT);
		return -ENOSPC;
	}
	return 0;
}

struct weir_flow *weir_flow_insert(struct weir_flow_table *table, const struct weir_flow *flow)
{
	if (table->nb_free == 0)
		return NULL;
	uint32_t entry = table->free_entries[table->nb_free - 1];
	struct weir_flow *slot = &table->flows[entry];
	uint8_t state = atomic_load_explicit(&flow->state, memory_order_relaxed);

	// The entry is free, so its state is WEIR_FLOW_FREE until the last store below.
	memcpy(slot, flow, offsetof(struct weir_flow, state));
	slot->protocol = flow->protocol;
	slot->flags = flow->flags;
	if (index_flow(table, entry) != 0)
		return NULL;
	table->nb_free--;
	if (entry >= table->high_water)
		table->high_water = entry + 1;
	atomic_store_explicit(&slot->state, state, memory_order_release);
	return slot;
}

void weir_flow_remove(struct weir_flow_table *table, struct weir_flow *flow)
{
	uint32_t entry = (uint32_t)(flow - table->flows);
	struct weir_tuple forward = weir_flow_tuple(flow, WEIR_FROM_CLIENT);
	struct weir_tuple reverse = weir_flow_tuple(flow, WEIR_FROM_MEMBER);

	atomic_store_explicit(&flow->state, WEIR_FLOW_FREE, memory_order_release);
	index_remove(table, &forward, entry << 1 | WEIR_FROM_CLIENT);
	index_remove(table, &reverse, entry << 1 | WEIR_FROM_MEMBER);
	table->free_entries[table->nb_free++] = entry;
}

static bool recoverable(const struct weir_flow_table *table, const struct weir_flow *flow)
{
	uint8_t state = atomic_load_explicit(&flow->state, memory_order_acquire);
	enum weir_direction direction;

	if (state == WEIR_FLOW_FREE || state >= WEIR_FLOW_NB_STATES)
		return false;
	for (int side = 0; side < 2; side++) {
		struct weir_tuple tuple = weir_flow_tuple(flow, side);

		if (weir_flow_lookup(table, weir_flow_hash(table, &tuple), &tuple, &direction) !=
		    NULL)
			return false;
	}
	return true;
}

uint32_t weir_flow_table_recover(struct weir_flow_table *table,
				 bool (*keep)(const struct weir_flow *flow, void *arg), void *arg)
{
	uint32_t kept = 0;

	table->nb_free = 0;
	table->high_water = 0;
	for (uint32_t entry = 0; entry < table->nb_flows; entry++) {
		struct weir_flow *flow = &table->flows[entry];

		if (recoverable(table, flow) && keep(flow, arg) && index_flow(table, entry) == 0) {
			kept++;
			table->high_water = entry + 1;
		} else if (flow->state != WEIR_FLOW_FREE) {
			atomic_store_explicit(&flow->state, WEIR_FLOW_FREE, memory_order_relaxed);
		}
	}
	for (uint32_t entry = table->nb_flows; entry-- > 0;)
		if (table->flows[entry].state == WEIR_FLOW_FREE)
			table->free_entries[table->nb_free++] = entry;
	return kept;
}
