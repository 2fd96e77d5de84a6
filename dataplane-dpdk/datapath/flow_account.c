// SPDX-License-Identifier: Apache-2.0

#include "datapath/datapath.h"

static struct weir_flow_counters *counters_of(struct weir_worker *worker,
					      const struct weir_flow *flow)
{
	return &worker->engine->file.counters[worker->index][flow->binding_id];
}

void weir_flow_started(struct weir_worker *worker, const struct weir_flow *flow, bool adopted)
{
	struct weir_flow_counters *counters = counters_of(worker, flow);

	counters->active_flows++;
	counters->held_flows++;
	worker->engine->file.backend_active[worker->index][flow->backend_id]++;
	if (adopted)
		counters->adopted_flows++;
	else
		counters->new_flows++;
}

void weir_flow_ended(struct weir_worker *worker, struct weir_flow *flow, enum weir_flow_end end)
{
	struct weir_flow_counters *counters = counters_of(worker, flow);

	if (flow->flags & WEIR_FLOW_ENDED)
		return;
	flow->flags |= WEIR_FLOW_ENDED;
	counters->active_flows--;
	worker->engine->file.backend_active[worker->index][flow->backend_id]--;
	counters->ended[end]++;
}

void weir_flow_revived(struct weir_worker *worker, struct weir_flow *flow)
{
	struct weir_flow_counters *counters = counters_of(worker, flow);

	// Its end is counted already and counters only rise: it counts as found in mid-flow.
	flow->flags &= (uint8_t)~WEIR_FLOW_ENDED;
	counters->active_flows++;
	counters->adopted_flows++;
	worker->engine->file.backend_active[worker->index][flow->backend_id]++;
}

void weir_flow_free_snat(struct weir_worker *worker, const struct weir_flow *flow)
{
	if (weir_address_is_none(&flow->snat_address) || worker->snat == NULL)
		return;
	weir_snat_give_back(
		&worker->snat->families[weir_family_of(&flow->snat_address)],
		weir_snat_plane(flow->protocol, &flow->member_address, flow->member_port),
		&flow->snat_address, flow->snat_port);
}

void weir_flow_drop_entry(struct weir_worker *worker, struct weir_flow *flow,
			  enum weir_flow_end end)
{
	weir_flow_ended(worker, flow, end);
	counters_of(worker, flow)->held_flows--;
	weir_flow_free_snat(worker, flow);
	weir_flow_remove(&worker->table, flow);
}
