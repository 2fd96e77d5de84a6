// SPDX-License-Identifier: Apache-2.0
//
// Which drains still have flows to wait for.

#include <errno.h>
#include <stdlib.h>

#include "control/control.h"

enum { VIP_SEARCH_US = 1000000 };

static bool binding_active(const struct weir_flow_file *file, uint32_t id)
{
	for (uint32_t w = 0; w < file->header->nb_workers; w++)
		if (file->counters[w][id].active_flows != 0)
			return true;
	return false;
}

// Marks the load balancers that have active flows.
static void mark_busy(const struct weir_flow_file *file, uint8_t *busy)
{
	for (uint32_t id = 0; id < file->header->nb_bindings; id++)
		if (file->bindings[id].used && !busy[file->bindings[id].lb_id] &&
		    binding_active(file, id))
			busy[file->bindings[id].lb_id] = 1;
}

static bool flow_is_of(const struct weir_flow_file *file, const struct weir_flow *flow,
		       const struct weir_purge_rule *rule)
{
	struct weir_address vip = weir_flow_vip_address(flow);

	return flow->binding_id < file->header->nb_bindings &&
	       weir_flow_target(file, flow)->lb_id == rule->id &&
	       weir_address_equal(&vip, &rule->vip);
}

// Looks through all tables for flows of VIPs that drain. Workers write meanwhile, but a flow that
// lasts is seen, and new ones do not come.
static void search_vips(struct weir_control *control, uint8_t *active)
{
	const struct weir_engine *engine = control->engine;

	for (uint32_t w = 0; w < engine->nb_workers; w++) {
		uint32_t cursor = 0;
		const struct weir_flow *flow;

		while ((flow = weir_flow_next(&engine->workers[w].table, &cursor)) != NULL) {
			if (flow->state == WEIR_FLOW_FREE || weir_flow_state_over(flow->state) ||
			    (flow->flags & WEIR_FLOW_CONDEMNED))
				continue;
			for (uint32_t i = 0; i < control->nb_rules; i++)
				if (control->rules[i].kind == WEIR_PURGE_VIP && !active[i] &&
				    flow_is_of(&engine->file, flow, &control->rules[i]))
					active[i] = 1;
		}
	}
}

// The counters know whether a load balancer has flows at all; where it goes on with other VIPs, the
// tables must be searched, for which the control thread takes at most a hundredth of its time.
static int mark_vips(struct weir_control *control, uint8_t *active, int64_t now)
{
	uint8_t *busy = calloc(1, WEIR_MAX_LBS);
	bool search = false;

	if (busy == NULL)
		return -ENOMEM;
	mark_busy(&control->engine->file, busy);
	for (uint32_t i = 0; i < control->nb_rules; i++) {
		uint32_t lb_id = control->rules[i].id;

		if (control->rules[i].kind != WEIR_PURGE_VIP || !busy[lb_id])
			continue;
		active[i] = control->lb_places[lb_id] == 0 || now < control->next_vip_search_us;
		search = search || !active[i];
	}
	free(busy);
	if (search) {
		search_vips(control, active);
		int64_t spent = weir_unix_us() - now;
		control->next_vip_search_us = now + RTE_MAX((int64_t)VIP_SEARCH_US, spent * 100);
	}
	return 0;
}

int weir_drain_mark_active(struct weir_control *control, uint8_t *active, int64_t now)
{
	const struct weir_flow_file *file = &control->engine->file;
	bool vips = false;

	for (uint32_t i = 0; i < control->nb_rules; i++) {
		const struct weir_purge_rule *rule = &control->rules[i];

		if (rule->kind == WEIR_PURGE_BACKEND)
			active[i] = weir_backend_active(file, rule->id) != 0;
		else if (rule->kind == WEIR_PURGE_BINDING)
			active[i] = binding_active(file, rule->id);
		else
			vips = true;
	}
	return vips ? mark_vips(control, active, now) : 0;
}
