// SPDX-License-Identifier: Apache-2.0

#include "lib/fragment_cache.h"

#include <stdlib.h>

#include "tests/cmocka_all.h"

enum { HOLD = 100, REMEMBER = 2000 };

static const uint64_t secret[2] = {1, 2};
static struct weir_fragment_cache cache;

static struct weir_fragment_key key_of(uint32_t id)
{
	return (struct weir_fragment_key){.source = weir_address_v4(0x070200c0),
					  .destination = weir_address_v4(0x0a7100cb),
					  .id = id,
					  .protocol = 17};
}

static int empty_cache(void **state)
{
	(void)state;
	weir_fragment_cache_init(&cache, HOLD, REMEMBER);
	return 0;
}

static struct weir_fragment_entry *learn(uint32_t id, uint64_t now)
{
	struct weir_fragment_key key = key_of(id);

	return weir_fragment_learn(&cache, weir_fragment_hash(secret, &key), &key, now);
}

static struct weir_fragment_entry *find(uint32_t id, uint64_t now)
{
	struct weir_fragment_key key = key_of(id);

	return weir_fragment_find(&cache, weir_fragment_hash(secret, &key), &key, now);
}

static void ports_are_remembered_for_their_time(void **state)
{
	(void)state;
	learn(1, 10)->source_port = 5;
	assert_int_equal(find(1, 10 + REMEMBER - 1)->source_port, 5);
	assert_null(find(2, 11));
	assert_null(find(1, 10 + REMEMBER));
}

static void a_second_first_fragment_keeps_what_was_learnt(void **state)
{
	(void)state;
	learn(1, 10)->new_id = 77;
	assert_int_equal(learn(1, 500)->new_id, 77);
	assert_non_null(find(1, 500 + REMEMBER - 1));
	// The id comes round again.
	assert_int_equal(learn(1, 500 + REMEMBER)->new_id, 0);
}

static void every_part_of_the_key_counts(void **state)
{
	struct weir_fragment_key key = key_of(1);
	struct weir_fragment_key others[4] = {key, key, key, key};

	(void)state;
	(void)learn(1, 10);
	others[0].source = weir_address_v4(1);
	others[1].destination = weir_address_v4(1);
	others[2].id = 2;
	others[3].protocol = 6;
	for (int i = 0; i < 4; i++) {
		// With the hash of the one that is there: the whole key is compared.
		assert_null(weir_fragment_find(&cache, weir_fragment_hash(secret, &key), &others[i],
					       10));
		assert_int_not_equal(weir_fragment_hash(secret, &key),
				     weir_fragment_hash(secret, &others[i]));
	}
}

static void the_oldest_of_a_set_gives_way(void **state)
{
	uint32_t ids[WEIR_FRAGMENT_WAYS + 1];
	uint32_t nb = 0;

	(void)state;
	for (uint32_t id = 0; nb <= WEIR_FRAGMENT_WAYS; id++) {
		struct weir_fragment_key key = key_of(id);

		if (weir_fragment_hash(secret, &key) % WEIR_FRAGMENT_SETS == 3)
			ids[nb++] = id;
	}
	for (uint32_t i = 0; i <= WEIR_FRAGMENT_WAYS; i++)
		(void)learn(ids[i], 10 + i);
	assert_null(find(ids[0], 20));
	for (uint32_t i = 1; i <= WEIR_FRAGMENT_WAYS; i++)
		assert_non_null(find(ids[i], 20));
}

static void held_fragments_come_back_in_order(void **state)
{
	struct weir_fragment_key one = key_of(1);
	struct weir_fragment_key two = key_of(2);
	int packets[4];

	(void)state;
	assert_true(weir_fragment_hold(&cache, &one, &packets[0], 10));
	assert_true(weir_fragment_hold(&cache, &two, &packets[1], 10));
	assert_true(weir_fragment_hold(&cache, &one, &packets[2], 11));
	assert_ptr_equal(weir_fragment_take(&cache, &one), &packets[0]);
	assert_ptr_equal(weir_fragment_take(&cache, &one), &packets[2]);
	assert_null(weir_fragment_take(&cache, &one));
	assert_null(weir_fragment_expired(&cache, 10 + HOLD - 1));
	assert_ptr_equal(weir_fragment_expired(&cache, 10 + HOLD), &packets[1]);
	assert_null(weir_fragment_expired(&cache, 10 + HOLD));
	assert_null(weir_fragment_take(&cache, &two));
}

static void no_more_are_held_than_there_is_room_for(void **state)
{
	struct weir_fragment_key key = key_of(1);
	int packet;

	(void)state;
	for (int turn = 0; turn < 3; turn++) {
		for (int i = 0; i < WEIR_FRAGMENT_HELD; i++)
			assert_true(weir_fragment_hold(&cache, &key, &packet, 10));
		assert_false(weir_fragment_hold(&cache, &key, &packet, 10));
		for (int i = 0; i < WEIR_FRAGMENT_HELD; i++)
			assert_non_null(turn == 1 ? weir_fragment_take(&cache, &key)
						  : weir_fragment_expired(&cache, 10 + HOLD));
		assert_null(weir_fragment_expired(&cache, 10 + HOLD));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ports_are_remembered_for_their_time, empty_cache),
		cmocka_unit_test_setup(a_second_first_fragment_keeps_what_was_learnt, empty_cache),
		cmocka_unit_test_setup(every_part_of_the_key_counts, empty_cache),
		cmocka_unit_test_setup(the_oldest_of_a_set_gives_way, empty_cache),
		cmocka_unit_test_setup(held_fragments_come_back_in_order, empty_cache),
		cmocka_unit_test_setup(no_more_are_held_than_there_is_room_for, empty_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
