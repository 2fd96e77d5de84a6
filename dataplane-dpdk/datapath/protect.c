// SPDX-License-Identifier: Apache-2.0
//
// What stands between a new flow and its listener: sources, limits and the flood rule.

#include "datapath/datapath.h"

// Inserts beyond this fill of the table would soon fail; see docs/limits.md.
enum { FULL_TENTHS = 9 };

struct weir_limits *weir_limits_of(const struct weir_worker *worker, uint32_t binding_id)
{
	_Atomic(struct weir_limits *) *limits = worker->engine->limits_of;

	return limits != NULL ? atomic_load_explicit(&limits[binding_id], memory_order_acquire)
			      : NULL;
}

static void adopt(const struct weir_worker *worker, const struct weir_listener *listener)
{
	int64_t active = 0;

	for (uint32_t b = 0; b < listener->pool->nb_backends; b++)
		active += worker->engine->file.counters[worker->index][listener->binding_ids[b]]
				  .active_flows;
	weir_limits_adopt(listener->limits, worker->index, active);
}

enum weir_drop_reason weir_protect_new_flow(struct weir_worker *worker,
					    const struct weir_listener *listener,
					    const struct weir_packet *packet, bool *counted)
{
	*counted = false;
	if (!weir_listener_allows(listener, &packet->source))
		return WEIR_DROP_SOURCE_DENIED;
	if (listener->limits == NULL)
		return WEIR_DROP_NONE;
	if (!listener->limits->shares[worker->index].counting)
		adopt(worker, listener);
	return weir_limits_admit(listener->limits, worker->index, &packet->source, worker->now_ns,
				 counted);
}

bool weir_flooded(struct weir_worker *worker)
{
	const struct weir_flow_table *table = &worker->table;

	if ((uint64_t)weir_flow_table_used(table) * 10 >= (uint64_t)table->nb_flows * FULL_TENTHS)
		return true;
	if (worker->flood_tick != worker->now) {
		worker->flood_tick = worker->now;
		worker->flood_room = worker->engine->options.flood_new_flows_per_s != 0
					     ? worker->engine->options.flood_new_flows_per_s /
						       WEIR_TICKS_PER_SECOND
					     : UINT32_MAX;
	}
	if (worker->flood_room == 0)
		return true;
	worker->flood_room--;
	return false;
}
