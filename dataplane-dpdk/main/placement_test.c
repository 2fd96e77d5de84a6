// SPDX-License-Identifier: Apache-2.0

#include "main/placement.h"

#include "tests/cmocka_all.h"

static void workers_beside_the_port_are_not_named(void **state)
{
	const unsigned int lcores[] = {1, 2};
	const int sockets[] = {1, 1};
	const struct weir_placement placement = {1, 2, lcores, sockets};
	char text[16];

	(void)state;
	assert_int_equal(weir_placement_remote(&placement, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(weir_placement_shared(&placement), 1);
}

static void workers_of_another_socket_are_named(void **state)
{
	const unsigned int lcores[] = {1, 2, 17, 18};
	const int sockets[] = {0, 1, 0, 1};
	const struct weir_placement placement = {0, 4, lcores, sockets};
	char text[16];

	(void)state;
	assert_int_equal(weir_placement_remote(&placement, text, sizeof(text)), 2);
	assert_string_equal(text, "2,18");
}

static void a_port_without_a_socket_follows_the_first_worker(void **state)
{
	const unsigned int lcores[] = {3, 4};
	const int sockets[] = {1, 0};
	const struct weir_placement placement = {-1, 2, lcores, sockets};
	char text[16];

	(void)state;
	assert_int_equal(weir_placement_shared(&placement), 1);
	assert_int_equal(weir_placement_remote(&placement, text, sizeof(text)), 1);
	assert_string_equal(text, "4");
}

static void unknown_sockets_are_not_complained_about(void **state)
{
	const unsigned int lcores[] = {1, 2};
	const int sockets[] = {-1, 0};
	const struct weir_placement placement = {-1, 2, lcores, sockets};
	char text[16];

	(void)state;
	assert_int_equal(weir_placement_remote(&placement, text, sizeof(text)), 0);
}

static void a_long_list_is_cut_but_counted(void **state)
{
	const unsigned int lcores[] = {100, 101, 102};
	const int sockets[] = {1, 1, 1};
	const struct weir_placement placement = {0, 3, lcores, sockets};
	char text[6];

	(void)state;
	assert_int_equal(weir_placement_remote(&placement, text, sizeof(text)), 3);
	assert_string_equal(text, "100,1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_beside_the_port_are_not_named),
		cmocka_unit_test(workers_of_another_socket_are_named),
		cmocka_unit_test(a_port_without_a_socket_follows_the_first_worker),
		cmocka_unit_test(unknown_sockets_are_not_complained_about),
		cmocka_unit_test(a_long_list_is_cut_but_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
