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

static uint32_t binding_of(uint32_t lb_id, uint32_t backend_id, const char *listener_id)
{
	const struct weir_target target = {.lb_id = lb_id, .backend_id = backend_id};

	return weir_registry_binding(&file, listener_id, &target);
}

static bool keep_none(const struct weir_flow *flow, void *arg)
{
	(void)flow;
	(void)arg;
	return false;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/weir-flow-file-XXXXXX");
	return mkdtemp(dir) != NULL ? weir_flow_file_open(&file, dir, 1, 1024, WEIR_KEEP_FLOWS)
				    : -1;
}

static int tear_down(void **state)
{
	char path[64];

	(void)state;
	weir_flow_file_close(&file);
	snprintf(path, sizeof(path), "%s/flows", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/maglev", dir);
	unlink(path);
	return rmdir(dir);
}

static void a_mapping_found_again_keeps_ids_counters_and_key(void **state)
{
	uint32_t lb = weir_registry_lb(&file, "lb_1", "prj_1");
	uint32_t backend = weir_registry_backend(&file, lb, "pool_1", "mbr_1");
	uint32_t binding = binding_of(lb, backend, "lst_1");
	uint64_t counters_id = file.header->counters_id;
	uint64_t key = file.header->flow_key[0];

	(void)state;
	assert_false(file.recovered);
	file.counters[0][binding].new_flows = 42;
	*weir_drop_counter(&file, 0, lb, WEIR_DROP_NO_FLOW) = 7;
	weir_flow_file_close(&file);
	assert_int_equal(weir_flow_file_open(&file, dir, 1, 1024, WEIR_KEEP_FLOWS), 0);

	assert_true(file.recovered);
	assert_true(file.header->counters_id == counters_id);
	assert_true(file.header->flow_key[0] == key);
	assert_int_equal(weir_registry_lb(&file, "lb_1", "prj_1"), lb);
	assert_int_equal(weir_registry_backend(&file, lb, "pool_1", "mbr_1"), backend);
	assert_int_equal(binding_of(lb, backend, "lst_1"), binding);
	assert_int_equal(file.counters[0][binding].new_flows, 42);
	assert_int_equal(*weir_drop_counter(&file, 0, lb, WEIR_DROP_NO_FLOW), 7);
}

static void another_shape_begins_anew(void **state)
{
	uint64_t counters_id = file.header->counters_id;

	(void)state;
	weir_registry_lb(&file, "lb_1", "prj_1");
	weir_flow_file_close(&file);
	assert_int_equal(weir_flow_file_open(&file, dir, 2, 1024, WEIR_KEEP_FLOWS), 0);

	assert_false(file.recovered);
	assert_false(file.header->counters_id == counters_id);
	assert_int_equal(file.lbs[1].used, 0);
}

// Flows are never dropped silently: a file that holds some is given up only when that is wished.
static void another_shape_with_flows_is_refused(void **state)
{
	struct weir_flow_table table;
	struct weir_flow_memory memory = weir_flow_file_memory(&file, 0);
	struct weir_flow_spec flow = {.flow_class = WEIR_FLOW_NAT6, .state = WEIR_FLOW_UDP};

	(void)state;
	assert_int_equal(weir_flow_table_init(&table, &memory, 1024, file.header->flow_key), 0);
	struct weir_flow *entry = weir_flow_insert(&table, &flow);
	assert_non_null(entry);
	weir_flow_file_close(&file);
	assert_int_equal(weir_flow_file_open(&file, dir, 2, 1024, WEIR_KEEP_FLOWS), -EBUSY);
	assert_int_equal(weir_flow_file_open(&file, dir, 1, 1024, WEIR_KEEP_FLOWS), 0);
	assert_true(file.recovered);

	// Once the last flow has gone nothing stands in the way.
	weir_flow_table_destroy(&table);
	memory = weir_flow_file_memory(&file, 0);
	assert_int_equal(weir_flow_table_init(&table, &memory, 1024, file.header->flow_key), 0);
	assert_int_equal(weir_flow_table_recover(&table, keep_none, NULL), 0);
	weir_flow_table_destroy(&table);
	weir_flow_file_close(&file);
	assert_int_equal(weir_flow_file_open(&file, dir, 2, 1024, WEIR_KEEP_FLOWS), 0);
	assert_false(file.discarded);
}

static void another_layout_is_refused_unless_its_flows_may_go(void **state)
{
	(void)state;
	file.header->layout = 1; // nobody knows what it holds
	weir_flow_file_close(&file);
	assert_int_equal(weir_flow_file_open(&file, dir, 1, 1024, WEIR_KEEP_FLOWS), -EBUSY);
	assert_int_equal(weir_flow_file_open(&file, dir, 1, 1024, WEIR_DISCARD_FLOWS), 0);
	assert_true(file.discarded);
	assert_false(file.recovered);
	file.header->layout = 1;
	file.header->boot_id ^= 1; // before the reboot: there are no flows of then
	weir_flow_file_close(&file);
	assert_int_equal(weir_flow_file_open(&file, dir, 1, 1024, WEIR_KEEP_FLOWS), 0);
	assert_false(file.recovered);
	assert_false(file.discarded);
}

// A member that moves: new flows are counted apart, old ones keep where they go.
static void a_binding_is_one_of_a_target(void **state)
{
	struct weir_target target = {.lb_id = weir_registry_lb(&file, "lb_1", "prj_1"),
				     .backend_id = 0,
				     .member_address = weir_address_v4(0x0100000a)};

	(void)state;
	target.backend_id = weir_registry_backend(&file, target.lb_id, "pool_1", "mbr_1");
	uint32_t before = weir_registry_binding(&file, "lst_1", &target);
	target.member_address = weir_address_v4(0x0200000a);
	uint32_t after = weir_registry_binding(&file, "lst_1", &target);
	assert_int_not_equal(before, after);
	assert_int_equal(weir_registry_binding(&file, "lst_1", &target), after);
	assert_int_equal(weir_address_to_v4(&file.targets[before].member_address), 0x0100000a);
}

static void a_second_engine_is_refused(void **state)
{
	struct weir_flow_file second;

	(void)state;
	assert_int_equal(weir_flow_file_open(&second, dir, 1, 1024, WEIR_KEEP_FLOWS), -EWOULDBLOCK);
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
	uint32_t binding = binding_of(lb, 5, "lst_1");
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
		binding_of(n, backend, "lst_1");
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
		cmocka_unit_test_setup_teardown(another_shape_with_flows_is_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(another_layout_is_refused_unless_its_flows_may_go,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_binding_is_one_of_a_target, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_second_engine_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_id_is_not_used_again_while_a_flow_holds_it,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_deleted_load_balancer_gives_its_ids_back, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
