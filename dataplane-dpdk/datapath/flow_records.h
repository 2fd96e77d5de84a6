// SPDX-License-Identifier: Apache-2.0
//
// What workers tell of flows, for those who ask for it: an event when one starts or ends, in a
// ring per worker, and the sources that begin most. Nobody waits: an event that finds no room is
// counted as lost.

#pragma once

#include <stdatomic.h>

#include <rte_branch_prediction.h>

#include "lib/top_sources.h"
#include "main/engine.h"

#define WEIR_FLOW_EVENTS 8192 // per worker; a power of two

struct weir_flow_event {
	struct weir_flow_spec flow;
	uint32_t tick;
	bool started;           // otherwise ended
	enum weir_flow_end end; // of an ended flow
};

struct weir_flow_ring {
	_Atomic uint32_t head __rte_cache_aligned; // written by the worker
	_Atomic uint64_t lost;                     // written by the worker
	_Atomic uint32_t tail __rte_cache_aligned; // written by control
	struct weir_flow_event events[WEIR_FLOW_EVENTS] __rte_cache_aligned;
};

void weir_flow_record_start(struct weir_worker *worker, struct weir_flow_ring *ring,
			    const struct weir_flow_spec *flow);
void weir_flow_record_end(struct weir_worker *worker, struct weir_flow_ring *ring,
			  const struct weir_flow *flow, enum weir_flow_end end);
// Once per tick: turns to the sources of the current interval.
void weir_flow_records_tick(struct weir_worker *worker);

static inline void weir_flow_tell_start(struct weir_worker *worker,
					const struct weir_flow_spec *flow, uint32_t lb_id)
{
	struct weir_flow_ring *ring =
		atomic_load_explicit(&worker->flow_ring, memory_order_acquire);

	if (unlikely(worker->top != NULL))
		weir_top_sources_add(worker->top, lb_id, &flow->client_address);
	if (unlikely(ring != NULL))
		weir_flow_record_start(worker, ring, flow);
}

static inline void weir_flow_tell_end(struct weir_worker *worker, const struct weir_flow *flow,
				      enum weir_flow_end end)
{
	struct weir_flow_ring *ring =
		atomic_load_explicit(&worker->flow_ring, memory_order_acquire);

	if (unlikely(ring != NULL))
		weir_flow_record_end(worker, ring, flow, end);
}
