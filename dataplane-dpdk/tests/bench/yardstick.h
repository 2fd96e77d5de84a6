// SPDX-License-Identifier: Apache-2.0
//
// What the engine is held against, on the same machine in the same moment: loops over the same
// mbufs that do next to nothing, one chain of dependent memory accesses, and DPDK's own hash table.

#pragma once

#include <stdint.h>

#include <rte_mempool.h>

#include "tests/bench/traffic.h"

// ns per packet: taken from the pool, handed through, given back.
double yardstick_io(struct rte_mempool *mbufs, uint32_t packets);
// The same, with both MAC addresses exchanged.
double yardstick_macswap(struct rte_mempool *mbufs, uint32_t packets);

// A random cycle through 256 MiB; NULL without memory. ns per dependent access.
struct yardstick_chain;
struct yardstick_chain *yardstick_chain_make(void);
void yardstick_chain_free(struct yardstick_chain *chain);
double yardstick_dram(struct yardstick_chain *chain, uint32_t accesses);

struct yardstick_hash_times {
	double insert_ns; // per key
	double lookup_ns; // per key, in bulks of 32
};
// rte_hash with the client's 5-tuple of each flow as its key. Returns 0 or -ENOMEM.
int yardstick_hash(const struct traffic_flow *flows, uint32_t nb, uint32_t lookups,
		   struct yardstick_hash_times *times);

// Seconds of the clock that all loops are measured by.
double yardstick_ns(uint64_t tsc);
