// SPDX-License-Identifier: Apache-2.0

#include "flow/snat_ports.h"

#include <errno.h>
#include <string.h>

#include "tests/cmocka_all.h"

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
	assert_int_equal(weir_snat_ports_init(&ports, addresses, 2, 0, 1), 0);
	for (int n = 0; n < 2 * 64512; n++) {
		assert_int_equal(weir_snat_take(&ports, 5, &address, &port), 0);
		assert_in_range(weir_host16(port), WEIR_SNAT_FIRST_PORT, 65535);
		assert_int_equal(seen[which(&address)][weir_host16(port)]++, 0);
	}
	assert_int_equal(weir_snat_take(&ports, 5, &address, &port), -ENOSPC);
	// Another plane, that is another member endpoint, may use the same pairs.
	assert_int_equal(weir_snat_take(&ports, 6, &address, &port), 0);
	weir_snat_give_back(&ports, 5, &addresses[1], weir_be16(33333));
	assert_int_equal(weir_snat_take(&ports, 5, &address, &port), 0);
	assert_true(weir_address_equal(&address, &addresses[1]));
	assert_int_equal(weir_host16(port), 33333);
	weir_snat_ports_destroy(&ports);
}

static void workers_own_disjoint_ports_that_cover_all(void **state)
{
	(void)state;
	for (uint32_t nb = 1; nb <= 32; nb++) {
		memset(seen, 0, sizeof(seen));
		for (uint32_t w = 0; w < nb; w++) {
			struct weir_snat_ports ports;
			struct weir_address address;
			weir_be16_t port;

			assert_int_equal(weir_snat_ports_init(&ports, addresses, 1, w, nb), 0);
			while (weir_snat_take(&ports, 0, &address, &port) == 0) {
				assert_int_equal(weir_snat_owner(port, nb), w);
				assert_int_equal(seen[0][weir_host16(port)]++, 0);
			}
			weir_snat_ports_destroy(&ports);
		}
		for (uint32_t port = WEIR_SNAT_FIRST_PORT; port < 65536; port++)
			assert_int_equal(seen[0][port], 1);
	}
}

static void a_freed_pair_rests_while_others_are_free(void **state)
{
	struct weir_snat_ports ports;
	struct weir_address address;
	struct weir_address first_address;
	weir_be16_t port;
	weir_be16_t first_port;

	(void)state;
	assert_int_equal(weir_snat_ports_init(&ports, addresses, 2, 0, 1), 0);
	assert_int_equal(weir_snat_take(&ports, 0, &first_address, &first_port), 0);
	weir_snat_give_back(&ports, 0, &first_address, first_port);
	for (int n = 0; n < 2000; n++) {
		assert_int_equal(weir_snat_take(&ports, 0, &address, &port), 0);
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
	assert_int_equal(weir_snat_ports_init(&ports, addresses, 1, 0, 1), 0);
	assert_int_equal(weir_snat_mark(&ports, 3, &addresses[0], weir_be16(2000)), 0);
	assert_int_equal(weir_snat_mark(&ports, 3, &addresses[0], weir_be16(2000)), -EEXIST);
	assert_int_equal(weir_snat_mark(&ports, 3, &addresses[1], weir_be16(2000)), -ENOENT);
	assert_int_equal(weir_snat_mark(&ports, 3, &addresses[0], weir_be16(80)), -ENOENT);
	while (weir_snat_take(&ports, 3, &address, &port) == 0)
		assert_int_not_equal(weir_host16(port), 2000);
	weir_snat_ports_destroy(&ports);
}

static void without_addresses_nothing_is_given(void **state)
{
	struct weir_snat_ports ports;
	struct weir_address address;
	weir_be16_t port;

	(void)state;
	assert_int_equal(weir_snat_ports_init(&ports, addresses, 0, 0, 1), 0);
	assert_int_equal(weir_snat_take(&ports, 0, &address, &port), -ENOSPC);
	weir_snat_ports_destroy(&ports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_is_given_once_and_then_exhausted),
		cmocka_unit_test(workers_own_disjoint_ports_that_cover_all),
		cmocka_unit_test(a_freed_pair_rests_while_others_are_free),
		cmocka_unit_test(recovered_pairs_are_not_given_again),
		cmocka_unit_test(without_addresses_nothing_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
