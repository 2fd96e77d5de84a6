// SPDX-License-Identifier: Apache-2.0

#include "lib/prefix_set.h"

#include <stdlib.h>
#include <string.h>

enum { SAMPLE_EVERY = 64, HEAD = 2 };

struct interval {
	weir_uint128_t first;
	weir_uint128_t last;
};

static weir_uint128_t read_be(const uint8_t *bytes, uint32_t nb)
{
	weir_uint128_t value = 0;

	for (uint32_t i = 0; i < nb; i++)
		value = value << 8 | bytes[i];
	return value;
}

// Checks the entry at `at` and reads it. Entries are compared as bytes: the family comes first,
// so that two of different sizes differ before the shorter one ends.
static enum weir_prefix_set_fault read_entry(const uint8_t *at, size_t rest, const uint8_t *before,
					     struct interval *out)
{
	if (rest < HEAD)
		return WEIR_PREFIX_SET_TRUNCATED;
	if (at[0] != 4 && at[0] != 6)
		return WEIR_PREFIX_SET_FAMILY;
	uint32_t bytes = at[0] == 4 ? 4 : 16;
	if (rest < HEAD + bytes)
		return WEIR_PREFIX_SET_TRUNCATED;
	if (at[1] > bytes * 8)
		return WEIR_PREFIX_SET_LENGTH;
	uint32_t host_bits = bytes * 8 - at[1];
	weir_uint128_t host_mask =
		host_bits == 128 ? ~(weir_uint128_t)0 : ((weir_uint128_t)1 << host_bits) - 1;
	out->first = read_be(at + HEAD, bytes);
	out->last = out->first | host_mask;
	if ((out->first & host_mask) != 0)
		return WEIR_PREFIX_SET_HOST_BITS;
	if (before != NULL && memcmp(before, at, HEAD + (before[0] == 4 ? 4u : 16u)) >= 0)
		return WEIR_PREFIX_SET_UNSORTED;
	return WEIR_PREFIX_SET_SOUND;
}

static int compare_intervals(const void *left, const void *right)
{
	const struct interval *a = left;
	const struct interval *b = right;

	return (a->first > b->first) - (a->first < b->first);
}

// Joins intervals that overlap or touch. Returns how many are left.
static uint32_t merge(struct interval *intervals, uint32_t nb)
{
	uint32_t kept = 0;

	if (nb > 1)
		qsort(intervals, nb, sizeof(*intervals), compare_intervals);
	for (uint32_t i = 0; i < nb; i++) {
		struct interval *last = &intervals[kept > 0 ? kept - 1 : 0];

		// The end of all addresses touches nothing beyond it.
		if (kept > 0 &&
		    (last->last == ~(weir_uint128_t)0 || intervals[i].first <= last->last + 1)) {
			if (intervals[i].last > last->last)
				last->last = intervals[i].last;
		} else {
			intervals[kept++] = intervals[i];
		}
	}
	return kept;
}

static int keep_v4(struct weir_prefix_set *set, const struct interval *intervals, uint32_t nb)
{
	set->v4.first = malloc((nb + 1) * sizeof(*set->v4.first));
	set->v4.last = malloc((nb + 1) * sizeof(*set->v4.last));
	set->v4.sample = malloc((nb / SAMPLE_EVERY + 1) * sizeof(*set->v4.sample));
	if (set->v4.first == NULL || set->v4.last == NULL || set->v4.sample == NULL)
		return -1;
	for (uint32_t i = 0; i < nb; i++) {
		set->v4.first[i] = (uint32_t)intervals[i].first;
		set->v4.last[i] = (uint32_t)intervals[i].last;
		if (i % SAMPLE_EVERY == 0)
			set->v4.sample[i / SAMPLE_EVERY] = set->v4.first[i];
	}
	set->v4.nb = nb;
	return 0;
}

static int keep_v6(struct weir_prefix_set *set, const struct interval *intervals, uint32_t nb)
{
	set->v6.first = malloc((nb + 1) * sizeof(*set->v6.first));
	set->v6.last = malloc((nb + 1) * sizeof(*set->v6.last));
	set->v6.sample = malloc((nb / SAMPLE_EVERY + 1) * sizeof(*set->v6.sample));
	if (set->v6.first == NULL || set->v6.last == NULL || set->v6.sample == NULL)
		return -1;
	for (uint32_t i = 0; i < nb; i++) {
		set->v6.first[i] = intervals[i].first;
		set->v6.last[i] = intervals[i].last;
		if (i % SAMPLE_EVERY == 0)
			set->v6.sample[i / SAMPLE_EVERY] = intervals[i].first;
	}
	set->v6.nb = nb;
	return 0;
}

// IPv4 entries stand before IPv6 ones: nb_v4 of the intervals are theirs.
static int keep(struct weir_prefix_set *set, struct interval *intervals, uint32_t nb_v4)
{
	uint32_t nb_v6 = set->nb_prefixes - nb_v4;

	if (keep_v4(set, intervals, merge(intervals, nb_v4)) != 0)
		return -1;
	return keep_v6(set, intervals + nb_v4, merge(intervals + nb_v4, nb_v6));
}

enum weir_prefix_set_fault weir_prefix_set_build(struct weir_prefix_set *set, const uint8_t *packed,
						 size_t length, uint32_t *fault_at)
{
	enum { SMALLEST_ENTRY = HEAD + 4 };
	size_t room = length / SMALLEST_ENTRY + 1;
	enum weir_prefix_set_fault fault = WEIR_PREFIX_SET_SOUND;
	const uint8_t *before = NULL;
	uint32_t nb_v4 = 0;

	memset(set, 0, sizeof(*set));
	if (room > WEIR_PREFIX_SET_MAX)
		room = WEIR_PREFIX_SET_MAX;
	struct interval *intervals = calloc(room, sizeof(*intervals));
	if (intervals == NULL)
		return WEIR_PREFIX_SET_MEMORY;
	for (size_t at = 0; fault == WEIR_PREFIX_SET_SOUND && at < length;) {
		struct interval one = {0};

		fault = set->nb_prefixes < room ? read_entry(packed + at, length - at, before, &one)
						: WEIR_PREFIX_SET_TOO_MANY;
		if (fault != WEIR_PREFIX_SET_SOUND)
			break;
		before = packed + at;
		nb_v4 += before[0] == 4;
		at += HEAD + (before[0] == 4 ? 4u : 16u);
		intervals[set->nb_prefixes++] = one;
	}
	if (fault_at != NULL)
		*fault_at = set->nb_prefixes;
	if (fault == WEIR_PREFIX_SET_SOUND && keep(set, intervals, nb_v4) != 0)
		fault = WEIR_PREFIX_SET_MEMORY;
	free(intervals);
	if (fault != WEIR_PREFIX_SET_SOUND)
		weir_prefix_set_destroy(set);
	return fault;
}

void weir_prefix_set_destroy(struct weir_prefix_set *set)
{
	free(set->v4.first);
	free(set->v4.last);
	free(set->v4.sample);
	free(set->v6.first);
	free(set->v6.last);
	free(set->v6.sample);
	memset(set, 0, sizeof(*set));
}

// Index of the last element that is <= key, given that the first one is. The compiler makes a
// conditional move of the step, so that nothing is mispredicted.
static inline uint32_t floor_v4(const uint32_t *sorted, uint32_t nb, uint32_t key)
{
	uint32_t base = 0;

	while (nb > 1) {
		uint32_t half = nb / 2;

		base = sorted[base + half] <= key ? base + half : base;
		nb -= half;
	}
	return base;
}

static inline uint32_t floor_v6(const weir_uint128_t *sorted, uint32_t nb, weir_uint128_t key)
{
	uint32_t base = 0;

	while (nb > 1) {
		uint32_t half = nb / 2;

		base = sorted[base + half] <= key ? base + half : base;
		nb -= half;
	}
	return base;
}

static inline uint32_t piece(uint32_t start, uint32_t nb)
{
	return nb - start < SAMPLE_EVERY ? nb - start : SAMPLE_EVERY;
}

static bool has_v4(const struct weir_prefix_set *set, uint32_t key)
{
	if (set->v4.nb == 0 || key < set->v4.first[0])
		return false;
	uint32_t nb_samples = (set->v4.nb + SAMPLE_EVERY - 1) / SAMPLE_EVERY;
	uint32_t start = floor_v4(set->v4.sample, nb_samples, key) * SAMPLE_EVERY;
	uint32_t at = start + floor_v4(set->v4.first + start, piece(start, set->v4.nb), key);

	return key <= set->v4.last[at];
}

static bool has_v6(const struct weir_prefix_set *set, weir_uint128_t key)
{
	if (set->v6.nb == 0 || key < set->v6.first[0])
		return false;
	uint32_t nb_samples = (set->v6.nb + SAMPLE_EVERY - 1) / SAMPLE_EVERY;
	uint32_t start = floor_v6(set->v6.sample, nb_samples, key) * SAMPLE_EVERY;
	uint32_t at = start + floor_v6(set->v6.first + start, piece(start, set->v6.nb), key);

	return key <= set->v6.last[at];
}

bool weir_prefix_set_has(const struct weir_prefix_set *set, const struct weir_address *address)
{
	if (weir_address_is_v4(address))
		return has_v4(set, weir_host32(weir_address_to_v4(address)));
	return has_v6(set, (weir_uint128_t)__builtin_bswap64(address->halves[0]) << 64 |
				   __builtin_bswap64(address->halves[1]));
}

const char *weir_prefix_set_fault_text(enum weir_prefix_set_fault fault)
{
	switch (fault) {
	case WEIR_PREFIX_SET_SOUND:
		return "sound";
	case WEIR_PREFIX_SET_TRUNCATED:
		return "the last entry is cut off";
	case WEIR_PREFIX_SET_FAMILY:
		return "the family is neither 4 nor 6";
	case WEIR_PREFIX_SET_LENGTH:
		return "the prefix is longer than an address";
	case WEIR_PREFIX_SET_HOST_BITS:
		return "the address has bits beyond its prefix";
	case WEIR_PREFIX_SET_UNSORTED:
		return "entries are not in rising order of their bytes";
	case WEIR_PREFIX_SET_TOO_MANY:
		return "a list holds at most 100000 prefixes";
	case WEIR_PREFIX_SET_MEMORY:
		break;
	}
	return "the engine has no memory for this";
}
