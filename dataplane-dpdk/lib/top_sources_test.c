// SPDX-License-Identifier: Apache-2.0

#include <stdlib.h>

#include "lib/top_sources.h"
#include "tests/cmocka_all.h"

static struct weir_address source(uint32_t number)
{
	return weir_address_v4(weir_be32(UINT32_C(0x0a000000) + number));
}

static void add(struct weir_top_sources *top, uint32_t lb_id, uint32_t number, uint32_t times)
{
	struct weir_address address = source(number);

	while (times-- > 0)
		weir_top_sources_add(top, lb_id, &address);
}

static void heavy_sources_come_first_per_load_balancer(void **state)
{
	struct weir_top_sources top = {0};
	struct weir_top_source entries[WEIR_TOP_ENTRIES];
	struct weir_address heavy = source(7);

	(void)state;
	add(&top, 2, 9, 50);
	add(&top, 1, 7, 30);
	add(&top, 1, 8, 3);
	add(&top, 2, 7, 1);
	uint32_t nb = weir_top_sources_merge(entries, weir_top_sources_read(&top, entries));
	assert_int_equal(nb, 4);
	assert_int_equal(entries[0].lb_id, 1);
	assert_true(weir_address_equal(&entries[0].address, &heavy));
	assert_int_equal(entries[0].count, 30);
	assert_int_equal(entries[1].count, 3);
	assert_int_equal(entries[2].lb_id, 2);
	assert_int_equal(entries[2].count, 50);
}

static void entries_of_several_lcores_are_one_source(void **state)
{
	struct weir_top_sources tops[2] = {0};
	struct weir_top_source entries[2 * WEIR_TOP_ENTRIES];

	(void)state;
	add(&tops[0], 1, 7, 5);
	add(&tops[1], 1, 7, 6);
	add(&tops[1], 1, 8, 7);
	uint32_t nb = weir_top_sources_read(&tops[0], entries);
	nb += weir_top_sources_read(&tops[1], entries + nb);
	assert_int_equal(weir_top_sources_merge(entries, nb), 2);
	assert_int_equal(entries[0].count, 11);
	assert_int_equal(entries[1].count, 7);
}

// Among many times more sources than fit, one in ten of all flows is found and its bound holds.
static void a_heavy_source_is_found_among_a_flood_of_others(void **state)
{
	struct weir_top_sources top = {0};
	struct weir_top_source entries[WEIR_TOP_ENTRIES];
	struct weir_address heavy = source(0);
	uint64_t sum = 0;

	(void)state;
	srandom(3);
	for (uint32_t n = 0; n < 20000; n++)
		add(&top, 1, n % 10 == 0 ? 0 : 1 + (uint32_t)random() % 1000000, 1);
	uint32_t nb = weir_top_sources_merge(entries, weir_top_sources_read(&top, entries));
	for (uint32_t i = 0; i < nb; i++)
		sum += entries[i].count;
	assert_int_equal(nb, WEIR_TOP_ENTRIES);
	assert_int_equal(sum, 20000); // every flow is counted once
	assert_true(weir_address_equal(&entries[0].address, &heavy));
	assert_true(entries[0].count >= 2000);
	assert_true(entries[0].count - entries[0].error <= 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heavy_sources_come_first_per_load_balancer),
		cmocka_unit_test(entries_of_several_lcores_are_one_source),
		cmocka_unit_test(a_heavy_source_is_found_among_a_flood_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
