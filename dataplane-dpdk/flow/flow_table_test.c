// SPDX-License-Identifier: Apache-2.0

#include "flow/flow_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "tests/cmocka_all.h"

enum { CAPACITY = 4096, MILLION = 1 << 20 };

static struct weir_flow_table table;
static struct weir_flow_memory memory;
static uint32_t high_water[WEIR_FLOW_NB_CLASSES];
static const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};

static int make_table(uint32_t capacity)
{
	memset(high_water, 0, sizeof(high_water));
	memory.high_water = high_water;
	for (int class = 0; class < WEIR_FLOW_NB_CLASSES; class ++) {
		memory.entries[class] =
			mmap(NULL, capacity * weir_flow_size(class), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (memory.entries[class] == MAP_FAILED)
			return -1;
	}
	return weir_flow_table_init(&table, &memory, capacity, key);
}

static void free_table(uint32_t capacity)
{
	weir_flow_table_destroy(&table);
	for (int class = 0; class < WEIR_FLOW_NB_CLASSES; class ++)
		munmap(memory.entries[class], capacity * weir_flow_size(class));
}

static int set_up(void **state)
{
	(void)state;
	return make_table(CAPACITY);
}

static int tear_down(void **state)
{
	(void)state;
	free_table(CAPACITY);
	return 0;
}

static struct weir_address address_of(bool v4, uint32_t host)
{
	struct weir_address address = {.bytes = {0x20, 0x01, 0x0d, 0xb8}};

	if (v4)
		return weir_address_v4(host);
	address.words[3] = host;
	return address;
}

// The nth of many different flows of a class; odd NAT ones are snat.
static struct weir_flow_spec nth_of(enum weir_flow_class class, uint32_t n)
{
	bool v4 = weir_flow_is_v4(class);
	struct weir_flow_spec flow = {
		.client_address = address_of(v4, 0x0a000001 + n / 50000),
		.client_port = (uint16_t)(n % 50000 + 1),
		.vip_address = address_of(v4, 0x0a7100cb),
		.vip_port = 0x5000,
		.protocol = 6,
		.state = WEIR_FLOW_ESTABLISHED,
		.flow_class = class,
		.idle_timeout_s = 3600,
	};

	if (!weir_flow_is_nat(class))
		return flow;
	flow.member_address = address_of(v4, 0x0b14090a);
	flow.member_port = 0x901f;
	if (n % 2 == 1) {
		flow.snat_address = address_of(v4, 0x001f090a + (n >> 16));
		flow.snat_port = (uint16_t)n;
	}
	return flow;
}

// Of all classes in turn.
static struct weir_flow_spec nth(uint32_t n)
{
	return nth_of(n / 2 % WEIR_FLOW_NB_CLASSES, n);
}

static struct weir_flow *find(const struct weir_flow_spec *flow, enum weir_direction from)
{
	struct weir_tuple tuple = weir_flow_spec_tuple(flow, from);
	enum weir_direction found = !from;
	struct weir_flow *entry =
		weir_flow_lookup(&table, weir_flow_hash(&table, &tuple), &tuple, &found);

	if (entry != NULL)
		assert_int_equal(found, from);
	return entry;
}

// What the data path does with a burst: guess, then compare.
static struct weir_flow *guess(const struct weir_flow_spec *flow, enum weir_direction from)
{
	struct weir_tuple tuple = weir_flow_spec_tuple(flow, from);
	uint64_t hash = weir_flow_hash(&table, &tuple);
	uint32_t ref = weir_flow_index_guess(&table.index, hash);

	if (ref == WEIR_FLOW_NO_REF)
		ref = weir_flow_index_guess_other(&table.index, hash);
	if (ref == WEIR_FLOW_NO_REF ||
	    !weir_flow_has_tuple(weir_flow_of_ref(&table, ref), ref, &tuple))
		return NULL;
	assert_int_equal(weir_flow_ref_direction(ref), from);
	return weir_flow_of_ref(&table, ref);
}

static void a_full_table_finds_every_flow_from_both_sides(void **state)
{
	uint32_t nb = 0;

	(void)state;
	while (nb < CAPACITY) {
		struct weir_flow_spec flow = nth(nb);

		if (weir_flow_insert(&table, &flow) == NULL)
			break;
		nb++;
	}
	assert_int_equal(nb, CAPACITY);
	struct weir_flow_spec one_more = nth(CAPACITY);
	assert_null(weir_flow_insert(&table, &one_more));
	assert_int_equal(weir_flow_table_used(&table), CAPACITY);
	for (uint32_t n = 0; n < CAPACITY; n++) {
		struct weir_flow_spec flow = nth(n);
		struct weir_flow_spec read;
		struct weir_flow *entry = find(&flow, WEIR_FROM_CLIENT);

		assert_non_null(entry);
		if (weir_flow_is_nat(flow.flow_class))
			assert_ptr_equal(entry, find(&flow, WEIR_FROM_MEMBER));
		assert_true(weir_flow_copy(entry, &read));
		read.flags = 0;
		assert_memory_equal(&read, &flow, sizeof(flow)); // every class keeps every field
	}
	assert_null(find(&one_more, WEIR_FROM_CLIENT));
}

static void a_tuple_that_differs_in_one_field_is_not_found(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 16; n++) {
		struct weir_flow_spec flow = nth(n);

		assert_non_null(weir_flow_insert(&table, &flow));
		for (int side = 0; side <= weir_flow_is_nat(flow.flow_class); side++) {
			for (int field = 0; field < 5; field++) {
				struct weir_tuple tuple = weir_flow_spec_tuple(&flow, side);
				enum weir_direction direction;

				tuple.source.words[3] += field == 0 ? 0x01000000 : 0;
				tuple.destination.words[3] += field == 1 ? 0x01000000 : 0;
				tuple.source_port = (uint16_t)(tuple.source_port + (field == 2));
				tuple.destination_port =
					(uint16_t)(tuple.destination_port + (field == 3) * 20000);
				tuple.protocol = field == 4 ? 17 : tuple.protocol;
				if (field == 2 && side == WEIR_FROM_CLIENT)
					tuple.source_port = (uint16_t)(tuple.source_port + 1000);
				assert_null(weir_flow_lookup(&table, weir_flow_hash(&table, &tuple),
							     &tuple, &direction));
			}
		}
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
		struct weir_flow_spec flow = nth(n);

		assert_ptr_equal(find(&flow, WEIR_FROM_CLIENT), model[n]);
		if (weir_flow_is_nat(flow.flow_class))
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
	assert_int_equal(weir_flow_table_span(&table), 0);
	for (uint32_t b = 0; b < table.index.nb_buckets; b++)
		for (int slot = 0; slot < WEIR_FLOW_BUCKET_SLOTS; slot++)
			assert_int_equal(table.index.buckets[b].tags[slot], 0);
}

// The most that is promised: four fifths of a million NAT flows, every insert succeeds, every flow
// is still there, and none takes more memory than its class may.
static void a_million_flows_are_held_without_a_loss(void **state)
{
	static const enum weir_flow_class classes[] = {WEIR_FLOW_NAT4, WEIR_FLOW_NAT6,
						       WEIR_FLOW_DIRECT4, WEIR_FLOW_DIRECT6};
	static const uint32_t most_bytes[WEIR_FLOW_NB_CLASSES] = {64, 96, 128, 128};
	const uint32_t nb = MILLION / 5 * 4;

	(void)state;
	for (int c = 0; c < 4; c++) {
		uint32_t guessed = 0;

		assert_int_equal(make_table(MILLION), 0);
		for (uint32_t n = 0; n < nb; n++) {
			struct weir_flow_spec flow = nth_of(classes[c], n);

			if (weir_flow_insert(&table, &flow) == NULL)
				fail_msg("flow %u of class %d does not fit", n, classes[c]);
		}
		for (uint32_t n = 0; n < nb; n += 3) {
			struct weir_flow_spec flow = nth_of(classes[c], n);

			assert_non_null(find(&flow, WEIR_FROM_CLIENT));
			guessed += guess(&flow, WEIR_FROM_CLIENT) != NULL;
			if (weir_flow_is_nat(classes[c]))
				assert_non_null(find(&flow, WEIR_FROM_MEMBER));
		}
		assert_in_range(guessed, nb / 3 / 1000 * 998, nb);
		assert_in_range(weir_flow_table_bytes(&table) / nb, 1, most_bytes[classes[c]]);
		free_table(MILLION);
	}
}

static bool keep_known_bindings(const struct weir_flow *flow, void *arg)
{
	(void)arg;
	return flow->binding_id == 0;
}

// A mapping found again: whole entries come back, half-written and unknown ones are freed.
static void recovery_keeps_whole_flows_and_frees_the_rest(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 400; n++) {
		struct weir_flow_spec flow = nth(n);

		flow.binding_id = n % 10 == 9; // forty of them are of a binding nobody knows
		assert_non_null(weir_flow_insert(&table, &flow));
	}
	struct weir_flow_spec gone = nth(0);
	weir_flow_remove(&table, find(&gone, WEIR_FROM_CLIENT));
	struct weir_flow_spec first = nth(2);
	struct weir_flow_spec noise = nth(1002);
	assert_int_equal(first.flow_class, WEIR_FLOW_NAT4);
	assert_int_equal(noise.flow_class, WEIR_FLOW_NAT4);
	uint32_t end = high_water[WEIR_FLOW_NAT4];
	weir_flow_write(weir_flow_at(&table, WEIR_FLOW_NAT4, end), &noise); // no state yet
	struct weir_flow *damaged = weir_flow_at(&table, WEIR_FLOW_NAT4, end + 1);
	weir_flow_write(damaged, &noise);
	damaged->state = 200;
	struct weir_flow *twin = weir_flow_at(&table, WEIR_FLOW_NAT4, end + 2);
	weir_flow_write(twin, &first);
	twin->state = WEIR_FLOW_ESTABLISHED;
	high_water[WEIR_FLOW_NAT4] = end + 3;
	weir_flow_table_destroy(&table);
	assert_int_equal(weir_flow_table_init(&table, &memory, CAPACITY, key), 0);

	assert_int_equal(weir_flow_table_recover(&table, keep_known_bindings, NULL), 359);

	assert_int_equal(weir_flow_table_used(&table), 359);
	for (uint32_t n = 1; n < 400; n++) {
		struct weir_flow_spec flow = nth(n);

		assert_true((find(&flow, WEIR_FROM_CLIENT) != NULL) == (n % 10 != 9));
	}
	assert_null(find(&noise, WEIR_FROM_CLIENT));
	for (uint32_t n = 0; n < CAPACITY - 359; n++) {
		struct weir_flow_spec flow = nth(10000 + n);

		assert_non_null(weir_flow_insert(&table, &flow));
	}
}

static bool keep_all(const struct weir_flow *flow, void *arg)
{
	(void)flow;
	(void)arg;
	return true;
}

static void a_million_flows_are_recovered(void **state)
{
	struct timespec from;
	struct timespec to;
	const uint32_t nb = 1000000;

	(void)state;
	assert_int_equal(make_table(nb / 4 * 5), 0);
	for (uint32_t n = 0; n < nb; n++) {
		struct weir_flow_spec flow = nth_of(WEIR_FLOW_NAT4, n);

		assert_non_null(weir_flow_insert(&table, &flow));
	}
	weir_flow_table_destroy(&table);
	assert_int_equal(weir_flow_table_init(&table, &memory, nb / 4 * 5, key), 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(weir_flow_table_recover(&table, keep_all, NULL), nb);
	clock_gettime(CLOCK_MONOTONIC, &to);
	print_message("%u NAT flows recovered in %ld ms\n", nb,
		      (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000);
	for (uint32_t n = 0; n < nb; n += 7) {
		struct weir_flow_spec flow = nth_of(WEIR_FLOW_NAT4, n);

		assert_non_null(find(&flow, WEIR_FROM_MEMBER));
	}
	free_table(nb / 4 * 5);
}

static void idle_timeouts_keep_their_seconds(void **state)
{
	(void)state;
	assert_int_equal(weir_idle_timeout_s(weir_idle_timeout(0)), 0);
	assert_int_equal(weir_idle_timeout_s(weir_idle_timeout(1)), 1);
	assert_int_equal(weir_idle_timeout_s(weir_idle_timeout(3600)), 3600);
	assert_int_equal(weir_idle_timeout_s(weir_idle_timeout(86400)), 86400);
	assert_int_equal(weir_idle_timeout_s(weir_idle_timeout(UINT32_MAX)),
			 WEIR_MAX_IDLE_TIMEOUT_S);
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
		cmocka_unit_test(a_million_flows_are_held_without_a_loss),
		cmocka_unit_test(a_million_flows_are_recovered),
		cmocka_unit_test(idle_timeouts_keep_their_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
