// SPDX-License-Identifier: Apache-2.0

#include "datapath/datapath.h"
#include "datapath/flow_records.h"

static struct weir_flow_counters *counters_of(struct weir_worker *worker, uint32_t binding_id)
{
	return &worker->engine->file.counters[worker->index][binding_id];
}

static uint64_t *active_of(struct weir_worker *worker, uint32_t binding_id)
{
	const struct weir_flow_file *file = &worker->engine->file;

	return &file->backend_active[worker->index][file->targets[binding_id].backend_id];
}

void weir_flow_started(struct weir_worker *worker, const struct weir_flow_spec *flow, bool adopted)
{
	struct weir_flow_counters *counters = counters_of(worker, flow->binding_id);
	const struct weir_target *target = &worker->engine->file.targets[flow->binding_id];

	counters->active_flows++;
	counters->held_flows++;
	counters->half_open_flows += flow->state == WEIR_FLOW_SYN_SENT;
	++*active_of(worker, flow->binding_id);
	struct weir_limits *limits = weir_limits_of(worker, flow->binding_id);
	if (limits != NULL)
		weir_limits_began(limits, worker->index);
	if (adopted)
		counters->adopted_flows++;
	else
		counters->new_flows++;
	weir_flow_tell_start(worker, flow, target->lb_id);
}

void weir_flow_ended(struct weir_worker *worker, struct weir_flow *flow, enum weir_flow_end end)
{
	struct weir_flow_counters *counters = counters_of(worker, flow->binding_id);

	if (flow->flags & WEIR_FLOW_ENDED)
		return;
	flow->flags |= WEIR_FLOW_ENDED;
	counters->active_flows--;
	--*active_of(worker, flow->binding_id);
	counters->ended[end]++;
	struct weir_limits *limits = weir_limits_of(worker, flow->binding_id);
	if (limits != NULL) {
		struct weir_address client = weir_flow_client_address(flow);

		weir_limits_ended(limits, worker->index, &client, flow->flags & WEIR_FLOW_COUNTED);
		flow->flags &= (uint8_t)~WEIR_FLOW_COUNTED;
	}
	weir_flow_tell_end(worker, flow, end);
}

void weir_flow_answered(struct weir_worker *worker, const struct weir_flow *flow)
{
	counters_of(worker, flow->binding_id)->half_open_flows--;
}

void weir_flow_revived(struct weir_worker *worker, struct weir_flow *flow)
{
	struct weir_flow_counters *counters = counters_of(worker, flow->binding_id);

	// Its end is counted already and counters only rise: it counts as found in mid-flow.
	flow->flags &= (uint8_t)~WEIR_FLOW_ENDED;
	counters->active_flows++;
	counters->adopted_flows++;
	++*active_of(worker, flow->binding_id);
	struct weir_limits *limits = weir_limits_of(worker, flow->binding_id);
	if (limits != NULL)
		weir_limits_began(limits, worker->index);
}

void weir_flow_free_snat(struct weir_worker *worker, const struct weir_flow *flow)
{
	struct weir_flow_spec spec;

	if (!(flow->flags & WEIR_FLOW_SNAT) || worker->snat == NULL)
		return;
	weir_flow_read(flow, &spec);
	weir_snat_give_back(&worker->snat->families[weir_family_of(&spec.snat_address)],
			    weir_snat_plane(spec.protocol, &spec.member_address, spec.member_port),
			    &spec.snat_address, spec.snat_port);
}

void weir_flow_drop_entry(struct weir_worker *worker, struct weir_flow *flow,
			  enum weir_flow_end end)
{
	weir_flow_ended(worker, flow, end);
	if (flow->state == WEIR_FLOW_SYN_SENT)
		weir_flow_answered(worker, flow);
	counters_of(worker, flow->binding_id)->held_flows--;
	weir_flow_free_snat(worker, flow);
	weir_flow_remove(&worker->table, flow);
}
