// SPDX-License-Identifier: Apache-2.0

#include "flow/snat_ports.h"

#include <errno.h>
#include <string.h>

#include "tests/cmocka_all.h"

enum { ALL_RUNS = -1 };

static const struct weir_address addresses[2] = {
	{.bytes = {[10] = 0xff, 0xff, 10, 9, 31, 0}},
	{.bytes = {[10] = 0xff, 0xff, 10, 9, 31, 1}},
};
static uint8_t seen[2][65536];

static int which(const struct weir_address *address)
{
	return weir_address_equal(address, &addresses[0]) ? 0 : 1;
}

static void every_pair_is_given_once_and_then_exhausted(void **state)
{
	struct weir_snat_ports ports;
	struct weir_address address;
	weir_be16_t port;

	(void)state;
	memset(seen, 0, sizeof(seen));
	assert_int_equal(weir_snat_ports_init(&ports, addresses, 2), 0);
	for (int n = 0; n < 2 * 64512; n++) {
		assert_int_equal(weir_snat_take(&ports, 5, ALL_RUNS, &address, &port), 0);
		assert_in_range(weir_host16(port), WEIR_SNAT_FIRST_PORT, 65535);
		assert_int_equal(seen[which(&address)][weir_host16(port)]++, 0);
	}
	assert_int_equal(weir_snat_take(&ports, 5, ALL_RUNS, &address, &port), -ENOSPC);
	// Another plane, that is another member endpoint, may use the same pairs.
	assert_int_equal(weir_snat_take(&ports, 6, ALL_RUNS, &address, &port), 0);
	weir_snat_give_back(&ports, 5, &addresses[1], weir_be16(33333));
	assert_int_equal(weir_snat_take(&ports, 5, ALL_RUNS, &address, &port), 0);
	assert_true(weir_address_equal(&address, &addresses[1]));
	assert_int_equal(weir_host16(port), 33333);
	weir_snat_ports_destroy(&ports);
}

static void only_ports_of_the_wanted_runs_are_given(void **state)
{
	const uint32_t runs = 1U << 0 | 1U << 7 | 1U << 31;
	struct weir_snat_ports ports;
	struct weir_address address;
	weir_be16_t port;
	uint32_t given = 0;

	(void)state;
	assert_int_equal(weir_snat_ports_init(&ports, addresses, 1), 0);
	for (; weir_snat_take(&ports, 0, runs, &address, &port) == 0; given++)
		assert_true(runs >> weir_host16(port) / WEIR_RSS_PORT_RUN & 1);
	// The first run is the one that holds the ports below WEIR_SNAT_FIRST_PORT.
	assert_int_equal(given, 3 * WEIR_RSS_PORT_RUN - WEIR_SNAT_FIRST_PORT);
	assert_int_equal(weir_snat_take(&ports, 0, ~runs, &address, &port), 0);
	weir_snat_ports_destroy(&ports);
}

static void a_freed_pair_rests_while_others_are_free(void **state)
{
	struct weir_snat_ports ports;
	struct weir_address address;
	struct weir_address first_address;
	weir_be16_t port;
	weir_be16_t first_port;

	(void)state;
	assert_int_equal(weir_snat_ports_init(&ports, addresses, 2), 0);
	assert_int_equal(weir_snat_take(&ports, 0, ALL_RUNS, &first_address, &first_port), 0);
	weir_snat_give_back(&ports, 0, &first_address, first_port);
	for (int n = 0; n < 2000; n++) {
		assert_int_equal(weir_snat_take(&ports, 0, ALL_RUNS, &address, &port), 0);
		assert_false(weir_address_equal(&address, &first_address) && port == first_port);
	}
	weir_snat_ports_destroy(&ports);
}

static void recovered_pairs_are_not_given_again(void **state)
{
	struct weir_snat_ports ports;
	struct weir_address address;
	weir_be16_t port;

	(void)state;
	assert_int_equal(weir_snat_ports_init(&ports, addresses, 1), 0);
	assert_int_equal(weir_snat_mark(&ports, 3, &addresses[0], weir_be16(2000)), 0);
	assert_int_equal(weir_snat_mark(&ports, 3, &addresses[0], weir_be16(2000)), -EEXIST);
	assert_int_equal(weir_snat_mark(&ports, 3, &addresses[1], weir_be16(2000)), -ENOENT);
	assert_int_equal(weir_snat_mark(&ports, 3, &addresses[0], weir_be16(80)), -ENOENT);
	while (weir_snat_take(&ports, 3, ALL_RUNS, &address, &port) == 0)
		assert_int_not_equal(weir_host16(port), 2000);
	weir_snat_ports_destroy(&ports);
}

static void without_addresses_nothing_is_given(void **state)
{
	struct weir_snat_ports ports;
	struct weir_address address;
	weir_be16_t port;

	(void)state;
	assert_int_equal(weir_snat_ports_init(&ports, addresses, 0), 0);
	assert_int_equal(weir_snat_take(&ports, 0, ALL_RUNS, &address, &port), -ENOSPC);
	weir_snat_ports_destroy(&ports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_is_given_once_and_then_exhausted),
		cmocka_unit_test(only_ports_of_the_wanted_runs_are_given),
		cmocka_unit_test(a_freed_pair_rests_while_others_are_free),
		cmocka_unit_test(recovered_pairs_are_not_given_again),
		cmocka_unit_test(without_addresses_nothing_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
