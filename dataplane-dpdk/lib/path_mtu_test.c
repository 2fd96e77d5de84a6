// SPDX-License-Identifier: Apache-2.0

#include "lib/path_mtu.h"

#include "tests/cmocka_all.h"

static struct weir_path_mtus mtus;

static int forget_all(void **state)
{
	(void)state;
	memset(&mtus, 0, sizeof(mtus));
	return 0;
}

static struct weir_address member(uint32_t n)
{
	return weir_address_v4(weir_be32(0x0a010000 + n));
}

static void a_path_is_known_until_it_ages(void **state)
{
	struct weir_address one = member(1);
	struct weir_address two = member(2);

	(void)state;
	assert_int_equal(weir_path_mtu_get(&mtus, &one, 5), 0);
	assert_int_equal(weir_path_mtu_learn(&mtus, &one, 1400, 5), 1400);
	assert_int_equal(weir_path_mtu_get(&mtus, &one, 5 + WEIR_PATH_MTU_TICKS), 1400);
	assert_int_equal(weir_path_mtu_get(&mtus, &one, 6 + WEIR_PATH_MTU_TICKS), 0);
	assert_int_equal(weir_path_mtu_get(&mtus, &two, 5), 0);
}

static void an_mtu_only_falls(void **state)
{
	struct weir_address one = member(1);

	(void)state;
	assert_int_equal(weir_path_mtu_learn(&mtus, &one, 1400, 5), 1400);
	assert_int_equal(weir_path_mtu_learn(&mtus, &one, 1450, 6), 1400);
	assert_int_equal(weir_path_mtu_learn(&mtus, &one, 1300, 7), 1300);
	assert_int_equal(weir_path_mtu_get(&mtus, &one, 8), 1300);
	assert_int_equal(weir_path_mtu_learn(&mtus, &one, 1450, 8 + WEIR_PATH_MTU_TICKS), 1450);
}

static void no_mtu_falls_below_what_every_path_carries(void **state)
{
	static const uint8_t bytes[16] = {0xfd, [15] = 1};
	struct weir_address v4 = member(1);
	struct weir_address v6 = weir_address_v6(bytes);

	(void)state;
	assert_int_equal(weir_path_mtu_learn(&mtus, &v4, 0, 5), 576);
	assert_int_equal(weir_path_mtu_learn(&mtus, &v6, 68, 5), 1280);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_path_is_known_until_it_ages, forget_all),
		cmocka_unit_test_setup(an_mtu_only_falls, forget_all),
		cmocka_unit_test_setup(no_mtu_falls_below_what_every_path_carries, forget_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
