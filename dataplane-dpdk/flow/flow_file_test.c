// SPDX-License-Identifier: Apache-2.0

#include "flow/flow_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/cmocka_all.h"

static char dir[] = "/tmp/weir-flow-file-XXXXXX";
static struct weir_flow_file file;

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/weir-flow-file-XXXXXX");
	return mkdtemp(dir) != NULL ? weir_flow_file_open(&file, dir, 1, 1024) : -1;
}

static int tear_down(void **state)
{
	char path[64];

	(void)state;
	weir_flow_file_close(&file);
	snprintf(path, sizeof(path), "%s/flows", dir);
	unlink(path);
	return rmdir(dir);
}

static void a_mapping_found_again_keeps_ids_counters_and_key(void **state)
{
	uint32_t lb = weir_registry_lb(&file, "lb_1", "prj_1");
	uint32_t backend = weir_registry_backend(&file, lb, "pool_1", "mbr_1");
	uint32_t binding = weir_registry_binding(&file, lb, backend, "lst_1");
	uint64_t counters_id = file.header->counters_id;
	uint64_t key = file.header->flow_key[0];

	(void)state;
	assert_false(file.recovered);
	file.counters[0][binding].new_flows = 42;
	*weir_drop_counter(&file, 0, lb, WEIR_DROP_NO_FLOW) = 7;
	weir_flow_file_close(&file);
	assert_int_equal(weir_flow_file_open(&file, dir, 1, 1024), 0);

	assert_true(file.recovered);
	assert_true(file.header->counters_id == counters_id);
	assert_true(file.header->flow_key[0] == key);
	assert_int_equal(weir_registry_lb(&file, "lb_1", "prj_1"), lb);
	assert_int_equal(weir_registry_backend(&file, lb, "pool_1", "mbr_1"), backend);
	assert_int_equal(weir_registry_binding(&file, lb, backend, "lst_1"), binding);
	assert_int_equal(file.counters[0][binding].new_flows, 42);
	assert_int_equal(*weir_drop_counter(&file, 0, lb, WEIR_DROP_NO_FLOW), 7);
}

static void another_shape_begins_anew(void **state)
{
	uint64_t counters_id = file.header->counters_id;

	(void)state;
	weir_registry_lb(&file, "lb_1", "prj_1");
	weir_flow_file_close(&file);
	assert_int_equal(weir_flow_file_open(&file, dir, 2, 1024), 0);

	assert_false(file.recovered);
	assert_false(file.header->counters_id == counters_id);
	assert_int_equal(file.lbs[1].used, 0);
}

static void a_second_engine_is_refused(void **state)
{
	struct weir_flow_file second;

	(void)state;
	assert_int_equal(weir_flow_file_open(&second, dir, 1, 1024), -EWOULDBLOCK);
}

static void an_id_is_not_used_again_while_a_flow_holds_it(void **state)
{
	uint32_t lb = weir_registry_lb(&file, "lb_1", "prj_1");

	(void)state;
	for (uint32_t n = 0; n < WEIR_MAX_BACKENDS; n++) {
		char member[WEIR_ID_SIZE];

		snprintf(member, sizeof(member), "mbr_%u", n);
		assert_int_equal(weir_registry_backend(&file, lb, "pool_1", member), n);
	}
	assert_int_equal(weir_registry_backend(&file, lb, "pool_1", "mbr_new"), WEIR_ID_NONE);
	uint32_t binding = weir_registry_binding(&file, lb, 5, "lst_1");
	file.counters[0][binding].held_flows = 1;
	file.backends[5].released_at = 100; // longer ago, but a flow is left
	file.backends[9].released_at = 200;
	assert_int_equal(weir_registry_backend(&file, lb, "pool_1", "mbr_new"), 9);
	assert_int_equal(weir_registry_backend(&file, lb, "pool_1", "mbr_newer"), WEIR_ID_NONE);
	file.counters[0][binding].held_flows = 0;
	assert_int_equal(weir_registry_backend(&file, lb, "pool_1", "mbr_newer"), 5);
	assert_int_equal(file.bindings[binding].used, 0);
}

static void a_deleted_load_balancer_gives_its_ids_back(void **state)
{
	uint32_t backend = 0;

	(void)state;
	for (uint32_t n = 1; n < WEIR_MAX_LBS; n++) {
		char id[WEIR_ID_SIZE];

		snprintf(id, sizeof(id), "lb_%u", n);
		assert_int_equal(weir_registry_lb(&file, id, "prj_1"), n);
		backend = weir_registry_backend(&file, n, "pool_1", "mbr_1");
		weir_registry_binding(&file, n, backend, "lst_1");
	}
	assert_int_equal(weir_registry_lb(&file, "lb_new", "prj_1"), WEIR_ID_NONE);
	file.lbs[77].released_at = 100;
	assert_int_equal(weir_registry_lb(&file, "lb_new", "prj_1"), 77);
	assert_int_equal(file.backends[76].used, 0);
	assert_int_equal(file.backends[75].used, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_mapping_found_again_keeps_ids_counters_and_key,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_shape_begins_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_second_engine_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_id_is_not_used_again_while_a_flow_holds_it,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_deleted_load_balancer_gives_its_ids_back, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
