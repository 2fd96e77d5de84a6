// SPDX-License-Identifier: Apache-2.0
//
// A worker lcore's loop: run to completion, a turn at a time. After some time without packets it
// sleeps between turns, longer as the quiet lasts, because engines may share cores.

#include "main/worker.h"

#include <sys/prctl.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_ring.h>

#include "datapath/datapath.h"
#include "datapath/exceptions.h"
#include "main/log.h"

enum {
	POLLS_BEFORE_SLEEP = 64,
	SLEEP_SHORT_US = 20,
	SLEEP_LONG_US = 250,
	SLEEP_IDLE_US = 1000,
	QUIET_LONG_MS = 10,
	QUIET_IDLE_MS = 1000,
};

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

// The SNAT bits of a new node configuration start empty; flows that lived before mark theirs.
void weir_worker_adopt_snat(struct weir_worker *worker, struct weir_snat *snat)
{
	const struct weir_flow_table *table = &worker->table;
	uint32_t cursor = 0;
	const struct weir_flow *flow;
	struct weir_flow_spec spec;

	while (snat != NULL && (flow = weir_flow_next(table, &cursor)) != NULL) {
		if (flow->state == WEIR_FLOW_FREE || !(flow->flags & WEIR_FLOW_SNAT))
			continue;
		weir_flow_read(flow, &spec);
		weir_snat_mark(
			&snat->families[weir_family_of(&spec.snat_address)],
			weir_snat_plane(spec.protocol, &spec.member_address, spec.member_port),
			&spec.snat_address, spec.snat_port);
	}
	worker->snat = snat;
}

static const struct weir_config *current_config(struct weir_worker *worker)
{
	const struct weir_config *config =
		atomic_load_explicit(&worker->engine->config, memory_order_acquire);
	struct weir_snat *snat = config->node != NULL ? &config->node->snat[worker->index] : NULL;

	if (snat != worker->snat)
		weir_worker_adopt_snat(worker, snat);
	return config;
}

// Frames from a ring came in at another time than those that wait for being sent.
static void begin_burst(struct weir_worker *worker, struct rte_mbuf *first)
{
	weir_port_tx_flush(worker);
	worker->received_tsc = weir_punt_of(first)->received_tsc;
}

static uint32_t serve_rings(struct weir_worker *worker, struct weir_burst *burst)
{
	uint32_t served = 0;

	if (worker->engine->nb_workers > 1) {
		burst->nb = (uint16_t)rte_ring_dequeue_burst(worker->inbound, (void **)burst->mbufs,
							     WEIR_BURST, NULL);
		served += burst->nb;
		if (burst->nb > 0) {
			begin_burst(worker, burst->mbufs[0]);
			weir_burst_process(burst, false);
		}
	}
	// Frames of the control thread, and of workers without a queue.
	if (worker->index == 0) {
		struct rte_mbuf *frames[WEIR_BURST];
		unsigned int nb =
			rte_ring_dequeue_burst(worker->outbound, (void **)frames, WEIR_BURST, NULL);

		if (nb > 0)
			begin_burst(worker, frames[0]);
		for (unsigned int i = 0; i < nb; i++)
			weir_port_tx(worker, frames[i]);
		served += nb;
	}
	return served;
}

bool weir_worker_turn(struct weir_worker *worker)
{
	struct weir_burst burst = {.worker = worker, .config = current_config(worker)};
	uint32_t served = 0;

	worker->now = weir_tick_now();
	worker->now_ns = (int64_t)monotonic_ns();
	worker->now_ms = (uint32_t)(worker->now_ns / 1000000);
	if (worker->owns_port && weir_port_rx(worker, &burst) > 0) {
		served = burst.nb;
		weir_burst_process(&burst, true);
	}
	served += serve_rings(worker, &burst);
	served += weir_fragment_poll(worker, burst.config);
	weir_port_tx_flush(worker);
	return weir_flow_sweep(worker) || served > 0;
}

static void sleep_us(long us)
{
	struct timespec time = {.tv_nsec = us * 1000};

	nanosleep(&time, NULL);
}

static void rest(struct weir_worker *worker, uint64_t quiet_ns)
{
	long us = SLEEP_SHORT_US;

	if (quiet_ns > (uint64_t)QUIET_IDLE_MS * 1000000)
		us = SLEEP_IDLE_US;
	else if (quiet_ns > (uint64_t)QUIET_LONG_MS * 1000000)
		us = SLEEP_LONG_US;
	worker->idle_sleeps++;
	sleep_us(us);
}

int weir_worker_main(void *arg)
{
	struct weir_worker *worker = arg;
	struct weir_engine *engine = worker->engine;
	struct weir_heartbeat_lcore *heartbeat = &engine->heartbeat->lcores[worker->index];
	uint32_t empty_polls = 0;
	uint64_t last_busy = monotonic_ns();

	prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
	worker->lcore = rte_lcore_id();
	rte_rcu_qsbr_thread_online(engine->qsbr, worker->index);
	while (!atomic_load_explicit(&engine->halted, memory_order_relaxed)) {
		bool busy = weir_worker_turn(worker);
		uint64_t now = monotonic_ns();

		rte_rcu_qsbr_quiescent(engine->qsbr, worker->index);
		atomic_store_explicit(&heartbeat->beat_ns, now, memory_order_relaxed);
		if (busy) {
			empty_polls = 0;
			last_busy = now;
		} else if (++empty_polls >= POLLS_BEFORE_SLEEP) {
			rest(worker, now - last_busy);
		}
	}
	rte_rcu_qsbr_thread_offline(engine->qsbr, worker->index);
	return 0;
}
