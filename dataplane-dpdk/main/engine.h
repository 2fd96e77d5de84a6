// SPDX-License-Identifier: Apache-2.0
//
// What the threads of one engine share, and who writes it.

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>

#include "control/config.h"
#include "datapath/neighbour.h"
#include "flow/flow_file.h"
#include "flow/flow_table.h"
#include "flow/pins.h"
#include "flow/rss.h"
#include "lib/fragment_cache.h"
#include "lib/heartbeat.h"
#include "lib/path_mtu.h"
#include "lib/token_bucket.h"

#define WEIR_BURST 32
// Below 1 µs, 2 µs, 4 µs, ... and the rest.
#define WEIR_RESIDENCE_BUCKETS 20
#define WEIR_VERSION           "0.1.0"

struct weir_capture;
struct weir_flow_ring;
struct weir_top_sources;

// The map in xdp/steer.bpf.c has room for as many.
#define WEIR_MAX_KERNEL_ADDRESSES 16

struct weir_options {
	const char *socket_path;
	const char *state_dir;
	const char *heartbeat_path;
	const char *shm_dir;
	uint32_t flow_entries;          // per worker
	uint32_t flood_new_flows_per_s; // per worker; 0: no rule by rate
	enum weir_flow_file_wish flow_wish;
	uint16_t port;
	// Addresses whose BGP and ping the port's steering program leaves to the kernel.
	uint32_t nb_kernel_addresses;
	struct weir_address kernel_addresses[WEIR_MAX_KERNEL_ADDRESSES];
};

// A purge runs over every worker's table once, removing the flows that it names. Made by the
// control thread, which frees it once all workers passed it.
struct weir_purge {
	uint64_t number;
	const uint8_t *backends; // [backend id]: not 0: remove
	const uint8_t *bindings; // [binding id]
	uint32_t nb_vips;
	struct {
		struct weir_address address;
		uint32_t lb_id;
	} * vips;
};

// What a worker knows of a backend's flows on all workers.
struct weir_load {
	uint32_t taken_ms; // when `sum` was made
	int32_t own;       // this worker's part of it
	int64_t sum;
};

// One worker lcore. Written by the worker, except where said otherwise; counters are read by the
// control thread, which tolerates any word being a moment old.
struct weir_worker {
	struct weir_engine *engine;
	uint32_t index;
	unsigned int lcore;
	bool owns_port; // polls a queue of the port and sends; others hand over through rings
	uint16_t queue; // the worker's queue of the port, if it owns one
	struct weir_flow_table table;
	struct weir_snat *snat;    // in the node of the configuration in use
	struct rte_ring *inbound;  // frames that another worker received for this one
	struct rte_ring *outbound; // frames ready to be sent; control and other workers write
	// The burst that is being sent.
	struct rte_mbuf *tx[WEIR_BURST * 4];
	uint16_t nb_tx;
	uint32_t now;        // tick
	uint32_t now_ms;     // of the monotonic clock, at the turn's start
	int64_t now_ns;      // likewise
	uint32_t flood_tick; // the tick that flood_room belongs to
	uint32_t flood_room; // new entries until the flood rule comes into force
	uint64_t flood_forwarded;
	struct weir_load *loads; // [backend]; NULL: none, sums are made when needed
	uint32_t rng;
	uint64_t rx_packets;
	uint64_t tx_packets;
	uint64_t tx_dropped;
	uint64_t idle_sleeps;
	_Atomic(struct weir_flow_ring *) flow_ring; // written by control; NULL: nobody asked
	struct weir_top_sources *top;               // of this interval; NULL: nobody asked
	_Atomic uint32_t top_turn;                  // of the engine's that it follows
	uint64_t received_tsc; // when the packets of the turn came; 0: none did
	uint64_t residence[WEIR_RESIDENCE_BUCKETS]; // packets by log2 of microseconds
	uint64_t purged;                            // number of the last purge passed
	uint32_t purge_cursor;
	uint32_t next_sweep; // tick
	// Packets off the usual way (datapath/exceptions.h).
	struct weir_token_bucket icmp_errors;
	struct weir_token_bucket peer_passes;
	struct weir_fragment_cache fragments;
	struct rte_mbuf *released[WEIR_FRAGMENT_HELD]; // fragments whose first one came
	uint32_t nb_released;
	uint32_t fragment_id; // the last one given to a datagram
} __rte_cache_aligned;

struct weir_engine {
	struct weir_options options;
	uint64_t start_id;
	int64_t started_us;
	_Atomic bool stopping; // written by the signal handler, ends the control thread's loop
	_Atomic bool halted;   // written by the control thread, ends the workers' loops
	bool ready;

	uint16_t port;
	uint16_t nb_queues; // of the port: one, or one for each worker
	struct weir_rss rss;
	struct rte_ether_addr mac;
	struct rte_mempool *mbufs;
	struct rte_ring *punts; // frames for the control thread; all workers write
	int wake_fd;            // eventfd that ends the control thread's sleep
	_Atomic bool control_asleep;

	struct weir_flow_file file;
	struct weir_heartbeat *heartbeat;
	uint64_t flows_recovered;
	struct weir_pins pins; // source persistence
	// [binding]; written by control, read by workers. NULL: tests without limits.
	_Atomic(struct weir_limits *) *limits_of;

	_Atomic(struct weir_config *) config; // written by control, read by workers
	_Atomic(struct weir_purge *) purge;   // written by control, read by workers
	// Intervals of top sources, written by control: a worker uses the one of its two that the
	// turn names; 0: nobody asked.
	_Atomic uint32_t top_turn;
	struct weir_top_sources *tops[WEIR_MAX_WORKERS][2];
	_Atomic(struct weir_capture *) capture; // written by control, read by workers; NULL: none
	struct rte_rcu_qsbr *qsbr;              // workers report, control waits
	uint64_t us_per_tsc;                    // microseconds per TSC cycle, times 2^32
	struct weir_neighbours neighbours;
	struct weir_path_mtus path_mtus; // written and read by workers

	uint32_t nb_workers;
	struct weir_worker workers[WEIR_MAX_WORKERS];
};
