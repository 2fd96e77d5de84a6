// SPDX-License-Identifier: Apache-2.0
//
// An engine without a port: real configuration, tables and datapath, frames from memory. What it
// sends is left in the worker's burst for the caller to look at and free.

#pragma once

#include "control/control.h"
#include "datapath/datapath.h"

enum {
	LAB_LBS = 16,     // one VIP and one pool each
	LAB_MEMBERS = 16, // per pool
	LAB_VIP_PORT = 80,
	LAB_MEMBER_PORT = 8080,
	LAB_MTU = 1500,
	LAB_FLOOD_NEW_FLOWS_PER_S = 500000, // the engine's default
};

struct lab {
	struct weir_engine engine;
	struct weir_control control;
	char dir[64];
};

enum lab_mode { LAB_DNAT, LAB_SNAT, LAB_DSR, LAB_TUNNEL, LAB_NB_MODES };

extern const char *const lab_mode_names[LAB_NB_MODES];
extern const uint8_t lab_own_mac[6];
extern const uint8_t lab_router_mac[6];

// Host order.
uint32_t lab_vip(uint32_t lb);

// flow_entries: per worker. Returns 0; -ENOTSUP when this engine lacks the mode; another -errno.
int lab_start(struct lab *lab, struct rte_mempool *mbufs, uint32_t nb_workers,
	      uint32_t flow_entries, enum lab_mode mode);
void lab_stop(struct lab *lab);

// What the worker's loop does for a burst that a port received.
static inline void lab_turn(struct weir_worker *worker, struct weir_burst *burst,
			    struct rte_mbuf **mbufs, uint16_t nb)
{
	burst->worker = worker;
	burst->config = atomic_load_explicit(&worker->engine->config, memory_order_acquire);
	burst->nb = nb;
	memcpy(burst->mbufs, mbufs, nb * sizeof(*mbufs));
	worker->rx_packets += nb;
	weir_burst_process(burst, true);
}

// Sum over the bindings of a worker.
struct weir_flow_counters lab_counters(const struct lab *lab, uint32_t worker);
uint64_t lab_drops(const struct lab *lab, uint32_t worker);
// Names the drops of a worker on standard error.
void lab_print_drops(const struct lab *lab, uint32_t worker);
// The workers' clock, which can be advanced.
uint32_t lab_now(void);
void lab_advance(uint32_t ticks);
// Lets every flow of the worker expire.
// Reads what the worker told of flows, as the control thread would.
void lab_take_records(struct weir_worker *worker);

void lab_expire_all(struct weir_worker *worker);
