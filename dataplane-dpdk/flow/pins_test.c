// SPDX-License-Identifier: Apache-2.0

#include "flow/pins.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/cmocka_all.h"

static const uint64_t key[2] = {3, 4};
static char dir[] = "/tmp/weir-pins-XXXXXX";

static uint64_t name_of(const struct weir_pins *pins, uint64_t pool, uint32_t host)
{
	struct weir_address address = weir_address_v4(weir_be32(host));

	return weir_pins_name(pins, pool, &address);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_dir(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/pins", dir);
	unlink(path);
	return rmdir(dir);
}

static void a_pin_holds_until_its_time(void **state)
{
	struct weir_pins pins;

	(void)state;
	assert_int_equal(weir_pins_open(&pins, dir, 1, key), 0);
	uint64_t name = name_of(&pins, 1, 7);
	assert_int_equal(weir_pins_find(&pins, name, 100), UINT32_MAX);
	weir_pins_set(&pins, name, 42, 100, 200);
	assert_int_equal(weir_pins_find(&pins, name, 200), 42);
	assert_int_equal(weir_pins_find(&pins, name, 201), UINT32_MAX);
	weir_pins_set(&pins, name, 42, 150, 300);
	assert_int_equal(weir_pins_find(&pins, name, 300), 42);
	weir_pins_set(&pins, name, 43, 150, 301); // its member left, another one serves
	assert_int_equal(weir_pins_find(&pins, name, 160), 43);
	assert_int_equal(weir_pins_find(&pins, name_of(&pins, 2, 7), 160), UINT32_MAX);
	weir_pins_close(&pins);
}

static void pins_outlive_the_process_but_not_their_flow_file(void **state)
{
	struct weir_pins pins;

	(void)state;
	assert_int_equal(weir_pins_open(&pins, dir, 2, key), 0);
	uint64_t name = name_of(&pins, 1, 9);
	weir_pins_set(&pins, name, 5, 0, 100);
	weir_pins_close(&pins);
	assert_int_equal(weir_pins_open(&pins, dir, 2, key), 0);
	assert_int_equal(weir_pins_find(&pins, name, 50), 5);
	weir_pins_close(&pins);
	assert_int_equal(weir_pins_open(&pins, dir, 3, key), 0);
	assert_int_equal(weir_pins_find(&pins, name, 50), UINT32_MAX);
	weir_pins_close(&pins);
}

// Twice as many sources as slots: the table stays bounded and keeps those that were pinned last.
static void a_full_table_keeps_the_pins_that_last_longest(void **state)
{
	const uint32_t nb = WEIR_PINS_NB * 2;
	struct weir_pins pins;
	uint32_t kept = 0;

	(void)state;
	assert_int_equal(weir_pins_open(&pins, dir, 4, key), 0);
	for (uint32_t i = 0; i < nb; i++)
		weir_pins_set(&pins, name_of(&pins, 1, i), i, i / 1024, i / 1024 + 10000);
	for (uint32_t i = nb - WEIR_PINS_NB / 2; i < nb; i++)
		kept += weir_pins_find(&pins, name_of(&pins, 1, i), nb / 1024) == i;
	assert_true(kept > WEIR_PINS_NB / 2 * 97 / 100);
	weir_pins_close(&pins);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pin_holds_until_its_time),
		cmocka_unit_test(pins_outlive_the_process_but_not_their_flow_file),
		cmocka_unit_test(a_full_table_keeps_the_pins_that_last_longest),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
