// SPDX-License-Identifier: Apache-2.0

#include "datapath/flow_records.h"

// The next free place, or NULL; published by put().
static struct weir_flow_event *take(struct weir_flow_ring *ring)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);

	if (head - tail == WEIR_FLOW_EVENTS) {
		uint64_t lost = atomic_load_explicit(&ring->lost, memory_order_relaxed);

		atomic_store_explicit(&ring->lost, lost + 1, memory_order_relaxed);
		return NULL;
	}
	return &ring->events[head & (WEIR_FLOW_EVENTS - 1)];
}

static void put(struct weir_flow_ring *ring)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

void weir_flow_record_start(struct weir_worker *worker, struct weir_flow_ring *ring,
			    const struct weir_flow_spec *flow)
{
	struct weir_flow_event *event = take(ring);

	if (event == NULL)
		return;
	event->flow = *flow;
	event->tick = worker->now;
	event->started = true;
	put(ring);
}

void weir_flow_record_end(struct weir_worker *worker, struct weir_flow_ring *ring,
			  const struct weir_flow *flow, enum weir_flow_end end)
{
	struct weir_flow_event *event = take(ring);

	if (event == NULL)
		return;
	weir_flow_read(flow, &event->flow);
	event->tick = worker->now;
	event->started = false;
	event->end = end;
	put(ring);
}

void weir_flow_records_tick(struct weir_worker *worker)
{
	struct weir_engine *engine = worker->engine;
	uint32_t turn = atomic_load_explicit(&engine->top_turn, memory_order_acquire);

	if (turn == atomic_load_explicit(&worker->top_turn, memory_order_relaxed))
		return;
	worker->top = turn != 0 ? engine->tops[worker->index][turn & 1] : NULL;
	atomic_store_explicit(&worker->top_turn, turn, memory_order_release);
}
