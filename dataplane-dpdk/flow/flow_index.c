// SPDX-License-Identifier: Apache-2.0

#include "flow/flow_index.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

// In a fuller index most inserts move references about, one that fails over a hundred buckets: a
// flood would make each of its packets pay for that.
enum { MAX_FILL_PERCENT = 90 };

static size_t index_size(const struct weir_flow_index *index)
{
	return (size_t)index->nb_buckets * sizeof(*index->buckets);
}

int weir_flow_index_init(struct weir_flow_index *index, uint64_t nb_slots)
{
	index->nb_buckets =
		(uint32_t)((nb_slots + WEIR_FLOW_BUCKET_SLOTS - 1) / WEIR_FLOW_BUCKET_SLOTS);
	void *memory = mmap(NULL, index_size(index), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) {
		memset(index, 0, sizeof(*index));
		return -ENOMEM;
	}
	// Every lookup goes to another page; a wish, not a need.
	(void)madvise(memory, index_size(index), MADV_HUGEPAGE);
	index->buckets = memory;
	index->nb_refs = 0;
	index->max_refs = (uint32_t)((uint64_t)index->nb_buckets * WEIR_FLOW_BUCKET_SLOTS *
				     MAX_FILL_PERCENT / 100);
	return 0;
}

void weir_flow_index_destroy(struct weir_flow_index *index)
{
	if (index->buckets != NULL)
		munmap(index->buckets, index_size(index));
	memset(index, 0, sizeof(*index));
}

static inline int free_slot(const struct weir_flow_bucket *bucket)
{
	uint32_t empty = weir_flow_match(bucket, 0);

	return empty != 0 ? __builtin_ctz(empty) : -1;
}

static void fill_slot(struct weir_flow_bucket *bucket, int slot, uint16_t tag, uint32_t ref)
{
	bucket->refs[slot] = ref;
	bucket->tags[slot] = tag;
}

// Frees a slot of a full bucket by moving a reference to its other bucket, which in turn may move
// one on when `deeper`. Returns the slot or -1.
static int displace(struct weir_flow_index *index, uint32_t at, bool deeper)
{
	struct weir_flow_bucket *bucket = &index->buckets[at];

	for (int slot = 0; slot < WEIR_FLOW_BUCKET_SLOTS; slot++) {
		uint16_t tag = bucket->tags[slot];
		uint32_t to = weir_flow_other_bucket(index, at, tag);
		struct weir_flow_bucket *other = &index->buckets[to];

		if (to == at)
			continue;
		int target = free_slot(other);
		if (target < 0 && deeper)
			target = displace(index, to, false);
		if (target < 0)
			continue;
		fill_slot(other, target, tag, bucket->refs[slot]);
		bucket->tags[slot] = 0;
		return slot;
	}
	return -1;
}

static int make_room(struct weir_flow_index *index, uint32_t first, uint32_t second,
		     uint32_t *chosen)
{
	for (int deeper = 0; deeper <= 1; deeper++) {
		for (int turn = 0; turn < 2; turn++) {
			*chosen = turn == 0 ? first : second;
			int slot = displace(index, *chosen, deeper != 0);

			if (slot >= 0)
				return slot;
		}
	}
	return -1;
}

int weir_flow_index_insert(struct weir_flow_index *index, uint64_t hash, uint32_t ref)
{
	if (weir_flow_index_full(index))
		return -ENOSPC;
	uint16_t tag = weir_flow_tag(hash);
	uint32_t first = weir_flow_first_bucket(index, hash);
	uint32_t second = weir_flow_other_bucket(index, first, tag);
	uint32_t chosen = first;
	int slot = free_slot(&index->buckets[chosen]);

	if (slot < 0) {
		chosen = second;
		slot = free_slot(&index->buckets[chosen]);
	}
	if (slot < 0)
		slot = make_room(index, first, second, &chosen);
	if (slot < 0)
		return -ENOSPC;
	fill_slot(&index->buckets[chosen], slot, tag, ref);
	index->nb_refs++;
	return 0;
}

void weir_flow_index_remove(struct weir_flow_index *index, uint64_t hash, uint32_t ref)
{
	uint16_t tag = weir_flow_tag(hash);
	uint32_t at = weir_flow_first_bucket(index, hash);

	for (int turn = 0; turn < 2; turn++) {
		struct weir_flow_bucket *bucket = &index->buckets[at];

		for (uint32_t hits = weir_flow_match(bucket, tag); hits != 0; hits &= hits - 1) {
			int slot = __builtin_ctz(hits);

			if (bucket->refs[slot] == ref) {
				bucket->tags[slot] = 0;
				index->nb_refs--;
				return;
			}
		}
		at = weir_flow_other_bucket(index, at, tag);
	}
}
