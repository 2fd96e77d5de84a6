// SPDX-License-Identifier: Apache-2.0
//
// A hash index of references: buckets of one cache line with 10 tags of 16 bits, compared by SIMD,
// and 10 references of 32 bits. A key has two candidate buckets; the first is taken while it has
// room, so that most lookups touch one line, and when both are full, references already there move
// to their other bucket. The index knows no keys:
// whoever follows a reference compares them.
//
// It lies in ordinary memory and is written and read by one thread.

#pragma once

#include <emmintrin.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/prefetch.h"

#define WEIR_FLOW_BUCKET_SLOTS 10
#define WEIR_FLOW_NO_REF       UINT32_MAX

struct weir_flow_bucket {
	uint16_t tags[WEIR_FLOW_BUCKET_SLOTS]; // 0: empty slot
	uint32_t refs[WEIR_FLOW_BUCKET_SLOTS];
	uint32_t pad;
};

_Static_assert(sizeof(struct weir_flow_bucket) == 64, "one cache line per bucket");

struct weir_flow_index {
	struct weir_flow_bucket *buckets;
	uint32_t nb_buckets; // any number
	uint32_t nb_refs;
	uint32_t max_refs; // beyond it, room is found too slowly or not at all
};

static inline uint16_t weir_flow_tag(uint64_t hash)
{
	uint16_t tag = (uint16_t)(hash >> 48);

	return tag != 0 ? tag : 1;
}

// Scales a hash to the buckets without a division.
static inline uint32_t weir_flow_scale(const struct weir_flow_index *index, uint32_t hash)
{
	return (uint32_t)(((uint64_t)hash * index->nb_buckets) >> 32);
}

static inline uint32_t weir_flow_first_bucket(const struct weir_flow_index *index, uint64_t hash)
{
	return weir_flow_scale(index, (uint32_t)hash);
}

// The other bucket follows from the bucket and the tag alone, so that a reference moves without
// its entry being read. Symmetric: the two add up to a place that the tag names.
static inline uint32_t weir_flow_other_bucket(const struct weir_flow_index *index, uint32_t bucket,
					      uint16_t tag)
{
	uint32_t sum = weir_flow_scale(index, (uint32_t)tag * UINT32_C(0x9E3779B1));

	return sum >= bucket ? sum - bucket : sum + index->nb_buckets - bucket;
}

// Bit i is set for each slot i that holds the tag.
static inline uint32_t weir_flow_match(const struct weir_flow_bucket *bucket, uint16_t tag)
{
	const __m128i wanted = _mm_set1_epi16((int16_t)tag);
	__m128i first = _mm_loadu_si128((const __m128i *)(const void *)bucket->tags);
	__m128i last = _mm_loadu_si32(&bucket->tags[8]);
	__m128i equal =
		_mm_packs_epi16(_mm_cmpeq_epi16(first, wanted), _mm_cmpeq_epi16(last, wanted));

	return (uint32_t)_mm_movemask_epi8(equal) & 0x3ff;
}

// Lookup in steps, so that the cache misses of a burst overlap: first buckets are prefetched, then
// looked at; keys that are not there, which few are that are in the index at all, go on to their
// other bucket.

static inline void weir_flow_index_prefetch(const struct weir_flow_index *index, uint64_t hash)
{
	weir_prefetch(&index->buckets[weir_flow_first_bucket(index, hash)]);
}

static inline void weir_flow_index_prefetch_other(const struct weir_flow_index *index,
						  uint64_t hash)
{
	uint32_t first = weir_flow_first_bucket(index, hash);

	weir_prefetch(&index->buckets[weir_flow_other_bucket(index, first, weir_flow_tag(hash))]);
}

static inline uint32_t weir_flow_bucket_guess(const struct weir_flow_bucket *bucket, uint16_t tag)
{
	uint32_t hits = weir_flow_match(bucket, tag);

	return hits != 0 ? bucket->refs[__builtin_ctz(hits)] : WEIR_FLOW_NO_REF;
}

// The first reference under the tag in the first bucket: almost always the only one, and so the
// answer if its key is the right one. WEIR_FLOW_NO_REF: the key is not in this bucket.
static inline uint32_t weir_flow_index_guess(const struct weir_flow_index *index, uint64_t hash)
{
	return weir_flow_bucket_guess(&index->buckets[weir_flow_first_bucket(index, hash)],
				      weir_flow_tag(hash));
}

// The same of the other bucket.
static inline uint32_t weir_flow_index_guess_other(const struct weir_flow_index *index,
						   uint64_t hash)
{
	uint16_t tag = weir_flow_tag(hash);
	uint32_t first = weir_flow_first_bucket(index, hash);

	return weir_flow_bucket_guess(&index->buckets[weir_flow_other_bucket(index, first, tag)],
				      tag);
}

static inline bool weir_flow_index_full(const struct weir_flow_index *index)
{
	return index->nb_refs >= index->max_refs;
}

// nb_slots: rounded up to whole buckets. Memory is taken when it is touched. Returns 0 or -ENOMEM.
int weir_flow_index_init(struct weir_flow_index *index, uint64_t nb_slots);
void weir_flow_index_destroy(struct weir_flow_index *index);

// Returns 0, or -ENOSPC at nine tenths of the slots or when no reference could be moved to make
// room.
int weir_flow_index_insert(struct weir_flow_index *index, uint64_t hash, uint32_t ref);
void weir_flow_index_remove(struct weir_flow_index *index, uint64_t hash, uint32_t ref);
