// SPDX-License-Identifier: Apache-2.0
//
// How fast one core forwards: the engine's own datapath over frames from memory, beside the
// yardsticks of the same moment. bench/README.md says what each case is.

#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "main/worker.h"
#include "tests/bench/lab.h"
#include "tests/bench/report.h"
#include "tests/bench/traffic.h"
#include "tests/bench/yardstick.h"

enum {
	BATCH = 256,
	NB_MBUFS = 16383,
	ROOM = RTE_PKTMBUF_HEADROOM + 256,
	WANTED_ROUNDS = 5,
	MAX_ROUNDS = 40,
	CALIBRATION_RUNS = 5,
	CALIBRATION_PACKETS = 1 << 16,
	CALIBRATION_ACCESSES = 1 << 14,
	LEAST_PACKETS = 1 << 20,
	FILL_PERCENT = 80,
	LEAST_FLOWS_WEIGHED = 1000000, // below, the configuration weighs more than the flows
	FLOWS_PER_TICK = 1000,         // arrivals that no flood rule would stop: 10,000 per second
	RESIDENCE_PERCENT = 70,
	RESIDENCE_PACKETS = 8192,
	RESIDENCE_TRIALS = 32,
};

static const struct size {
	const char *name;
	uint32_t flows;
} sizes[] = {{"1k", 1000}, {"100k", 100000}, {"1M", 1000000}, {"8M", 8000000}};

struct options {
	const char *filter; // of case names
	const char *json;
	uint32_t max_flows;
	bool smoke; // correctness only: one round, whatever the machine does
	bool stages;
};

struct bench {
	struct options options;
	struct report report;
	struct rte_mempool *mbufs;
	struct yardstick_chain *chain;
	struct traffic_flow *flows;
	bool failed;
};

static struct bench bench;
// Named apart from `bench`: their alignment is the engine's.
static struct lab first_lab;
static struct lab second_lab;

// Cycles by step, summed over packets.
struct stages {
	uint64_t parse;
	uint64_t forward; // lookup, state, rewrite, route
	uint64_t send;
};

struct source {
	enum traffic_kind kind;
	struct traffic_flow *flows;
	uint32_t nb;
	uint32_t next;
	bool in_order; // else at random
	bool learn;
	bool own_clock; // the tick advances with new flows, not with time, and nothing expires
	uint32_t rng;
};

static uint32_t next_number(struct source *source)
{
	if (source->in_order || source->kind == TRAFFIC_FLOOD)
		return source->next++;
	source->rng ^= source->rng << 13;
	source->rng ^= source->rng >> 17;
	source->rng ^= source->rng << 5;
	return (uint32_t)((uint64_t)source->rng * source->nb >> 32);
}

static void fill_batch(struct source *source, struct rte_mbuf **mbufs, uint32_t nb)
{
	for (uint32_t i = 0; i < nb; i++) {
		uint32_t number = next_number(source);
		enum traffic_kind kind = source->kind;

		if (kind == TRAFFIC_FLOOD) {
			traffic_fill_flood(mbufs[i], number);
			continue;
		}
		if (kind == TRAFFIC_BOTH && i % 2 == 0)
			kind = TRAFFIC_CLIENT;
		traffic_fill(mbufs[i], kind, &source->flows[number], number);
	}
}

static void learn(const struct weir_worker *worker, struct source *source)
{
	for (uint16_t i = 0; i < worker->nb_tx; i++)
		(void)traffic_learn(worker->tx[i], source->flows, source->nb);
}

// The steps of lab_turn() one by one, each timed.
static void turn_in_stages(struct weir_worker *worker, struct weir_burst *burst,
			   struct rte_mbuf **mbufs, uint16_t nb, struct stages *stages)
{
	uint64_t times[3];

	burst->worker = worker;
	burst->config = atomic_load_explicit(&worker->engine->config, memory_order_acquire);
	burst->nb = nb;
	memcpy(burst->mbufs, mbufs, nb * sizeof(*mbufs));
	times[0] = rte_rdtsc();
	weir_parse_process(burst);
	weir_owner_process(burst);
	times[1] = rte_rdtsc();
	weir_flow_lookup_process(burst);
	times[2] = rte_rdtsc();
	stages->parse += times[1] - times[0];
	stages->forward += times[2] - times[1];
}

// Runs `packets` of the source through the worker. Returns ns per packet, from the allocation of
// its mbuf to its release, its generation left out. sent: out, packets that the engine forwarded.
static double run(struct weir_worker *worker, struct source *source, uint32_t packets,
		  uint64_t *sent, struct stages *stages)
{
	struct rte_mempool *mbufs = worker->engine->mbufs;
	struct rte_mbuf *batch[BATCH];
	struct weir_burst burst;
	uint64_t spent = 0;

	for (uint32_t done = 0; done < packets;) {
		uint32_t nb = RTE_MIN(packets - done, (uint32_t)BATCH);
		uint64_t began = rte_rdtsc();

		if (rte_pktmbuf_alloc_bulk(mbufs, batch, nb) != 0)
			rte_exit(EXIT_FAILURE, "mbufs were lost\n");
		spent += rte_rdtsc() - began;
		fill_batch(source, batch, nb);
		if (source->kind == TRAFFIC_SYN && done % FLOWS_PER_TICK < BATCH)
			lab_advance(1);
		for (uint32_t i = 0; i < nb; i += WEIR_BURST) {
			uint16_t size = (uint16_t)RTE_MIN(nb - i, (uint32_t)WEIR_BURST);

			began = rte_rdtsc();
			worker->now = lab_now();
			if (stages != NULL)
				turn_in_stages(worker, &burst, batch + i, size, stages);
			else
				lab_turn(worker, &burst, batch + i, size);
			if (!source->own_clock)
				weir_flow_sweep(worker);
			spent += rte_rdtsc() - began;
			*sent += worker->nb_tx;
			lab_take_records(worker);
			if (source->learn)
				learn(worker, source);
			began = rte_rdtsc();
			rte_mempool_put_bulk(mbufs, (void **)worker->tx, worker->nb_tx);
			worker->nb_tx = 0;
			uint64_t took = rte_rdtsc() - began;
			spent += took;
			if (stages != NULL)
				stages->send += took;
		}
		done += nb;
	}
	return yardstick_ns(spent) / packets;
}

// The best of a few short runs: what is to be seen is the machine's phase, not an interrupt.
static struct calibration calibrate(void)
{
	struct calibration seen = {.macswap_ns = INFINITY, .dram_ns = INFINITY};

	for (int i = 0; i < CALIBRATION_RUNS; i++) {
		seen.macswap_ns =
			fmin(seen.macswap_ns, yardstick_macswap(bench.mbufs, CALIBRATION_PACKETS));
		seen.dram_ns =
			fmin(seen.dram_ns, yardstick_dram(bench.chain, CALIBRATION_ACCESSES));
	}
	report_calibrated(&bench.report, seen);
	if (bench.options.stages)
		printf("calibration: macswap %.2f ns, dram %.1f ns\n", seen.macswap_ns,
		       seen.dram_ns);
	return seen;
}

static struct calibration worse(struct calibration a, struct calibration b)
{
	return (struct calibration){
		.macswap_ns = RTE_MAX(a.macswap_ns, b.macswap_ns),
		.dram_ns = RTE_MAX(a.dram_ns, b.dram_ns),
	};
}

static void fail(const char *name, const char *what, uint64_t wanted, uint64_t got)
{
	fprintf(stderr, "%s: %s: expected %lu, got %lu\n", name, what, wanted, got);
	lab_print_drops(&first_lab, 0);
	bench.failed = true;
}

static const char *const case_whats[] = {"new", "hit", "icmp", "flood"};

// The cases of one mode and one number of flows, on one engine.
struct case_group {
	enum lab_mode mode;
	const struct size *size;
	struct weir_worker *worker;
};

static const char *case_name(const struct case_group *group, const char *what)
{
	static char name[40];

	snprintf(name, sizeof(name), "%s.%s.%s", lab_mode_names[group->mode], what,
		 group->size->name);
	return name;
}

static void print_stages(const char *name, const struct stages *stages, uint32_t packets)
{
	printf("%-22s cycles per packet: parse %.1f, lookup to route %.1f, send %.1f\n", name,
	       (double)stages->parse / packets, (double)stages->forward / packets,
	       (double)stages->send / packets);
}

// One sample of a case: calibrations around it, the row, and what must have come out.
static void sample(const struct case_group *group, const char *what, struct source *source,
		   uint32_t packets, bool all_forwarded)
{
	const char *name = case_name(group, what);
	struct stages stages = {0};
	uint64_t sent = 0;
	struct calibration before = calibrate();
	double ns =
		run(group->worker, source, packets, &sent, bench.options.stages ? &stages : NULL);
	struct calibration seen = worse(before, calibrate());

	if (all_forwarded && sent != packets)
		fail(name, "packets forwarded", packets, sent);
	if (bench.options.stages)
		print_stages(name, &stages, packets);
	report_add(&bench.report, name, "ns_per_packet", "ns", ns, "macswap",
		   (before.macswap_ns + seen.macswap_ns) / 2, seen);
	report_add(&bench.report, name, "mpps", "Mpps", 1e3 / ns, NULL, 0, seen);
}

static uint64_t resident_bytes(void)
{
	unsigned long size = 0;
	unsigned long resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file == NULL || fscanf(file, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	if (file != NULL)
		fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

// Packets of every flow in order, clients' side: none may be unknown to the table.
static uint64_t lost_flows(const struct case_group *group)
{
	struct source source = {.kind = TRAFFIC_CLIENT,
				.flows = bench.flows,
				.nb = group->size->flows,
				.in_order = true,
				.own_clock = true};
	struct weir_flow_counters before = lab_counters(&first_lab, 0);
	uint64_t sent = 0;

	run(group->worker, &source, group->size->flows, &sent, NULL);
	struct weir_flow_counters after = lab_counters(&first_lab, 0);
	return after.adopted_flows - before.adopted_flows + group->size->flows - sent;
}

// Opens every flow, in order, into an empty table. Returns ns per packet.
static double open_flows(const struct case_group *group)
{
	uint32_t flows = group->size->flows;
	struct source source = {.kind = TRAFFIC_SYN,
				.flows = bench.flows,
				.nb = flows,
				.in_order = true,
				.learn = true,
				.own_clock = true};
	uint64_t sent = 0;

	lab_expire_all(group->worker);
	double ns = run(group->worker, &source, flows, &sent, NULL);
	uint32_t used = weir_flow_table_used(&group->worker->table);
	if (sent != flows || used != flows)
		fail(case_name(group, "new"), "flows opened", flows, RTE_MIN(sent, used));
	return ns;
}

// At small sizes over and over, for a time that can be measured.
static void sample_new(const struct case_group *group)
{
	double wanted_turns = bench.options.smoke ? 1 : LEAST_PACKETS / 4.0 / group->size->flows;
	uint32_t turns = RTE_MAX(1u, (uint32_t)wanted_turns);
	const char *name;
	struct calibration before = calibrate();
	double spent = 0;

	for (uint32_t turn = 0; turn < turns; turn++)
		spent += open_flows(group);
	struct calibration seen = worse(before, calibrate());
	name = case_name(group, "new");
	report_add(&bench.report, name, "ns_per_packet", "ns", spent / turns, "macswap",
		   (before.macswap_ns + seen.macswap_ns) / 2, seen);
	report_add(&bench.report, name, "mpps", "Mpps", 1e3 * turns / spent, NULL, 0, seen);
}

// Counted as any sample is, but true whatever the machine does meanwhile.
static void add_fact(const char *name, const char *metric, const char *unit, double value)
{
	report_add(&bench.report, name, metric, unit, value, NULL, 0, (struct calibration){0});
}

static void add_lost_flows(const struct case_group *group, const char *what)
{
	uint64_t lost = lost_flows(group);

	add_fact(case_name(group, what), "live_evicted", "flows", (double)lost);
	if (lost != 0)
		fail(case_name(group, what), "live flows lost", 0, lost);
}

static bool forwards_icmp(const struct case_group *group, struct source *icmp)
{
	uint64_t sent = 0;

	run(group->worker, icmp, WEIR_BURST, &sent, NULL);
	return sent == WEIR_BURST;
}

static bool case_wanted(const struct case_group *group, const char *what)
{
	return bench.options.filter == NULL ||
	       fnmatch(bench.options.filter, case_name(group, what), 0) == 0;
}

static void sample_group(const struct case_group *group)
{
	uint32_t flows = group->size->flows;
	uint32_t packets =
		bench.options.smoke ? 2 * flows : RTE_MAX(flows, (uint32_t)LEAST_PACKETS);
	bool nat = group->mode == LAB_DNAT || group->mode == LAB_SNAT;
	struct source hits = {.kind = nat ? TRAFFIC_BOTH : TRAFFIC_CLIENT,
			      .flows = bench.flows,
			      .nb = flows,
			      .rng = 0x9e3779b9};
	struct source flood = {.kind = TRAFFIC_FLOOD, .next = 1};
	struct source icmp = {.kind = TRAFFIC_ICMP, .flows = bench.flows, .nb = flows, .rng = 7};

	if (case_wanted(group, "new")) {
		sample_new(group);
		add_lost_flows(group, "new");
	}
	if (case_wanted(group, "hit"))
		sample(group, "hit", &hits, packets, true);
	if (case_wanted(group, "icmp") && forwards_icmp(group, &icmp))
		sample(group, "icmp", &icmp, packets, true);
	if (case_wanted(group, "flood")) {
		sample(group, "flood", &flood, packets, group->mode != LAB_SNAT);
		add_lost_flows(group, "flood");
	}
}

static bool group_wanted(const struct case_group *group)
{
	if (group->size->flows > bench.options.max_flows)
		return false;
	for (size_t i = 0; i < RTE_DIM(case_whats); i++)
		if (case_wanted(group, case_whats[i]))
			return true;
	return false;
}

static bool enough_rounds(const char *name, uint32_t round)
{
	return bench.options.smoke || round >= MAX_ROUNDS ||
	       report_counted(&bench.report, name, "ns_per_packet") >= WANTED_ROUNDS;
}

static bool enough_rounds_of(const struct case_group *group, uint32_t round)
{
	for (size_t i = 0; i < RTE_DIM(case_whats); i++)
		if (case_wanted(group, case_whats[i]))
			return enough_rounds(case_name(group, case_whats[i]), round);
	return true;
}

static void run_group(struct case_group *group)
{
	uint32_t flows = group->size->flows;
	uint32_t capacity = RTE_MAX(1024u, (uint32_t)((uint64_t)flows * 100 / FILL_PERCENT));
	int ret = lab_start(&first_lab, bench.mbufs, 1, capacity, group->mode);

	if (ret == -ENOTSUP) {
		fprintf(stderr, "%s: this engine does not have it\n", lab_mode_names[group->mode]);
	} else if (ret != 0) {
		fail(case_name(group, "new"), "start of the engine", 0, (uint64_t)-ret);
	} else {
		group->worker = &first_lab.engine.workers[0];
		for (uint32_t i = 0; i < flows; i++)
			bench.flows[i] = traffic_flow(i);
		uint64_t before = resident_bytes(); // the traffic's own description included
		(void)open_flows(group);            // the kernel hands out the memory meanwhile
		double bytes = (double)(resident_bytes() - before) / flows;
		for (uint32_t round = 0; round == 0 || !enough_rounds_of(group, round); round++)
			sample_group(group);
		if (flows >= LEAST_FLOWS_WEIGHED)
			add_fact(case_name(group, "hit"), "bytes_per_flow", "bytes", bytes);
	}
	lab_stop(&first_lab);
}

static void run_hash(const struct size *size)
{
	char name[40];

	for (uint32_t i = 0; i < size->flows; i++)
		bench.flows[i] = traffic_flow(i);
	snprintf(name, sizeof(name), "rte_hash.hit.%s", size->name);
	for (uint32_t round = 0; round == 0 || !enough_rounds(name, round); round++) {
		struct yardstick_hash_times times;
		struct calibration before = calibrate();

		if (yardstick_hash(bench.flows, size->flows, RTE_MAX(size->flows, 1u << 18),
				   &times) != 0) {
			fail(name, "memory for rte_hash", 0, ENOMEM);
			return;
		}
		struct calibration seen = worse(before, calibrate());
		double macswap = (before.macswap_ns + seen.macswap_ns) / 2;
		snprintf(name, sizeof(name), "rte_hash.new.%s", size->name);
		report_add(&bench.report, name, "ns_per_packet", "ns", times.insert_ns, "macswap",
			   macswap, seen);
		snprintf(name, sizeof(name), "rte_hash.hit.%s", size->name);
		report_add(&bench.report, name, "ns_per_packet", "ns", times.lookup_ns, "macswap",
			   macswap, seen);
	}
}

// Time in the engine of packets that come at 70 % of what it can take

static int compare_times(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

// Arrivals of a Poisson process; the worker polls. Appends a residence per packet, in cycles.
static void residence_trial(struct weir_worker *worker, struct source *source, double gap_cycles,
			    uint32_t *residences)
{
	static struct rte_mbuf *mbufs[RESIDENCE_PACKETS];
	static uint64_t due[RESIDENCE_PACKETS];
	struct weir_burst burst;
	double at = 0;

	if (rte_pktmbuf_alloc_bulk(worker->engine->mbufs, mbufs, RESIDENCE_PACKETS) != 0)
		rte_exit(EXIT_FAILURE, "mbufs were lost\n");
	fill_batch(source, mbufs, RESIDENCE_PACKETS);
	for (uint32_t i = 0; i < RESIDENCE_PACKETS; i++) {
		at -= gap_cycles * log1p(-drand48());
		due[i] = (uint64_t)at;
	}
	uint64_t began = rte_rdtsc();
	for (uint32_t done = 0; done < RESIDENCE_PACKETS;) {
		uint64_t now = rte_rdtsc() - began;
		uint16_t nb = 0;

		while (nb < WEIR_BURST && done + nb < RESIDENCE_PACKETS && due[done + nb] <= now)
			nb++;
		if (nb == 0)
			continue;
		worker->now = lab_now();
		lab_turn(worker, &burst, mbufs + done, nb);
		weir_flow_sweep(worker);
		rte_mempool_put_bulk(worker->engine->mbufs, (void **)worker->tx, worker->nb_tx);
		worker->nb_tx = 0;
		now = rte_rdtsc() - began;
		for (uint16_t i = 0; i < nb; i++)
			residences[done + i] = (uint32_t)(now - due[done + i]);
		done += nb;
	}
}

static void run_residence(const struct size *size)
{
	static uint32_t residences[RESIDENCE_TRIALS * RESIDENCE_PACKETS];
	const uint32_t nb = RTE_DIM(residences);
	struct source syns = {.kind = TRAFFIC_SYN,
			      .flows = bench.flows,
			      .nb = size->flows,
			      .in_order = true,
			      .learn = true,
			      .own_clock = true};
	struct source hits = {
		.kind = TRAFFIC_BOTH, .flows = bench.flows, .nb = size->flows, .rng = 3};
	struct weir_worker *worker = &first_lab.engine.workers[0];
	uint64_t sent = 0;

	if (lab_start(&first_lab, bench.mbufs, 1, size->flows + size->flows / 4, LAB_DNAT) != 0) {
		fail("residence.70", "start of the engine", 0, 1);
		return;
	}
	for (uint32_t i = 0; i < size->flows; i++)
		bench.flows[i] = traffic_flow(i);
	run(worker, &syns, size->flows, &sent, NULL);
	for (uint32_t round = 0; round == 0 || !enough_rounds("residence.70", round); round++) {
		struct calibration before = calibrate();
		double ns = run(worker, &hits, LEAST_PACKETS / 4, &sent, NULL);
		double gap = ns * 100 / RESIDENCE_PERCENT * (double)rte_get_tsc_hz() / 1e9;

		for (int trial = 0; trial < RESIDENCE_TRIALS; trial++)
			residence_trial(worker, &hits, gap, residences + trial * RESIDENCE_PACKETS);
		struct calibration seen = worse(before, calibrate());
		qsort(residences, nb, sizeof(*residences), compare_times);
		report_add(&bench.report, "residence.70", "ns_per_packet", "ns", ns, NULL, 0, seen);
		report_add(&bench.report, "residence.70", "p50_us", "us",
			   yardstick_ns(residences[nb / 2]) / 1e3, NULL, 0, seen);
		report_add(&bench.report, "residence.70", "p99_us", "us",
			   yardstick_ns(residences[nb / 100 * 99]) / 1e3, NULL, 0, seen);
	}
	lab_stop(&first_lab);
}

// Two workers of one engine, against two engines that share nothing

struct side {
	struct weir_worker *worker;
	struct source source;
	uint32_t packets;
	double packets_per_ns;
};

static atomic_int sides_ready;

static int run_side(void *arg)
{
	struct side *side = arg;
	uint64_t sent = 0;

	atomic_fetch_add(&sides_ready, 1);
	while (atomic_load(&sides_ready) < 2)
		rte_pause();
	side->packets_per_ns = 1 / run(side->worker, &side->source, side->packets, &sent, NULL);
	if (sent != side->packets)
		fail("scale.2lcores", "packets forwarded", side->packets, sent);
	return 0;
}

static double run_both(struct side sides[2])
{
	unsigned int other = rte_get_next_lcore(-1, 1, 0);

	atomic_store(&sides_ready, 0);
	rte_eal_remote_launch(run_side, &sides[1], other);
	run_side(&sides[0]);
	rte_eal_wait_lcore(other);
	return sides[0].packets_per_ns + sides[1].packets_per_ns;
}

// Sorts flows by the worker that owns them; returns how many are the first one's.
static uint32_t split_by_owner(struct weir_worker *first, uint32_t nb)
{
	struct rte_ring *handed_over = first->engine->workers[1].inbound;
	uint32_t own = 0;

	for (uint32_t i = 0; i < nb; i++) {
		struct traffic_flow flow = traffic_flow(i);
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(first->engine->mbufs);
		struct weir_burst burst = {.worker = first,
					   .config = atomic_load(&first->engine->config),
					   .nb = 1,
					   .mbufs = {mbuf}};

		traffic_fill(mbuf, TRAFFIC_SYN, &flow, i);
		weir_parse_process(&burst);
		weir_owner_process(&burst);
		if (burst.nb == 1)
			bench.flows[own++] = flow;
		else
			bench.flows[nb - 1 - (i - own)] = flow;
		if (burst.nb == 0)
			(void)rte_ring_dequeue(handed_over, (void **)&mbuf);
		rte_pktmbuf_free(mbuf);
	}
	return own;
}

static struct side side_of(struct weir_worker *worker, struct traffic_flow *flows, uint32_t nb)
{
	struct side side = {
		.worker = worker,
		.source = {.kind = TRAFFIC_SYN,
			   .flows = flows,
			   .nb = nb,
			   .in_order = true,
			   .learn = true,
			   .own_clock = true},
		.packets = nb,
	};
	uint64_t sent = 0;

	run(worker, &side.source, nb, &sent, NULL);
	side.source = (struct source){.kind = TRAFFIC_BOTH, .flows = flows, .nb = nb, .rng = nb};
	return side;
}

static void run_scale(const struct size *size, struct rte_mempool *second_mbufs)
{
	uint32_t capacity = RTE_MAX(1024u, size->flows);

	if (rte_lcore_count() < 2) {
		fprintf(stderr, "scale.2lcores: needs two cores\n");
		return;
	}
	if (lab_start(&first_lab, bench.mbufs, 2, capacity, LAB_DNAT) != 0 ||
	    lab_start(&second_lab, second_mbufs, 2, capacity, LAB_DNAT) != 0) {
		fail("scale.2lcores", "start of the engines", 0, 1);
		return;
	}
	// Both see the same workers behind a flow.
	second_lab.engine.rss = first_lab.engine.rss;
	uint32_t own = split_by_owner(&first_lab.engine.workers[0], size->flows);
	struct traffic_flow *others = bench.flows + own;
	struct side shared[2] = {
		side_of(&first_lab.engine.workers[0], bench.flows, own),
		side_of(&first_lab.engine.workers[1], others, size->flows - own),
	};
	struct side apart[2] = {shared[0],
				side_of(&second_lab.engine.workers[1], others, size->flows - own)};
	for (uint32_t round = 0; round == 0 || !enough_rounds("scale.2lcores", round); round++) {
		struct calibration before = calibrate();
		double together = run_both(shared);
		double alone = run_both(apart);
		struct calibration seen = worse(before, calibrate());

		report_add(&bench.report, "scale.2lcores", "ns_per_packet", "ns", 1 / together,
			   "unshared", 1 / alone, seen);
		report_add(&bench.report, "scale.2lcores", "efficiency", "x", together / alone,
			   NULL, 0, seen);
	}
	lab_stop(&second_lab);
	lab_stop(&first_lab);
}

static bool named(const char *name)
{
	return bench.options.filter == NULL || fnmatch(bench.options.filter, name, 0) == 0;
}

static void run_all(struct rte_mempool *second_mbufs)
{
	const struct size *large = &sizes[0];
	struct calibration seen;

	for (int i = 0; i < 20; i++)
		calibrate(); // the best of these, and of all to come
	for (size_t i = 0; i < RTE_DIM(sizes); i++) {
		for (int mode = 0; mode < LAB_NB_MODES; mode++) {
			struct case_group group = {.mode = (enum lab_mode)mode, .size = &sizes[i]};

			if (group_wanted(&group))
				run_group(&group);
		}
		if (sizes[i].flows <= bench.options.max_flows && named("rte_hash"))
			run_hash(&sizes[i]);
		if (sizes[i].flows <= RTE_MIN(bench.options.max_flows, 1000000u))
			large = &sizes[i];
	}
	if (named("residence.70"))
		run_residence(large);
	if (named("scale.2lcores"))
		run_scale(large, second_mbufs);
	seen = bench.report.best;
	report_add(&bench.report, "macswap", "ns_per_packet", "ns", seen.macswap_ns, NULL, 0, seen);
	report_add(&bench.report, "io", "ns_per_packet", "ns",
		   yardstick_io(bench.mbufs, CALIBRATION_PACKETS), NULL, 0, seen);
	report_add(&bench.report, "dram", "ns_per_access", "ns", seen.dram_ns, NULL, 0, seen);
}

static int usage(void)
{
	fputs("usage: engine-bench [--cases GLOB] [--max-flows N] [--json FILE] [--stages]\n"
	      "                    [--tolerance PERCENT] [--smoke]\n",
	      stderr);
	return EXIT_FAILURE;
}

static int parse_options(int argc, char **argv)
{
	static const struct option known[] = {
		{"cases", required_argument, NULL, 'c'},
		{"json", required_argument, NULL, 'j'},
		{"max-flows", required_argument, NULL, 'm'},
		{"stages", no_argument, NULL, 's'},
		{"tolerance", required_argument, NULL, 't'},
		{"smoke", no_argument, NULL, 'q'},
		{NULL, 0, NULL, 0},
	};
	int option;

	bench.options.max_flows = 8000000;
	bench.report.tolerance_percent = 15;
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			bench.options.filter = optarg;
			break;
		case 'j':
			bench.options.json = optarg;
			break;
		case 'm':
			bench.options.max_flows = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 't':
			bench.report.tolerance_percent = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 's':
			bench.options.stages = true;
			break;
		case 'q':
			bench.options.smoke = true;
			bench.report.tolerance_percent = 100000;
			bench.options.max_flows = sizes[0].flows;
			break;
		default:
			return -EINVAL;
		}
	}
	return optind == argc ? 0 : -EINVAL;
}

static int start_eal(void)
{
	// rte_hash lies in EAL's memory; the engine's tables do not.
	bool small = bench.options.max_flows <= 1000000;
	char *arguments[] = {"engine-bench",
			     "--no-huge",
			     "-m",
			     small ? "256" : "1536",
			     "--no-pci",
			     "--lcores",
			     sysconf(_SC_NPROCESSORS_ONLN) > 1 ? "0@0,1@1" : "0@0",
			     "--no-telemetry",
			     "--no-shconf",
			     "--log-level",
			     "error"};

	return rte_eal_init(RTE_DIM(arguments), arguments) < 0 ? -1 : 0;
}

static struct rte_mempool *make_pool(const char *name)
{
	return rte_pktmbuf_pool_create(name, NB_MBUFS, 512, WEIR_MBUF_PRIVATE_SIZE, ROOM,
				       SOCKET_ID_ANY);
}

static int write_json(void)
{
	FILE *file = fopen(bench.options.json, "w");

	if (file == NULL) {
		perror(bench.options.json);
		return -errno;
	}
	report_json(&bench.report, file);
	return fclose(file) == 0 ? 0 : -errno;
}

int main(int argc, char **argv)
{
	if (parse_options(argc, argv) != 0)
		return usage();
	if (start_eal() != 0)
		return EXIT_FAILURE;
	bench.mbufs = make_pool("mbufs");
	struct rte_mempool *second_mbufs = make_pool("more-mbufs");
	bench.chain = yardstick_chain_make();
	bench.flows = calloc(bench.options.max_flows, sizeof(*bench.flows));
	if (bench.mbufs == NULL || second_mbufs == NULL || bench.chain == NULL ||
	    bench.flows == NULL) {
		fputs("engine-bench: not enough memory\n", stderr);
		return EXIT_FAILURE;
	}
	run_all(second_mbufs);
	report_print(&bench.report, stdout);
	if (bench.options.json != NULL && write_json() != 0)
		return EXIT_FAILURE;
	yardstick_chain_free(bench.chain);
	free(bench.flows);
	return bench.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
