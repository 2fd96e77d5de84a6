// SPDX-License-Identifier: Apache-2.0

#include "flow/limits.h"

#include <stdlib.h>

#include "tests/cmocka_all.h"

#define MS INT64_C(1000000)

static const uint64_t key[2] = {1, 2};

static struct weir_limits *make(uint32_t nb_workers, struct weir_limit_bounds bounds)
{
	struct weir_limits *limits = weir_limits_new(nb_workers, key);

	assert_non_null(limits);
	assert_int_equal(weir_limits_prepare(limits, &bounds), 0);
	weir_limits_set(limits, &bounds, 1);
	for (uint32_t w = 0; w < nb_workers; w++)
		weir_limits_adopt(limits, w, 0);
	return limits;
}

static struct weir_address v4(uint32_t host)
{
	return weir_address_v4(weir_be32(host));
}

static struct weir_address v6(uint64_t network, uint64_t host)
{
	struct weir_address address;

	address.halves[0] = __builtin_bswap64(network);
	address.halves[1] = __builtin_bswap64(host);
	return address;
}

static bool admits(struct weir_limits *limits, uint32_t worker, struct weir_address source,
		   int64_t now)
{
	bool counted;

	if (weir_limits_admit(limits, worker, &source, now, &counted) != WEIR_DROP_NONE)
		return false;
	weir_limits_began(limits, worker);
	return true;
}

// Ten times the rate is offered, all of it to one worker or evenly to all.
static void new_flows_are_limited_however_they_reach_the_workers(void **state)
{
	static const uint64_t rates[] = {10, 1000, 200000};

	(void)state;
	for (int even = 0; even < 2; even++) {
		for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
			struct weir_limits *limits =
				make(4, (struct weir_limit_bounds){.new_flows_per_s = rates[r]});
			uint64_t seconds = rates[r] < 100 ? 20 : 2;
			int64_t step = 1000 * MS / (int64_t)(rates[r] * 10);
			uint64_t passed = 0;

			for (uint64_t n = 0; n < rates[r] * 10 * seconds; n++)
				passed += admits(limits, even ? n % 4 : 0, v4((uint32_t)n),
						 10000 * MS + (int64_t)n * step);
			assert_in_range(passed, rates[r] * seconds * 9 / 10,
					rates[r] * seconds * 11 / 10);
			weir_limits_release(limits);
		}
	}
}

static void a_rate_below_the_limit_is_never_refused(void **state)
{
	struct weir_limits *limits = make(4, (struct weir_limit_bounds){.new_flows_per_s = 1000});

	(void)state;
	for (int n = 0; n < 5000; n++)
		assert_true(admits(limits, (uint32_t)n % 4, v4(1), 10000 * MS + n * 11 * MS / 10));
	weir_limits_release(limits);
}

static void active_flows_are_limited_however_they_reach_the_workers(void **state)
{
	static const uint64_t bounds[] = {4, 1000, 1000000};
	struct weir_address source = v4(1);

	(void)state;
	for (int even = 0; even < 2; even++) {
		for (size_t b = 0; b < sizeof(bounds) / sizeof(bounds[0]); b++) {
			struct weir_limits *limits =
				make(4, (struct weir_limit_bounds){.active_flows = bounds[b]});
			uint64_t had[4] = {0};
			uint64_t active = 0;

			for (uint64_t n = 0; n < bounds[b] * 2; n++) {
				uint32_t worker = even ? n % 4 : 0;

				had[worker] += admits(limits, worker, source, 0);
			}
			for (int w = 0; w < 4; w++)
				active += had[w];
			assert_in_range(active, bounds[b] * 9 / 10, bounds[b]);
			// As many as end may begin again, at another worker too.
			for (int w = 0; w < 4; w++)
				for (uint64_t n = 0; n < had[w]; n++)
					weir_limits_ended(limits, (uint32_t)w, &source, false);
			for (active = 0; admits(limits, 3, source, 0);)
				active++;
			assert_in_range(active, bounds[b] > 10 ? bounds[b] * 9 / 10 : 1, bounds[b]);
			weir_limits_release(limits);
		}
	}
}

static void flows_from_before_the_limit_count(void **state)
{
	struct weir_limits *limits = weir_limits_new(2, key);
	struct weir_address source = v4(1);

	(void)state;
	weir_limits_set(limits, &(struct weir_limit_bounds){.active_flows = 10}, 1);
	weir_limits_adopt(limits, 0, 12); // more than the bound
	weir_limits_adopt(limits, 1, 0);
	assert_false(admits(limits, 0, source, 0));
	assert_false(admits(limits, 1, source, 0));
	for (int i = 0; i < 12; i++)
		weir_limits_ended(limits, 0, &source, false);
	assert_true(admits(limits, 1, source, 0));
	weir_limits_release(limits);
}

static void bounds_are_the_pops_divided_by_its_nodes(void **state)
{
	struct weir_limits *limits = weir_limits_new(1, key);

	(void)state;
	weir_limits_set(limits,
			&(struct weir_limit_bounds){.new_flows_per_s = 100,
						    .active_flows = 10,
						    .active_flows_per_source = 2},
			3);
	assert_int_equal(limits->new_flows_per_s, 34);
	assert_int_equal(limits->active_flows, 4);
	assert_int_equal(limits->active_flows_per_source, 1);
	assert_int_equal(limits->new_flows_per_source_per_s, 0);
	weir_limits_release(limits);
}

static void a_source_is_limited_by_itself(void **state)
{
	struct weir_limits *limits =
		make(2, (struct weir_limit_bounds){.new_flows_per_source_per_s = 100});
	uint32_t greedy = 0;
	uint32_t modest = 0;

	(void)state;
	for (int ms = 0; ms < 2000; ms++) {
		greedy += admits(limits, (uint32_t)ms % 2, v4(1), (10000 + ms) * MS);
		if (ms % 20 == 0)
			modest += admits(limits, 1, v4(2), (10000 + ms) * MS);
	}
	assert_in_range(greedy, 180, 220);
	assert_int_equal(modest, 100);
	weir_limits_release(limits);
}

static void a_sources_flows_are_counted_over_all_workers(void **state)
{
	struct weir_limits *limits =
		make(2, (struct weir_limit_bounds){.active_flows_per_source = 5});
	struct weir_address source = v6(0x20010db800010002, 7);
	bool counted = false;

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(weir_limits_admit(limits, i % 2, &source, 0, &counted),
				 WEIR_DROP_NONE);
	assert_true(counted);
	assert_int_equal(weir_limits_admit(limits, 0, &source, 0, &counted),
			 WEIR_DROP_LIMIT_SOURCE_FLOWS);
	// The same subscriber's other addresses are the same source, the next network is not.
	assert_false(admits(limits, 0, v6(0x20010db800010002, 8), 0));
	assert_true(admits(limits, 0, v6(0x20010db800010003, 7), 0));
	weir_limits_ended(limits, 1, &source, true);
	assert_true(admits(limits, 0, source, 0));
	assert_false(admits(limits, 0, source, 0));
	weir_limits_release(limits);
}

// Far more sources than slots, all of them holding flows: who comes then is let in.
static void made_up_sources_shut_nobody_out(void **state)
{
	const uint32_t slots = WEIR_LIMITS_SOURCE_SETS * WEIR_LIMITS_SET_SLOTS;
	struct weir_limits *limits =
		make(1, (struct weir_limit_bounds){.active_flows_per_source = 1,
						   .new_flows_per_source_per_s = 10});

	(void)state;
	for (uint32_t i = 0; i < slots * 4; i++)
		assert_true(admits(limits, 0, v4(i), 0));
	assert_true(limits->untracked > slots);
	for (uint32_t i = 0; i < 100; i++)
		assert_true(admits(limits, 0, v4(0x7f000000 + i), 0));
	weir_limits_release(limits);
}

// Once the flood's rate has recovered, its slots serve others.
static void slots_of_quiet_sources_are_used_again(void **state)
{
	const uint32_t slots = WEIR_LIMITS_SOURCE_SETS * WEIR_LIMITS_SET_SLOTS;
	struct weir_limits *limits =
		make(1, (struct weir_limit_bounds){.new_flows_per_source_per_s = 10});

	(void)state;
	for (uint32_t i = 0; i < slots * 4; i++)
		assert_true(admits(limits, 0, v4(i), 1000 * MS));
	uint64_t untracked = limits->untracked;
	uint32_t passed = 0;
	for (int i = 0; i < 100; i++)
		passed += admits(limits, 0, v4(0x7f000001), 2000 * MS);
	assert_int_equal(limits->untracked, untracked);
	assert_in_range(passed, 1, 2);
	weir_limits_release(limits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_flows_are_limited_however_they_reach_the_workers),
		cmocka_unit_test(a_rate_below_the_limit_is_never_refused),
		cmocka_unit_test(active_flows_are_limited_however_they_reach_the_workers),
		cmocka_unit_test(flows_from_before_the_limit_count),
		cmocka_unit_test(bounds_are_the_pops_divided_by_its_nodes),
		cmocka_unit_test(a_source_is_limited_by_itself),
		cmocka_unit_test(a_sources_flows_are_counted_over_all_workers),
		cmocka_unit_test(made_up_sources_shut_nobody_out),
		cmocka_unit_test(slots_of_quiet_sources_are_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
