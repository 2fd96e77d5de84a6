// SPDX-License-Identifier: Apache-2.0
//
// Which member a flow goes to: real configurations and the workers' own weir_select(), without
// packets or ports.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "datapath/datapath.h"
#include "lib/maglev.h"
#include "lib/sha256.h"
#include "tests/cmocka_all.h"

enum { MAX_MEMBERS = 128, MAX_WORKERS = 4 };

#define SECOND INT64_C(1000000)
#define NOW    (INT64_C(1700000000) * SECOND)

static struct weir_engine engine;
static struct weir_prefix_lists lists;
static char dir[] = "/tmp/weir-selection-XXXXXX";

// configuration

struct pool_spec {
	Weir__V1__Algorithm algorithm;
	Weir__V1__ForwardingMode mode; // 0: dnat
	uint32_t nb_members;
	uint32_t weights[MAX_MEMBERS]; // 0: 1; UINT32_MAX: 0
	uint32_t priorities[MAX_MEMBERS];
	int64_t serving_since[MAX_MEMBERS];
	bool v6[MAX_MEMBERS];
	uint32_t minimum_healthy;
	Weir__V1__WhenAllUnhealthy when_all_unhealthy;
	uint32_t slow_start_s;
	uint32_t persistence_s;
	uint32_t prefix_length;
	const char *allowed_list;
	const char *denied_list;
};

struct verdicts {
	uint32_t nb_unhealthy;
	char *unhealthy[MAX_MEMBERS];
	uint32_t nb_recovered;
	struct weir_recovered recovered[MAX_MEMBERS];
};

static char member_ids[MAX_MEMBERS][16];

static struct weir_lb *try_build(const struct pool_spec *spec, const struct verdicts *verdicts,
				 const struct weir_lb *old, int64_t now, struct weir_reject *reject)
{
	static uint8_t packed[65536];
	static Weir__V1__Member members[MAX_MEMBERS];
	static Weir__V1__Member *member_list[MAX_MEMBERS];
	static uint8_t addresses[MAX_MEMBERS][16];
	Weir__V1__LoadBalancerConfig config = WEIR__V1__LOAD_BALANCER_CONFIG__INIT;
	Weir__V1__Listener listeners[2];
	Weir__V1__Listener *listener_list[] = {&listeners[0], &listeners[1]};
	Weir__V1__PortRange ranges[2] = {WEIR__V1__PORT_RANGE__INIT, WEIR__V1__PORT_RANGE__INIT};
	Weir__V1__PortRange *range_lists[2] = {&ranges[0], &ranges[1]};
	Weir__V1__SourcePersistence persistence = WEIR__V1__SOURCE_PERSISTENCE__INIT;
	Weir__V1__Pool pool = WEIR__V1__POOL__INIT;
	Weir__V1__Pool *pools[] = {&pool};
	char *allowed[] = {(char *)(uintptr_t)spec->allowed_list};
	char *denied[] = {(char *)(uintptr_t)spec->denied_list};
	struct weir_lb *lb = NULL;

	for (uint32_t i = 0; i < spec->nb_members; i++) {
		weir__v1__member__init(&members[i]);
		snprintf(member_ids[i], sizeof(member_ids[i]), "mbr_%u", i);
		members[i].member_id = member_ids[i];
		memset(addresses[i], 0, 16);
		addresses[i][0] = spec->v6[i] ? 0x20 : 10;
		addresses[i][spec->v6[i] ? 15 : 3] = (uint8_t)(i + 1);
		members[i].address = (ProtobufCBinaryData){spec->v6[i] ? 16 : 4, addresses[i]};
		members[i].weight = spec->weights[i] == 0            ? 1
				    : spec->weights[i] == UINT32_MAX ? 0
								     : spec->weights[i];
		members[i].priority = spec->priorities[i];
		members[i].serving_since_us = spec->serving_since[i];
		members[i].enabled = true;
		member_list[i] = &members[i];
	}
	pool.pool_id = (char *)"pool";
	pool.algorithm = spec->algorithm;
	pool.forwarding_mode =
		spec->mode != 0 ? spec->mode : WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_DNAT;
	pool.members = member_list;
	pool.n_members = spec->nb_members;
	pool.maglev_table_size = 16381;
	pool.drain_timeout_s = 60;
	pool.slow_start_s = spec->slow_start_s;
	pool.minimum_healthy = spec->minimum_healthy;
	pool.when_all_unhealthy = spec->when_all_unhealthy;
	persistence.timeout_s = spec->persistence_s;
	persistence.ipv4_prefix_length = spec->prefix_length;
	// Passive FTP: the control connection's port, and any other for data.
	ranges[0].first = ranges[0].last = 21;
	ranges[1].first = 1024;
	ranges[1].last = 65535;
	for (int i = 0; i < 2; i++) {
		weir__v1__listener__init(&listeners[i]);
		listeners[i].listener_id = (char *)(uintptr_t)(i == 0 ? "control" : "data");
		listeners[i].protocol = WEIR__V1__PROTOCOL__PROTOCOL_TCP;
		listeners[i].port_ranges = &range_lists[i];
		listeners[i].n_port_ranges = 1;
		listeners[i].pool_id = (char *)"pool";
		listeners[i].enabled = true;
		listeners[i].source_persistence = spec->persistence_s > 0 ? &persistence : NULL;
		listeners[i].allowed_prefix_list_ids = allowed;
		listeners[i].n_allowed_prefix_list_ids = spec->allowed_list != NULL;
		listeners[i].denied_prefix_list_ids = denied;
		listeners[i].n_denied_prefix_list_ids = spec->denied_list != NULL;
	}
	config.load_balancer_id = (char *)"lb";
	config.project_id = (char *)"project";
	config.enabled = true;
	config.listeners = listener_list;
	config.n_listeners = 2;
	config.pools = pools;
	config.n_pools = 1;
	struct weir_lb_input input = {
		.raw = {packed, weir__v1__load_balancer_config__pack(&config, packed)},
		.old = old,
		.prefix_lists = &lists,
		.now_us = now,
	};
	if (verdicts != NULL) {
		input.unhealthy = verdicts->unhealthy;
		input.nb_unhealthy = verdicts->nb_unhealthy;
		input.recovered = verdicts->recovered;
		input.nb_recovered = verdicts->nb_recovered;
	}
	return weir_lb_build(&engine.file, &input, &lb, reject) == 0 ? lb : NULL;
}

static struct weir_lb *build(const struct pool_spec *spec, const struct verdicts *verdicts,
			     const struct weir_lb *old, int64_t now)
{
	struct weir_reject reject = {0};
	struct weir_lb *lb = try_build(spec, verdicts, old, now, &reject);

	if (lb == NULL)
		fail_msg("refused: %s", reject.reason);
	return lb;
}

static const struct weir_serving *serving_of(const struct weir_lb *lb)
{
	return lb->pools[0].serving[WEIR_V4];
}

static struct weir_packet packet_from(uint32_t client, uint16_t client_port, uint16_t port)
{
	return (struct weir_packet){
		.source = weir_address_v4(weir_be32(client)),
		.destination = weir_address_v4(weir_be32(0xcb00710a)),
		.source_port = weir_be16(client_port),
		.destination_port = weir_be16(port),
		.family = 4,
		.protocol = WEIR_IP_TCP,
		.tcp_flags = WEIR_TCP_SYN,
	};
}

// `n` workers without a flow.
static void workers_reset(uint32_t n)
{
	engine.nb_workers = n;
	for (uint32_t w = 0; w < MAX_WORKERS; w++) {
		struct weir_worker *worker = &engine.workers[w];

		worker->engine = &engine;
		worker->index = w;
		worker->rng = 1 + w;
		worker->now = 1000;
		worker->now_ms = 1;
		if (worker->loads == NULL)
			worker->loads = calloc(WEIR_MAX_BACKENDS, sizeof(*worker->loads));
		memset(worker->loads, 0, WEIR_MAX_BACKENDS * sizeof(*worker->loads));
		for (uint32_t id = 0; id < MAX_MEMBERS * 2; id++)
			engine.file.backend_active[w][id] = 0;
	}
}

static uint64_t active(const struct weir_lb *lb, uint32_t i)
{
	uint64_t sum = 0;

	for (uint32_t w = 0; w < engine.nb_workers; w++)
		sum += engine.file.backend_active[w][lb->pools[0].backends[i].backend_id];
	return sum;
}

static void begin(const struct weir_lb *lb, uint32_t w, uint32_t n)
{
	struct weir_packet packet = packet_from(n, 1, 21);
	int index = weir_select(&engine.workers[w], &lb->listeners[0], &packet);

	assert_true(index >= 0);
	engine.file.backend_active[w][lb->pools[0].backends[index].backend_id]++;
}

static void millisecond(void)
{
	for (uint32_t w = 0; w < engine.nb_workers; w++)
		engine.workers[w].now_ms++;
}

// Begins flows, 200 of them in each millisecond; uneven: four of five at the first worker. From
// the second half on a flow of a random member ends for each that begins.
static void load(const struct weir_lb *lb, uint32_t nb, bool uneven)
{
	uint32_t x = 12345;

	for (uint32_t n = 0; n < nb; n++) {
		x = x * 1664525 + 1013904223;
		uint32_t w = (x >> 8) % engine.nb_workers;

		if (uneven && (x >> 24) % 5 != 0)
			w = 0;
		begin(lb, w, n);
		if (n > nb / 2) {
			uint32_t member = (x >> 4) % lb->pools[0].nb_configured;
			uint64_t *count =
				&engine.file
					 .backend_active[w]
							[lb->pools[0].backends[member].backend_id];

			*count -= *count > 0;
		}
		if (n % 200 == 0)
			millisecond();
	}
}

// tests

static void least_connections_spread_over_any_number_of_members_and_workers(void **state)
{
	static const uint32_t nbs[] = {2, 3, 10, 16, 17, 60, 128};

	(void)state;
	for (uint32_t workers = 1; workers <= MAX_WORKERS; workers++) {
		for (size_t n = 0; n < sizeof(nbs) / sizeof(nbs[0]); n++) {
			for (int uneven = 0; uneven < 2; uneven++) {
				struct pool_spec spec = {
					.algorithm =
						WEIR__V1__ALGORITHM__ALGORITHM_LEAST_CONNECTIONS,
					.nb_members = nbs[n]};
				struct weir_lb *lb = build(&spec, NULL, NULL, NOW);
				uint64_t least = UINT64_MAX;
				uint64_t most = 0;
				uint64_t total = 0;

				workers_reset(workers);
				load(lb, nbs[n] * 400, uneven);
				for (uint32_t i = 0; i < nbs[n]; i++) {
					uint64_t flows = active(lb, i);

					total += flows;
					least = flows < least ? flows : least;
					most = flows > most ? flows : most;
				}
				if (most - least > total / nbs[n] / 20 + workers)
					fail_msg("%u workers, %u members, uneven %d: %lu to %lu",
						 workers, nbs[n], uneven, least, most);
				weir_lb_release(lb);
			}
		}
	}
}

static void weighted_least_connections_follow_the_weights(void **state)
{
	struct pool_spec spec = {.algorithm =
					 WEIR__V1__ALGORITHM__ALGORITHM_WEIGHTED_LEAST_CONNECTIONS,
				 .nb_members = 4,
				 .weights = {1, 2, 5, 2}};
	struct weir_lb *lb = build(&spec, NULL, NULL, NOW);

	(void)state;
	workers_reset(3);
	for (uint32_t n = 0; n < 10000; n++) {
		begin(lb, n % 3, n);
		if (n % 200 == 0)
			millisecond();
	}
	assert_in_range(active(lb, 0), 950, 1053);
	assert_in_range(active(lb, 1), 1900, 2103);
	assert_in_range(active(lb, 2), 4750, 5253);
	assert_in_range(active(lb, 3), 1900, 2103);
	weir_lb_release(lb);
}

static void a_joining_member_does_not_get_all_new_flows_but_catches_up(void **state)
{
	static const uint32_t nbs[] = {2, 4, 40};

	(void)state;
	for (size_t n = 0; n < sizeof(nbs) / sizeof(nbs[0]); n++) {
		uint32_t nb = nbs[n];
		struct pool_spec spec = {.algorithm =
						 WEIR__V1__ALGORITHM__ALGORITHM_LEAST_CONNECTIONS,
					 .nb_members = nb - 1};
		struct weir_lb *old = build(&spec, NULL, NULL, NOW);

		workers_reset(2);
		for (uint32_t i = 0; i < 1000 * (nb - 1); i++)
			begin(old, i % 2, i);
		millisecond();
		spec.nb_members = nb;
		struct weir_lb *lb = build(&spec, NULL, old, NOW);
		for (uint32_t i = 0; i < 500; i++)
			begin(lb, i % 2, i);
		// One and a half times its part, twice for many members; fair would be 1 / nb.
		assert_in_range(active(lb, nb - 1), 500 / nb, 500 * 2 / nb * 5 / 4);
		// Flows come and go: in the end it has as many as the others.
		uint32_t x = 1;
		for (uint32_t i = 0; i < 10000 * nb; i++) {
			x = x * 1664525 + 1013904223;
			uint32_t id = lb->pools[0].backends[(x >> 8) % nb].backend_id;
			uint64_t *count = &engine.file.backend_active[x >> 31][id];

			if (*count > 0) {
				--*count;
				begin(lb, x >> 31, i);
			}
			if (i % 100 == 0)
				millisecond();
		}
		assert_in_range(active(lb, nb - 1), active(lb, 0) * 90 / 100,
				active(lb, 0) * 110 / 100);
		weir_lb_release(old);
		weir_lb_release(lb);
	}
}

static void a_tier_serves_while_enough_of_it_are_healthy(void **state)
{
	static const struct {
		uint32_t minimum;
		const char *unhealthy; // digits: members
		Weir__V1__WhenAllUnhealthy all;
		const char *serving;
	} rows[] = {
		// members 0, 1, 2 of the first tier, 3 of the second, 4 of the third
		{0, "", WEIR__V1__WHEN_ALL_UNHEALTHY__WHEN_ALL_UNHEALTHY_OPEN, "012"},
		{1, "01", WEIR__V1__WHEN_ALL_UNHEALTHY__WHEN_ALL_UNHEALTHY_OPEN, "2"},
		{2, "01", WEIR__V1__WHEN_ALL_UNHEALTHY__WHEN_ALL_UNHEALTHY_OPEN, "23"},
		{3, "01", WEIR__V1__WHEN_ALL_UNHEALTHY__WHEN_ALL_UNHEALTHY_OPEN, "234"},
		{9, "", WEIR__V1__WHEN_ALL_UNHEALTHY__WHEN_ALL_UNHEALTHY_OPEN, "01234"},
		{1, "012", WEIR__V1__WHEN_ALL_UNHEALTHY__WHEN_ALL_UNHEALTHY_CLOSED, "3"},
		{1, "0123", WEIR__V1__WHEN_ALL_UNHEALTHY__WHEN_ALL_UNHEALTHY_CLOSED, "4"},
		{1, "01234", WEIR__V1__WHEN_ALL_UNHEALTHY__WHEN_ALL_UNHEALTHY_CLOSED, ""},
		{1, "01234", WEIR__V1__WHEN_ALL_UNHEALTHY__WHEN_ALL_UNHEALTHY_WITHDRAW_VIP, ""},
		{1, "01234", WEIR__V1__WHEN_ALL_UNHEALTHY__WHEN_ALL_UNHEALTHY_OPEN, "01234"},
	};

	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		for (int algorithm = WEIR__V1__ALGORITHM__ALGORITHM_ROUND_ROBIN;
		     algorithm <= WEIR__V1__ALGORITHM__ALGORITHM_SOURCE_IP_HASH; algorithm++) {
			struct pool_spec spec = {.algorithm = (Weir__V1__Algorithm)algorithm,
						 .nb_members = 5,
						 .priorities = {0, 0, 0, 5, 7},
						 .minimum_healthy = rows[r].minimum,
						 .when_all_unhealthy = rows[r].all};
			struct verdicts verdicts = {0};
			bool seen[5] = {0};

			for (const char *c = rows[r].unhealthy; *c != '\0'; c++) {
				snprintf(member_ids[*c - '0'], 16, "mbr_%c", *c);
				verdicts.unhealthy[verdicts.nb_unhealthy++] = member_ids[*c - '0'];
			}
			struct weir_lb *lb = build(&spec, &verdicts, NULL, NOW);
			workers_reset(1);
			for (uint32_t n = 0; n < 500; n++) {
				struct weir_packet packet = packet_from(n, 1, 21);
				int index =
					weir_select(&engine.workers[0], &lb->listeners[0], &packet);

				// The table for packets in mid-flow is made of the same members.
				for (int turn = 0; turn < 2; turn++) {
					if (index >= 0)
						seen[index] = true;
					index = weir_select_mid_flow(&engine.workers[0],
								     &lb->listeners[0], &packet);
				}
				assert_int_equal(index >= 0, rows[r].serving[0] != '\0');
			}
			for (int i = 0; i < 5; i++)
				if (seen[i] != (strchr(rows[r].serving, '0' + i) != NULL))
					fail_msg("row %zu, algorithm %d: member %d", r, algorithm,
						 i);
			weir_lb_release(lb);
		}
	}
}

static uint32_t slots_of(const struct weir_lb *lb, int index)
{
	uint32_t nb = 0;

	for (uint32_t slot = 0; slot < serving_of(lb)->maglev_size; slot++)
		nb += serving_of(lb)->maglev[slot] == index;
	return nb;
}

static void a_new_members_share_rises_in_steps(void **state)
{
	// 90 s: a step every 10 s of the wall clock.
	const int64_t since = NOW - NOW % (10 * SECOND) + 3 * SECOND;
	struct pool_spec spec = {.algorithm = WEIR__V1__ALGORITHM__ALGORITHM_MAGLEV,
				 .nb_members = 2,
				 .slow_start_s = 90,
				 .serving_since = {0, since}};
	const int64_t boundary = since - 3 * SECOND;

	(void)state;
	for (uint32_t step = 0; step <= 9; step++) {
		int64_t now = step == 0 ? since : boundary + step * 10 * SECOND;
		struct weir_lb *lb = build(&spec, NULL, NULL, now);
		uint32_t percent = (step + 1) * 10;
		uint32_t expected = 16381 * percent / (100 + percent);

		assert_in_range(slots_of(lb, 1), expected - 2, expected + 2);
		assert_true(lb->pools[0].next_step_us ==
			    (step < 9 ? boundary + (step + 1) * 10 * SECOND : INT64_MAX));
		weir_lb_release(lb);
	}
}

static void nodes_step_together_and_build_the_same_tables(void **state)
{
	const int64_t boundary = NOW - NOW % (10 * SECOND);
	struct pool_spec spec = {.algorithm = WEIR__V1__ALGORITHM__ALGORITHM_MAGLEV,
				 .nb_members = 3,
				 .slow_start_s = 90};
	// Each node's probes saw the member back at another moment.
	struct verdicts here = {.nb_recovered = 1,
				.recovered = {{.member_id = "mbr_2", .since_us = boundary + 1}}};
	struct verdicts there = {
		.nb_recovered = 1,
		.recovered = {{.member_id = "mbr_2", .since_us = boundary + 9 * SECOND}}};

	(void)state;
	for (int64_t s = 10; s < 100; s += 7) {
		struct weir_lb *a = build(&spec, &here, NULL, boundary + s * SECOND);
		struct weir_lb *b = build(&spec, &there, NULL, boundary + s * SECOND);

		assert_memory_equal(serving_of(a)->maglev, serving_of(b)->maglev,
				    16381 * sizeof(uint16_t));
		assert_true(a->pools[0].next_step_us == b->pools[0].next_step_us);
		weir_lb_release(a);
		weir_lb_release(b);
	}
}

static void turns_and_loads_follow_a_slow_start_too(void **state)
{
	static const Weir__V1__Algorithm algorithms[] = {
		WEIR__V1__ALGORITHM__ALGORITHM_ROUND_ROBIN,
		WEIR__V1__ALGORITHM__ALGORITHM_WEIGHTED_ROUND_ROBIN,
		WEIR__V1__ALGORITHM__ALGORITHM_LEAST_CONNECTIONS,
		WEIR__V1__ALGORITHM__ALGORITHM_WEIGHTED_LEAST_CONNECTIONS,
	};

	(void)state;
	for (size_t a = 0; a < sizeof(algorithms) / sizeof(algorithms[0]); a++) {
		struct pool_spec spec = {.algorithm = algorithms[a],
					 .nb_members = 2,
					 .slow_start_s = 900,
					 .serving_since = {0, NOW}};
		struct weir_lb *lb = build(&spec, NULL, NULL, NOW);

		workers_reset(1);
		for (uint32_t n = 0; n < 1100; n++)
			begin(lb, 0, n);
		assert_in_range(active(lb, 1), 98, 102);
		weir_lb_release(lb);
	}
}

static void all_connections_of_a_source_go_to_one_member(void **state)
{
	struct pool_spec spec = {.algorithm = WEIR__V1__ALGORITHM__ALGORITHM_ROUND_ROBIN,
				 .nb_members = 10,
				 .persistence_s = 60,
				 .prefix_length = 24};
	struct weir_lb *lb = build(&spec, NULL, NULL, NOW);
	uint32_t members = 0;

	(void)state;
	workers_reset(3);
	for (uint32_t n = 0; n < 100; n++) {
		uint32_t network = 0x0a000000 + (n << 8);
		struct weir_packet control = packet_from(network + 1, 40000, 21);
		int first = weir_select(&engine.workers[0], &lb->listeners[0], &control);

		members |= 1u << first;
		for (uint32_t i = 0; i < 20; i++) {
			struct weir_packet data = packet_from(network + i, (uint16_t)(50000 + i),
							      (uint16_t)(30000 + i));

			assert_int_equal(
				weir_select(&engine.workers[i % 3], &lb->listeners[1], &data),
				first);
			assert_int_equal(weir_select_mid_flow(&engine.workers[i % 3],
							      &lb->listeners[1], &data),
					 first);
		}
	}
	assert_int_equal(members, (1u << 10) - 1);
	weir_lb_release(lb);
}

static void a_pin_outlives_a_change_while_its_member_serves(void **state)
{
	struct pool_spec spec = {.algorithm = WEIR__V1__ALGORITHM__ALGORITHM_MAGLEV,
				 .nb_members = 4,
				 .persistence_s = 60};
	struct weir_lb *old = build(&spec, NULL, NULL, NOW);
	int first[200];
	uint32_t moved = 0;

	(void)state;
	workers_reset(1);
	for (uint32_t n = 0; n < 200; n++) {
		struct weir_packet packet = packet_from(0x0b000000 + n, 1, 21);

		first[n] = weir_select(&engine.workers[0], &old->listeners[0], &packet);
	}
	spec.nb_members = 8; // half of the table's slots move
	struct weir_lb *more = build(&spec, NULL, old, NOW);
	for (uint32_t n = 0; n < 200; n++) {
		struct weir_packet packet = packet_from(0x0b000000 + n, 2, 21);

		assert_int_equal(weir_select(&engine.workers[0], &more->listeners[0], &packet),
				 first[n]);
		moved += weir_select_maglev(&more->listeners[0], &packet, NULL) != first[n];
	}
	assert_in_range(moved, 70, 130);
	spec.weights[0] = UINT32_MAX; // drains: its sources find another member, and stay there
	struct weir_lb *drained = build(&spec, NULL, more, NOW);
	for (uint32_t n = 0; n < 200; n++) {
		struct weir_packet packet = packet_from(0x0b000000 + n, 3, 21);
		int now = weir_select(&engine.workers[0], &drained->listeners[0], &packet);

		assert_true(now > 0);
		if (first[n] != 0)
			assert_int_equal(now, first[n]);
		assert_int_equal(weir_select(&engine.workers[0], &drained->listeners[0], &packet),
				 now);
	}
	for (uint32_t n = 0; n < 200; n++) { // forgotten in time: by the table again
		struct weir_packet packet = packet_from(0x0b000000 + n, 4, 21);

		engine.workers[0].now = 1000 + 61 * WEIR_TICKS_PER_SECOND;
		assert_int_equal(weir_select(&engine.workers[0], &drained->listeners[0], &packet),
				 weir_select_maglev(&drained->listeners[0], &packet, NULL));
	}
	weir_lb_release(old);
	weir_lb_release(more);
	weir_lb_release(drained);
}

// A flow without an entry finds its member although that takes no new flows any more.
static void check_second_chance(bool removed)
{
	struct pool_spec spec = {.algorithm = WEIR__V1__ALGORITHM__ALGORITHM_MAGLEV,
				 .nb_members = 4};
	struct weir_lb *old = build(&spec, NULL, NULL, NOW);
	uint32_t id = old->pools[0].backends[3].backend_id;
	uint32_t had = 0;

	workers_reset(1);
	if (removed)
		spec.nb_members = 3;
	else
		spec.weights[3] = UINT32_MAX;
	struct weir_lb *lb = build(&spec, NULL, old, NOW);
	engine.file.backends[id].drain_deadline_us = NOW + 60 * SECOND;
	// Another change during the drain does not take the chance away.
	spec.weights[0] = 2;
	struct weir_lb *later = build(&spec, NULL, lb, NOW + SECOND);
	for (uint32_t n = 0; n < 1000; n++) {
		struct weir_packet packet = packet_from(n, 1, 21);
		int before = weir_select_maglev(&old->listeners[0], &packet, NULL);

		assert_true(weir_select(&engine.workers[0], &later->listeners[0], &packet) < 3);
		if (before != 3)
			continue;
		had++;
		int chosen = weir_select_mid_flow(&engine.workers[0], &lb->listeners[0], &packet);
		assert_int_equal(lb->pools[0].backends[chosen].backend_id, id);
		chosen = weir_select_mid_flow(&engine.workers[0], &later->listeners[0], &packet);
		assert_int_equal(later->pools[0].backends[chosen].backend_id, id);
		assert_int_equal(later->listeners[0].binding_ids[chosen],
				 old->listeners[0].binding_ids[3]);
	}
	assert_in_range(had, 200, 300);
	engine.file.backends[id].drain_deadline_us = 0; // the drain is over
	struct weir_lb *after = build(&spec, NULL, later, NOW + 61 * SECOND);
	assert_null(serving_of(after)->previous);
	assert_int_equal(after->pools[0].nb_backends, spec.nb_members);
	weir_lb_release(old);
	weir_lb_release(lb);
	weir_lb_release(later);
	weir_lb_release(after);
}

static void a_draining_members_flows_get_a_second_chance(void **state)
{
	(void)state;
	check_second_chance(false);
}

static void a_removed_members_flows_get_a_second_chance(void **state)
{
	(void)state;
	check_second_chance(true);
}

static void each_family_has_its_own_members_where_addresses_are_translated(void **state)
{
	struct pool_spec spec = {.algorithm = WEIR__V1__ALGORITHM__ALGORITHM_ROUND_ROBIN,
				 .nb_members = 5,
				 .v6 = {false, true, false, true, true}};
	struct weir_lb *lb = build(&spec, NULL, NULL, NOW);
	uint32_t seen = 0;

	(void)state;
	workers_reset(1);
	for (uint32_t n = 0; n < 100; n++) {
		struct weir_packet packet = packet_from(n, 1, 21);

		seen |= 1u << weir_select(&engine.workers[0], &lb->listeners[0], &packet);
	}
	assert_int_equal(seen, 1u << 0 | 1u << 2);
	for (uint32_t n = 0; n < 100; n++) {
		struct weir_packet packet = packet_from(n, 1, 21);

		packet.family = 6;
		packet.source.bytes[0] = packet.destination.bytes[0] = 0x20;
		seen |= 1u << weir_select(&engine.workers[0], &lb->listeners[0], &packet);
	}
	assert_int_equal(seen, (1u << 5) - 1);
	weir_lb_release(lb);
}

static int apply_list(const char *id, uint64_t sequence, const char *packed, size_t length,
		      const char **code)
{
	Weir__V1__PrefixListRecord record = WEIR__V1__PREFIX_LIST_RECORD__INIT;
	Weir__V1__EnginePrefixList message = WEIR__V1__ENGINE_PREFIX_LIST__INIT;
	struct weir_prefix_set *replaced;
	struct weir_reject reject = {.code = ""};
	uint8_t sha256[32];

	weir_sha256((const uint8_t *)packed, length, sha256);
	if (sequence == 99)
		sha256[0] ^= 1;
	record.prefix_list_id = (char *)(uintptr_t)id;
	record.content_sha256 = (ProtobufCBinaryData){32, sha256};
	record.packed = (ProtobufCBinaryData){length, (uint8_t *)(uintptr_t)packed};
	message.epoch = 1;
	message.sequence = sequence;
	message.list = &record;
	int ret = weir_prefix_lists_apply(&lists, &message, &replaced, &reject);
	weir_prefix_lists_free_set(replaced);
	*code = reject.code;
	return ret;
}

static bool allows(const struct weir_lb *lb, uint32_t source)
{
	struct weir_address address = weir_address_v4(weir_be32(source));

	return weir_listener_allows(&lb->listeners[0], &address);
}

static void sources_are_allowed_and_denied_by_lists(void **state)
{
	static const char ten[] = {4, 8, 10, 0, 0, 0};
	static const char ten_one[] = {4, 16, 10, 1, 0, 0};
	static const char eleven[] = {4, 8, 11, 0, 0, 0};
	struct pool_spec spec = {.algorithm = WEIR__V1__ALGORITHM__ALGORITHM_MAGLEV,
				 .nb_members = 1,
				 .allowed_list = "office",
				 .denied_list = "guests"};
	struct weir_reject reject = {0};
	const char *code;

	(void)state;
	assert_null(try_build(&spec, NULL, NULL, NOW, &reject));
	assert_string_equal(reject.code, "PREFIX_LIST_MISSING");
	assert_int_equal(apply_list("office", 1, ten, sizeof(ten), &code), 1);
	assert_int_equal(apply_list("guests", 1, ten_one, sizeof(ten_one), &code), 1);
	struct weir_lb *lb = build(&spec, NULL, NULL, NOW);
	assert_true(allows(lb, 0x0a000001));
	assert_false(allows(lb, 0x0a010001));
	assert_false(allows(lb, 0x0b000001));
	// A list changes under the listeners that refer to it; older and unsound ones do nothing.
	assert_int_equal(apply_list("office", 2, eleven, sizeof(eleven), &code), 1);
	assert_int_equal(apply_list("office", 1, ten, sizeof(ten), &code), 0);
	assert_true(apply_list("office", 99, ten, sizeof(ten), &code) < 0);
	assert_string_equal(code, "INVALID_PREFIX_LIST");
	assert_true(apply_list("office", 3, ten, sizeof(ten) - 1, &code) < 0);
	assert_true(allows(lb, 0x0b000001));
	assert_false(allows(lb, 0x0a000001));
	weir_prefix_lists_delete(&lists, "office");
	assert_true(allows(lb, 0x0b000001)); // whoever refers to it still has it
	weir_lb_release(lb);
	weir_prefix_lists_delete(&lists, "guests");
	assert_int_equal(lists.nb, 0);
	free(lists.lists);
	lists.lists = NULL;
}

static int start(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL ||
	    weir_flow_file_open(&engine.file, dir, MAX_WORKERS, 1024, WEIR_KEEP_FLOWS) != 0)
		return -1;
	return weir_pins_open(&engine.pins, dir, engine.file.header->counters_id,
			      engine.file.header->flow_key);
}

static int stop(void **state)
{
	char command[64];

	(void)state;
	for (int w = 0; w < MAX_WORKERS; w++)
		free(engine.workers[w].loads);
	weir_pins_close(&engine.pins);
	weir_flow_file_close(&engine.file);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(least_connections_spread_over_any_number_of_members_and_workers),
		cmocka_unit_test(weighted_least_connections_follow_the_weights),
		cmocka_unit_test(a_joining_member_does_not_get_all_new_flows_but_catches_up),
		cmocka_unit_test(a_tier_serves_while_enough_of_it_are_healthy),
		cmocka_unit_test(a_new_members_share_rises_in_steps),
		cmocka_unit_test(nodes_step_together_and_build_the_same_tables),
		cmocka_unit_test(turns_and_loads_follow_a_slow_start_too),
		cmocka_unit_test(all_connections_of_a_source_go_to_one_member),
		cmocka_unit_test(a_pin_outlives_a_change_while_its_member_serves),
		cmocka_unit_test(a_draining_members_flows_get_a_second_chance),
		cmocka_unit_test(a_removed_members_flows_get_a_second_chance),
		cmocka_unit_test(each_family_has_its_own_members_where_addresses_are_translated),
		cmocka_unit_test(sources_are_allowed_and_denied_by_lists),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
