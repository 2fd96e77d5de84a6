// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "gate.h"
#include "heartbeat.h"

#define MS WEIR_NS_PER_MS
#define T0 (1000 * MS)

static const struct weir_gate_limits limits = {.fresh_ns = 200 * MS, .hold_ns = 1000 * MS};

// One look: `at_ms` and `beat_ms` count from T0.
struct look {
	int at_ms;
	bool present;
	uint32_t state;
	int beat_ms;
	bool expect_open;
};

#define MAX_LOOKS 8

struct gate_case {
	const char *description;
	struct look looks[MAX_LOOKS]; // ends with an all-zero element
};

static const struct gate_case cases[] = {
	{"a missing file keeps the gate closed",
	 {{1, false, 0, 0, false}, {5000, false, 0, 0, false}}},
	{"a starting engine does not open it", {{1, true, WEIR_ENGINE_STARTING, 1, false}}},
	{"a ready engine with fresh beats opens it", {{1, true, WEIR_ENGINE_READY, 1, true}}},
	{"a ready engine with a stale beat does not", {{300, true, WEIR_ENGINE_READY, 99, false}}},
	{"a beat exactly as old as the fresh time is fresh",
	 {{300, true, WEIR_ENGINE_READY, 100, true}}},
	{"a beat taken just after our clock reading is fresh",
	 {{1, true, WEIR_ENGINE_READY, 2, true}}},
	{"a beat from the future of another boot is stale",
	 {{1, true, WEIR_ENGINE_READY, 60000, false}}},
	{"a stopping engine closes it at once",
	 {{1, true, WEIR_ENGINE_READY, 1, true}, {20, true, WEIR_ENGINE_STOPPING, 20, false}}},
	{"a dead engine closes it when the hold time after its last beat is over",
	 {{10, true, WEIR_ENGINE_READY, 10, true},
	  {500, true, WEIR_ENGINE_READY, 10, true},
	  {1009, true, WEIR_ENGINE_READY, 10, true},
	  {1010, true, WEIR_ENGINE_READY, 10, false}}},
	{"a removed file closes it after the hold time",
	 {{10, true, WEIR_ENGINE_READY, 10, true},
	  {1000, false, 0, 0, true},
	  {1020, false, 0, 0, false}}},
	{"a restart within the hold time goes unseen",
	 {{10, true, WEIR_ENGINE_READY, 10, true},
	  {400, true, WEIR_ENGINE_STARTING, 10, true},
	  {700, true, WEIR_ENGINE_READY, 690, true},
	  {1100, true, WEIR_ENGINE_READY, 1095, true}}},
	{"the hold time counts from the last life, not from the first",
	 {{10, true, WEIR_ENGINE_READY, 10, true},
	  {700, true, WEIR_ENGINE_READY, 690, true},
	  {1600, true, WEIR_ENGINE_STARTING, 690, true},
	  {1690, true, WEIR_ENGINE_STARTING, 690, false}}},
	{"a start that hangs closes it after the hold time",
	 {{10, true, WEIR_ENGINE_READY, 10, true},
	  {500, true, WEIR_ENGINE_STARTING, 10, true},
	  {1015, true, WEIR_ENGINE_STARTING, 10, false}}},
	{"an engine that comes back opens it again",
	 {{10, true, WEIR_ENGINE_READY, 10, true},
	  {1010, true, WEIR_ENGINE_READY, 10, false},
	  {1500, true, WEIR_ENGINE_STARTING, 10, false},
	  {1600, true, WEIR_ENGINE_READY, 1599, true}}},
	{"a stopping engine's stale file does not open it",
	 {{10, true, WEIR_ENGINE_STOPPING, 10, false},
	  {30, true, WEIR_ENGINE_STOPPING, 10, false}}},
	{"an unknown state counts as away", {{1, true, 17, 1, false}}},
	{"a guard that slept past the hold time trusts what it sees now",
	 {{10, true, WEIR_ENGINE_READY, 10, true}, {9000, true, WEIR_ENGINE_READY, 8990, true}}},
};

static void gate_follows_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct gate_case *c = &cases[i];
		struct weir_gate gate;

		weir_gate_init(&gate, T0);
		assert_false(gate.open);
		for (size_t k = 0; k < MAX_LOOKS && c->looks[k].at_ms != 0; k++) {
			const struct look *look = &c->looks[k];
			const struct weir_heartbeat_sample sample = {
				.present = look->present,
				.state = look->state,
				.engine_start_id = 7,
				.oldest_beat_ns = T0 + (uint64_t)look->beat_ms * MS,
			};
			const bool before = gate.open;
			const uint64_t now = T0 + (uint64_t)look->at_ms * MS;
			const bool changed = weir_gate_step(&gate, &sample, now, &limits);

			if (gate.open != look->expect_open)
				fail_msg("%s: at %d ms the gate is %s", c->description, look->at_ms,
					 gate.open ? "open" : "closed");
			assert_int_equal(changed, before != gate.open);
			if (changed)
				assert_true(gate.since_ns == now);
		}
	}
}

static void gate_remembers_the_engine_it_saw(void **state)
{
	(void)state;
	struct weir_gate gate;
	struct weir_heartbeat_sample sample = {
		.present = true,
		.state = WEIR_ENGINE_READY,
		.engine_start_id = 42,
		.oldest_beat_ns = T0,
	};

	weir_gate_init(&gate, T0);
	assert_true(gate.engine_start_id == 0);
	weir_gate_step(&gate, &sample, T0, &limits);
	sample.present = false;
	sample.engine_start_id = 0;
	weir_gate_step(&gate, &sample, T0 + 5000 * MS, &limits);

	assert_true(gate.engine_start_id == 42);
	assert_false(gate.open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gate_follows_the_table),
		cmocka_unit_test(gate_remembers_the_engine_it_saw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
