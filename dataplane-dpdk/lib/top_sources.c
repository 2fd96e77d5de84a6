// SPDX-License-Identifier: Apache-2.0

#include "lib/top_sources.h"

#include <stdlib.h>
#include <string.h>

static uint32_t set_of(uint32_t lb_id, const struct weir_address *address)
{
	uint64_t h = (address->halves[0] ^ lb_id) * UINT64_C(0x9E3779B97F4A7C15);

	h ^= address->halves[1];
	h = (h ^ (h >> 32)) * UINT64_C(0xC2B2AE3D27D4EB4F); // IPv4 differs in the high half alone
	return (uint32_t)(h >> 40) & (WEIR_TOP_SETS - 1);
}

void weir_top_sources_add(struct weir_top_sources *top, uint32_t lb_id,
			  const struct weir_address *address)
{
	struct weir_top_source *set = top->sets[set_of(lb_id, address)];
	struct weir_top_source *least = &set[0];

	for (uint32_t i = 0; i < WEIR_TOP_WAYS; i++) {
		if (set[i].count != 0 && set[i].lb_id == lb_id &&
		    weir_address_equal(&set[i].address, address)) {
			set[i].count++;
			return;
		}
		if (set[i].count < least->count)
			least = &set[i];
	}
	least->error = least->count;
	least->count++;
	least->lb_id = lb_id;
	least->address = *address;
}

uint32_t weir_top_sources_read(const struct weir_top_sources *top, struct weir_top_source *out)
{
	uint32_t nb = 0;

	for (uint32_t s = 0; s < WEIR_TOP_SETS; s++)
		for (uint32_t i = 0; i < WEIR_TOP_WAYS; i++)
			if (top->sets[s][i].count != 0)
				out[nb++] = top->sets[s][i];
	return nb;
}

static int by_source(const void *a, const void *b)
{
	const struct weir_top_source *x = a;
	const struct weir_top_source *y = b;

	if (x->lb_id != y->lb_id)
		return x->lb_id < y->lb_id ? -1 : 1;
	return memcmp(&x->address, &y->address, sizeof(x->address));
}

static int by_count(const void *a, const void *b)
{
	const struct weir_top_source *x = a;
	const struct weir_top_source *y = b;

	if (x->lb_id != y->lb_id)
		return x->lb_id < y->lb_id ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return by_source(a, b);
}

uint32_t weir_top_sources_merge(struct weir_top_source *entries, uint32_t nb)
{
	uint32_t kept = 0;

	if (nb == 0)
		return 0;
	qsort(entries, nb, sizeof(*entries), by_source);
	for (uint32_t i = 1; i < nb; i++) {
		if (by_source(&entries[kept], &entries[i]) == 0) {
			entries[kept].count += entries[i].count;
			entries[kept].error += entries[i].error;
		} else {
			entries[++kept] = entries[i];
		}
	}
	qsort(entries, ++kept, sizeof(*entries), by_count);
	return kept;
}
