// SPDX-License-Identifier: Apache-2.0

#include "lib/maglev.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/flow_hash.h"

enum { SEED_ORDER = 0, SEED_OFFSET = 1, SEED_SKIP = 2 };

// One member while its table is built; sorted by (order, id) before the first turn.
struct candidate {
	uint64_t order;
	const char *id;
	uint32_t weight;
	uint32_t position; // next slot of its permutation
	uint32_t skip;
	uint16_t index; // in the caller's array
};

int weir_maglev_size_valid(uint32_t size)
{
	if (size < 2 || size > WEIR_MAGLEV_MAX_SIZE)
		return 0;
	for (uint32_t divisor = 2; (uint64_t)divisor * divisor <= size; divisor++)
		if (size % divisor == 0)
			return 0;
	return 1;
}

static int compare_candidates(const void *left, const void *right)
{
	const struct candidate *a = left;
	const struct candidate *b = right;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return strcmp(a->id, b->id);
}

static uint32_t collect_candidates(struct candidate *out, uint32_t size,
				   const struct weir_maglev_member *members, uint32_t nb_members)
{
	uint32_t nb = 0;

	assert(size >= 2);
	for (uint32_t i = 0; i < nb_members; i++) {
		const char *id = members[i].id;
		size_t length = strlen(id);

		if (members[i].weight == 0)
			continue;
		out[nb++] = (struct candidate){
			.order = weir_xxh64(id, length, SEED_ORDER),
			.id = id,
			.weight = members[i].weight,
			.position = (uint32_t)(weir_xxh64(id, length, SEED_OFFSET) % size),
			.skip = (uint32_t)(weir_xxh64(id, length, SEED_SKIP) % (size - 1)) + 1,
			.index = (uint16_t)i,
		};
	}
	if (nb > 1)
		qsort(out, nb, sizeof(*out), compare_candidates);
	return nb;
}

static void take_slot(uint16_t *table, uint32_t size, struct candidate *c)
{
	while (table[c->position] != WEIR_MAGLEV_EMPTY)
		c->position = (uint32_t)(((uint64_t)c->position + c->skip) % size);
	table[c->position] = c->index;
}

int weir_maglev_build(uint16_t *table, uint32_t size, const struct weir_maglev_member *members,
		      uint32_t nb_members)
{
	if (nb_members > WEIR_MAGLEV_MAX_MEMBERS)
		return -E2BIG;
	if (!weir_maglev_size_valid(size) || size < nb_members)
		return -EINVAL;
	for (uint32_t slot = 0; slot < size; slot++)
		table[slot] = WEIR_MAGLEV_EMPTY;
	if (nb_members == 0)
		return 0;

	struct candidate *candidates = calloc(nb_members, sizeof(*candidates));
	if (candidates == NULL)
		return -ENOMEM;
	uint32_t nb = collect_candidates(candidates, size, members, nb_members);
	uint32_t max_weight = 1;
	for (uint32_t i = 0; i < nb; i++)
		if (candidates[i].weight > max_weight)
			max_weight = candidates[i].weight;

	// After round r a member has had floor(r * weight / max_weight) turns: the heaviest takes
	// one per round, a half as heavy one every second round, and so on until the table is full.
	uint32_t filled = 0;
	for (uint64_t round = 1; nb > 0 && filled < size; round++) {
		for (uint32_t i = 0; i < nb && filled < size; i++) {
			uint64_t due = round * candidates[i].weight / max_weight;
			uint64_t had = (round - 1) * candidates[i].weight / max_weight;

			if (due == had)
				continue;
			take_slot(table, size, &candidates[i]);
			filled++;
		}
	}
	free(candidates);
	return 0;
}
