// SPDX-License-Identifier: Apache-2.0

#include "datapath/datapath.h"
#include "datapath/flow_records.h"

enum {
	SWEEPS_PER_ROUND = 16, // one piece per tick: a round takes 1.6 s
	PURGE_PIECE = 8192,    // entries per turn of the worker's loop
	RESET_PIECE = 64,      // flows that are reset per turn: each takes two packets
};

static void expire(struct weir_worker *worker)
{
	struct weir_flow_table *table = &worker->table;
	uint32_t piece = weir_flow_table_span(table) / SWEEPS_PER_ROUND + 1;
	uint32_t resets = 0;

	for (uint32_t n = 0; n < piece; n++) {
		struct weir_flow *flow = weir_flow_next(table, &table->sweep_cursor);

		if (flow == NULL) {
			table->sweep_cursor = 0;
			continue;
		}
		if (flow->state == WEIR_FLOW_FREE)
			continue;
		if ((int32_t)(worker->now - flow->expires) <= 0)
			continue;
		if ((flow->flags & WEIR_FLOW_RESET_IDLE) && resets == RESET_PIECE)
			continue; // in the next round
		if ((flow->flags & WEIR_FLOW_RESET_IDLE) &&
		    weir_flow_condemn(worker, flow, weir_flow_state_end(flow->state)))
			resets++;
		else
			weir_flow_drop_entry(worker, flow, weir_flow_state_end(flow->state));
	}
}

static bool purge_names(const struct weir_flow_file *file, const struct weir_purge *purge,
			const struct weir_flow *flow)
{
	const struct weir_target *target = weir_flow_target(file, flow);

	if (purge->backends[target->backend_id] || purge->bindings[flow->binding_id])
		return true;
	if (purge->nb_vips == 0)
		return false;
	struct weir_address vip = weir_flow_vip_address(flow);
	for (uint32_t i = 0; i < purge->nb_vips; i++)
		if (weir_address_equal(&purge->vips[i].address, &vip) &&
		    purge->vips[i].lb_id == target->lb_id)
			return true;
	return false;
}

// Returns true while there is more to look at.
static bool purge_piece(struct weir_worker *worker, const struct weir_purge *purge)
{
	struct weir_flow_table *table = &worker->table;
	uint32_t resets = 0;

	for (int n = 0; n < PURGE_PIECE && resets < RESET_PIECE; n++) {
		struct weir_flow *flow = weir_flow_next(table, &worker->purge_cursor);

		if (flow == NULL)
			goto done;
		if (flow->state == WEIR_FLOW_FREE || (flow->flags & WEIR_FLOW_CONDEMNED) ||
		    !purge_names(&worker->engine->file, purge, flow))
			continue;
		if (weir_flow_condemn(worker, flow, WEIR_END_DRAINED))
			resets++;
		else
			weir_flow_drop_entry(worker, flow, WEIR_END_DRAINED);
	}
	return true;
done:
	worker->purge_cursor = 0;
	__atomic_store_n(&worker->purged, purge->number, __ATOMIC_RELEASE);
	return false;
}

bool weir_flow_sweep(struct weir_worker *worker)
{
	const struct weir_purge *purge =
		atomic_load_explicit(&worker->engine->purge, memory_order_acquire);

	if ((int32_t)(worker->now - worker->next_sweep) >= 0) {
		worker->next_sweep = worker->now + 1;
		weir_flow_records_tick(worker);
		expire(worker);
	}
	return purge != NULL && worker->purged != purge->number && purge_piece(worker, purge);
}
