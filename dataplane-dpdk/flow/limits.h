// SPDX-License-Identifier: Apache-2.0
//
// Limits of one listener on this node: new flows per second and active flows, of all sources and
// of each. Workers take leases of the shared totals, so that the share of one that gets most of the
// packets is not bounded by the others' idle ones, and a shared word is written once per lease.
//
// Sources are kept in a table that all workers share, 8 slots to a set, found by a keyed hash. A
// slot is given to another source once it holds no flow and its rate has recovered. When a set is
// full a new source is not limited by itself (counted), only by the listener's totals: sources that
// somebody else made up can never shut anybody out. The table's memory exists only with limits per
// source.
//
// Control sets the bounds; workers count. An object is shared by successive configurations of its
// listener, so that counts go on; the control thread alone touches `references`.

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/address.h"
#include "lib/drop_reason.h"

#define WEIR_LIMITS_SOURCE_SETS 4096
#define WEIR_LIMITS_SET_SLOTS   8

// 0: no limit.
struct weir_limit_bounds {
	uint64_t new_flows_per_s;
	uint64_t active_flows;
	uint64_t new_flows_per_source_per_s;
	uint64_t active_flows_per_source;
};

struct weir_limit_source {
	_Atomic uint64_t holder; // upper 40 bits name the source, lower 24 count its flows; 0: free
	_Atomic int64_t ready_ns; // when a new flow is within its rate again
};

// What one worker holds; written by it alone.
struct weir_limit_share {
	uint64_t tokens; // new flows that it may still begin before tokens_until_ns
	int64_t tokens_until_ns;
	int64_t active; // flows that count
	int64_t leased; // flows that it may have
	bool counting;  // `active` is set; before that the flows of older configurations are not in
			// it
	uint8_t pad[31];
};

_Static_assert(sizeof(struct weir_limit_share) == 64, "one cache line per worker");

struct weir_limits {
	uint32_t references;
	uint64_t bound_in; // number of the configuration that has it; control alone
	uint32_t nb_workers;
	uint64_t key[2];
	// This node's part of the bounds; written by control, read by workers.
	_Atomic uint64_t new_flows_per_s;
	_Atomic uint64_t active_flows;
	_Atomic uint64_t new_flows_per_source_per_s;
	_Atomic uint64_t active_flows_per_source;
	// Shared by workers, touched once per lease.
	_Atomic int64_t ready_ns;
	_Atomic int64_t leased;
	_Atomic uint64_t untracked; // flows of sources that found no slot
	struct weir_limit_share *shares;
	struct weir_limit_source *sources; // NULL: none needed so far
};

// One reference. key: secret of the hash of sources. Returns NULL without memory.
struct weir_limits *weir_limits_new(uint32_t nb_workers, const uint64_t key[2]);
void weir_limits_release(struct weir_limits *limits);

// Prepares for `bounds`: sources need memory. Before the object is published with them.
// Returns 0 or -ENOMEM.
int weir_limits_prepare(struct weir_limits *limits, const struct weir_limit_bounds *bounds);

// Sets the PoP's bounds divided by its live nodes, rounded up.
void weir_limits_set(struct weir_limits *limits, const struct weir_limit_bounds *bounds,
		     uint32_t nb_nodes);

// May a source begin a flow? It counts among the active ones by weir_limits_began(). *counted
// answers whether the source's flows are, to be given to weir_limits_ended(). Returns
// WEIR_DROP_NONE or the limit that is reached. now_ns: any clock that only rises, the same for all
// workers.
enum weir_drop_reason weir_limits_admit(struct weir_limits *limits, uint32_t worker,
					const struct weir_address *source, int64_t now_ns,
					bool *counted);

// The flow did not begin after all: takes its source's count back.
void weir_limits_forget(struct weir_limits *limits, const struct weir_address *source);

// A flow of the listener has begun, admitted or not.
void weir_limits_began(struct weir_limits *limits, uint32_t worker);

// A flow of the listener has ended.
void weir_limits_ended(struct weir_limits *limits, uint32_t worker,
		       const struct weir_address *source, bool counted);

// Sets what a worker has now; called by the worker before it first admits. Flows that began before
// are counted from here on, though not by source.
void weir_limits_adopt(struct weir_limits *limits, uint32_t worker, int64_t active);
