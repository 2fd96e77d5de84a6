// SPDX-License-Identifier: Apache-2.0

#include "flow/flow_table.h"

#include <stdlib.h>
#include <string.h>

#include "tests/cmocka_all.h"

enum { CAPACITY = 4096 };

static struct weir_flow_table table;
static struct weir_flow *entries;
static const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};

static int set_up(void **state)
{
	(void)state;
	entries = aligned_alloc(64, CAPACITY * sizeof(*entries));
	memset(entries, 0, CAPACITY * sizeof(*entries));
	return weir_flow_table_init(&table, entries, CAPACITY, key);
}

static int tear_down(void **state)
{
	(void)state;
	weir_flow_table_destroy(&table);
	free(entries);
	return 0;
}

// The nth of many different flows; odd ones are snat.
static struct weir_flow nth(uint32_t n)
{
	struct weir_flow flow = {
		.client_address = weir_address_v4(0x0a000001 + n / 50000),
		.client_port = (uint16_t)(n % 50000 + 1),
		.vip_address = weir_address_v4(0x0a7100cb),
		.vip_port = 0x5000,
		.member_address = weir_address_v4(0x0b14090a),
		.member_port = 0x901f,
		.protocol = 6,
		.state = WEIR_FLOW_ESTABLISHED,
	};

	if (n % 2 == 1) {
		flow.snat_address = weir_address_v4(0x001f090a + (n >> 16));
		flow.snat_port = (uint16_t)n;
	}
	return flow;
}

static struct weir_flow *find(const struct weir_flow *flow, enum weir_direction from)
{
	struct weir_tuple tuple = weir_flow_tuple(flow, from);
	enum weir_direction found = !from;
	struct weir_flow *entry =
		weir_flow_lookup(&table, weir_flow_hash(&table, &tuple), &tuple, &found);

	if (entry != NULL)
		assert_int_equal(found, from);
	return entry;
}

static void a_full_table_finds_every_flow_from_both_sides(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < CAPACITY; n++) {
		struct weir_flow flow = nth(n);

		assert_non_null(weir_flow_insert(&table, &flow));
	}
	struct weir_flow one_more = nth(CAPACITY);
	assert_null(weir_flow_insert(&table, &one_more));
	assert_int_equal(weir_flow_table_used(&table), CAPACITY);
	for (uint32_t n = 0; n < CAPACITY; n++) {
		struct weir_flow flow = nth(n);
		struct weir_flow *entry = find(&flow, WEIR_FROM_CLIENT);

		assert_non_null(entry);
		assert_ptr_equal(entry, find(&flow, WEIR_FROM_MEMBER));
		assert_int_equal(entry->client_port, flow.client_port);
		assert_int_equal(entry->state, WEIR_FLOW_ESTABLISHED);
	}
	assert_null(find(&one_more, WEIR_FROM_CLIENT));
}

static void a_tuple_that_differs_in_one_field_is_not_found(void **state)
{
	struct weir_flow flow = nth(2);
	enum weir_direction direction;

	(void)state;
	assert_non_null(weir_flow_insert(&table, &flow));
	for (int field = 0; field < 5; field++) {
		struct weir_tuple tuple = weir_flow_tuple(&flow, WEIR_FROM_CLIENT);

		tuple.source.words[3] += field == 0;
		tuple.destination.words[3] += field == 1;
		tuple.source_port = (uint16_t)(tuple.source_port + (field == 2));
		tuple.destination_port = (uint16_t)(tuple.destination_port + (field == 3));
		tuple.protocol = field == 4 ? 17 : tuple.protocol;
		assert_null(weir_flow_lookup(&table, weir_flow_hash(&table, &tuple), &tuple,
					     &direction));
	}
}

// Random inserts and removals against a plain array: the table never leaks or loses a flow.
static void random_work_agrees_with_a_plain_array(void **state)
{
	enum { FLOWS = 3 * CAPACITY };
	static struct weir_flow *model[FLOWS];
	uint32_t used = 0;

	(void)state;
	memset(model, 0, sizeof(model));
	srandom(7);
	for (int turn = 0; turn < 400000; turn++) {
		uint32_t n = (uint32_t)random() % FLOWS;
		struct weir_flow flow = nth(n);

		assert_ptr_equal(find(&flow, WEIR_FROM_CLIENT), model[n]);
		assert_ptr_equal(find(&flow, WEIR_FROM_MEMBER), model[n]);
		if (model[n] != NULL) {
			weir_flow_remove(&table, model[n]);
			model[n] = NULL;
			used--;
		} else {
			model[n] = weir_flow_insert(&table, &flow);
			assert_true((model[n] != NULL) == (used < CAPACITY));
			used += model[n] != NULL;
		}
		assert_int_equal(weir_flow_table_used(&table), used);
	}
	for (uint32_t n = 0; n < FLOWS; n++)
		if (model[n] != NULL)
			weir_flow_remove(&table, model[n]);
	assert_int_equal(weir_flow_table_used(&table), 0);
	for (uint32_t b = 0; b <= table.bucket_mask; b++)
		for (int slot = 0; slot < WEIR_FLOW_BUCKET_SLOTS; slot++)
			assert_int_equal(table.buckets[b].tags[slot], 0);
}

static bool keep_known_backends(const struct weir_flow *flow, void *arg)
{
	(void)arg;
	return flow->backend_id == 0;
}

// A mapping found again: whole entries come back, half-written and unknown ones are freed.
static void recovery_keeps_whole_flows_and_frees_the_rest(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 100; n++) {
		struct weir_flow flow = nth(n);

		flow.backend_id = n % 10 == 9; // ten of them are of a backend nobody knows
		assert_non_null(weir_flow_insert(&table, &flow));
	}
	struct weir_flow gone = nth(0);
	weir_flow_remove(&table, find(&gone, WEIR_FROM_CLIENT));
	struct weir_flow first = nth(1);
	entries[200] = nth(1000); // a kill before the state was written
	entries[200].state = WEIR_FLOW_FREE;
	entries[201] = nth(1001); // noise
	entries[201].state = 200;
	entries[202] = first; // a second entry of the same tuple
	weir_flow_table_destroy(&table);
	assert_int_equal(weir_flow_table_init(&table, entries, CAPACITY, key), 0);

	assert_int_equal(weir_flow_table_recover(&table, keep_known_backends, NULL), 89);

	assert_int_equal(weir_flow_table_used(&table), 89);
	for (uint32_t n = 1; n < 100; n++) {
		struct weir_flow flow = nth(n);

		assert_true((find(&flow, WEIR_FROM_MEMBER) != NULL) == (n % 10 != 9));
	}
	struct weir_flow noise = nth(1001);
	assert_null(find(&noise, WEIR_FROM_CLIENT));
	for (uint32_t n = 0; n < CAPACITY - 89; n++) {
		struct weir_flow flow = nth(10000 + n);

		assert_non_null(weir_flow_insert(&table, &flow));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_full_table_finds_every_flow_from_both_sides,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_tuple_that_differs_in_one_field_is_not_found,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(random_work_agrees_with_a_plain_array, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(recovery_keeps_whole_flows_and_frees_the_rest,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
