// SPDX-License-Identifier: Apache-2.0
//
// Says what would happen to a packet, without sending one: the same lookups as the data path, on
// the control thread's own view of the configuration.

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "datapath/datapath.h"

enum { MAX_STEPS = 16, STEP_SIZE = 256 };

struct explanation {
	Weir__V1__ExplainReply reply;
	char text[MAX_STEPS][STEP_SIZE];
	char *steps[MAX_STEPS];
};

__attribute__((format(printf, 2, 3))) static void step(struct explanation *e, const char *format,
						       ...)
{
	va_list args;

	if (e->reply.n_steps == MAX_STEPS)
		return;
	e->steps[e->reply.n_steps] = e->text[e->reply.n_steps];
	va_start(args, format);
	vsnprintf(e->text[e->reply.n_steps++], STEP_SIZE, format, args);
	va_end(args);
}

static void drop(struct explanation *e, enum weir_drop_reason reason)
{
	e->reply.drop_reason = (char *)(uintptr_t)weir_drop_reason_name(reason);
	step(e, "drop: %s", e->reply.drop_reason);
}

// Entries are scanned, not looked up: the index belongs to the worker.
static bool find_flow(const struct weir_control *control, const struct weir_packet *packet,
		      struct weir_flow_spec *out)
{
	for (uint32_t w = 0; w < control->engine->nb_workers; w++) {
		const struct weir_flow *flow;
		uint32_t cursor = 0;

		while ((flow = weir_flow_next(&control->engine->workers[w].table, &cursor)) !=
		       NULL) {
			if (flow->client_port == packet->source_port &&
			    flow->vip_port == packet->destination_port &&
			    flow->protocol == packet->protocol && weir_flow_copy(flow, out) &&
			    weir_address_equal(&out->client_address, &packet->source) &&
			    weir_address_equal(&out->vip_address, &packet->destination))
				return true;
		}
	}
	return false;
}

static void explain_route(struct explanation *e, const struct weir_control *control,
			  const struct weir_address *destination)
{
	const struct weir_route *route = weir_config_route(control->node, destination);
	char hop[WEIR_ADDRESS_TEXT];

	if (route == NULL) {
		drop(e, WEIR_DROP_NO_ROUTE);
		return;
	}
	const struct weir_address *next_hop =
		weir_address_is_none(&route->next_hop) ? destination : &route->next_hop;
	const struct weir_arp_entry *entry = weir_arp_entry(control, next_hop);
	step(e, "next hop %s is %s", weir_address_text(next_hop, hop),
	     entry == NULL || entry->state == WEIR_ARP_INCOMPLETE ? "not resolved yet"
								  : "resolved");
}

// The packet reaches the member with the VIP in it.
static void explain_direct(struct explanation *e, const struct weir_control *control,
			   const struct weir_target *target)
{
	if (target->mode == WEIR_MODE_DSR)
		step(e, "dsr: the packet stays as it is, in a frame to the member");
	else if (target->encapsulation == WEIR_ENCAPSULATION_GUE)
		step(e, "tunnel: in UDP to port %u of the member",
		     weir_host16(target->tunnel_port));
	else
		step(e, "tunnel: IP in IP to the member");
	explain_route(e, control, &target->member_address);
}

static void explain_flow(struct explanation *e, struct weir_control *control,
			 const struct weir_flow_spec *flow)
{
	struct weir_flow_file *file = &control->engine->file;
	char member[WEIR_ADDRESS_TEXT];
	char source[WEIR_ADDRESS_TEXT];

	e->reply.flow_hit = true;
	const struct weir_target *target = &file->targets[flow->binding_id];
	e->reply.load_balancer_id = file->lbs[target->lb_id].lb_id;
	e->reply.listener_id = file->bindings[flow->binding_id].listener_id;
	e->reply.member_id = file->backends[target->backend_id].member_id;
	step(e, "flow table: hit, state %s", weir_flow_state_name(flow->state));
	bool nat = weir_flow_is_nat(flow->flow_class);
	step(e, "member %s at %s:%u", e->reply.member_id,
	     weir_address_text(nat ? &flow->member_address : &target->member_address, member),
	     weir_host16(nat ? flow->member_port : flow->vip_port));
	if (!nat) {
		explain_direct(e, control, target);
		return;
	}
	if (!weir_address_is_none(&flow->snat_address))
		step(e, "rewrite snat: source becomes %s:%u",
		     weir_address_text(&flow->snat_address, source), weir_host16(flow->snat_port));
	else
		step(e, "rewrite dnat: destination becomes the member");
	explain_route(e, control, &flow->member_address);
}

static void explain_selection(struct explanation *e, struct weir_control *control,
			      const struct weir_listener *listener,
			      const struct weir_packet *packet)
{
	const struct weir_pool *pool = listener->pool;
	char member[WEIR_ADDRESS_TEXT];
	uint32_t slot = 0;
	const struct weir_serving *serving = weir_pool_serving(pool, &packet->destination);
	int index = weir_select_maglev(listener, packet, &slot);

	if (serving == NULL || index < 0) {
		drop(e, WEIR_DROP_NO_HEALTHY_MEMBER);
		return;
	}
	bool by_table = pool->algorithm == WEIR_MAGLEV || pool->algorithm == WEIR_SOURCE_IP_HASH;
	if (!by_table) {
		step(e,
		     "pool %s: the member is chosen in turn or by load among %u; in mid-flow the "
		     "Maglev table decides",
		     pool->pool_id, serving->nb_eligible);
	}
	e->reply.maglev_slot = slot;
	e->reply.member_id = pool->backends[index].member_id;
	step(e, "pool %s: Maglev slot %u of %u names member %s at %s:%d", pool->pool_id, slot,
	     serving->maglev_size, e->reply.member_id,
	     weir_address_text(&pool->backends[index].address, member),
	     weir_backend_port(&pool->backends[index], weir_host16(packet->destination_port)));
	if (!weir_mode_is_nat(pool->mode)) {
		explain_direct(e, control,
			       &control->engine->file.targets[listener->binding_ids[index]]);
		return;
	}
	step(e, pool->mode == WEIR_MODE_SNAT
			? "rewrite snat: source becomes a SNAT address of the node"
			: "rewrite dnat: destination becomes the member");
	explain_route(e, control, &pool->backends[index].address);
}

static void explain_listener(struct explanation *e, struct weir_control *control,
			     const struct weir_lb *lb, const struct weir_packet *packet)
{
	const struct weir_listener *listener =
		weir_config_listener(lb, packet->protocol, weir_host16(packet->destination_port));

	if (listener == NULL) {
		drop(e, WEIR_DROP_NO_LISTENER);
		return;
	}
	e->reply.listener_id = (char *)(uintptr_t)listener->listener_id;
	step(e, "listener %s, %u allowed and %u denied CIDRs", listener->listener_id,
	     listener->nb_allowed, listener->nb_denied);
	if (!listener->enabled) {
		drop(e, WEIR_DROP_LISTENER_DISABLED);
		return;
	}
	if (!weir_listener_allows(listener, &packet->source)) {
		drop(e, WEIR_DROP_SOURCE_DENIED);
		return;
	}
	explain_selection(e, control, listener, packet);
}

static void explain(struct explanation *e, struct weir_control *control,
		    const struct weir_packet *packet)
{
	const struct weir_config *config = atomic_load(&control->engine->config);
	const struct weir_vip_slot *vip = weir_config_vip(config, &packet->destination);
	struct weir_flow_spec flow;
	char address[WEIR_ADDRESS_TEXT];

	if (config->node == NULL) {
		drop(e, WEIR_DROP_NO_CONFIGURATION);
		return;
	}
	if (find_flow(control, packet, &flow)) {
		explain_flow(e, control, &flow);
		return;
	}
	step(e, "flow table: no entry");
	if (vip == NULL || vip->lb == NULL) {
		step(e, "%s is no VIP here", weir_address_text(&packet->destination, address));
		drop(e, vip == NULL ? WEIR_DROP_NO_REVERSE : WEIR_DROP_NO_LISTENER);
		return;
	}
	e->reply.load_balancer_id = (char *)(uintptr_t)vip->lb->id;
	step(e, "VIP %s of load balancer %s, generation %lu",
	     weir_address_text(&vip->address, address), vip->lb->id, vip->lb->generation);
	explain_listener(e, control, vip->lb, packet);
}

static int read_packet(struct weir_packet *packet, const Weir__V1__ExplainRequest *request,
		       struct weir_reject *reject)
{
	if (weir_copy_address(&packet->source, &request->client_address, "the client's address",
			      reject) != 0 ||
	    weir_copy_address(&packet->destination, &request->vip_address, "the VIP", reject) != 0)
		return -EINVAL;
	packet->family = weir_address_is_v4(&packet->destination) ? 4 : 6;
	if (weir_address_is_v4(&packet->source) != (packet->family == 4))
		return weir_refuse(reject, "INVALID_CONFIG",
				   "client and VIP are of different families");
	packet->source_port = weir_be16((uint16_t)request->client_port);
	packet->destination_port = weir_be16((uint16_t)request->vip_port);
	packet->protocol =
		request->protocol == WEIR__V1__PROTOCOL__PROTOCOL_UDP ? WEIR_IP_UDP : WEIR_IP_TCP;
	return 0;
}

void weir_reply_explain(struct weir_control *control, struct weir_connection *connection,
			uint64_t request_id, const Weir__V1__ExplainRequest *request)
{
	struct explanation *e = calloc(1, sizeof(*e));
	struct weir_packet packet = {0};
	struct weir_reject reject = {0};
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;

	if (e == NULL)
		return;
	weir__v1__explain_reply__init(&e->reply);
	e->reply.steps = e->steps;
	e->reply.maglev_slot = -1;
	if (read_packet(&packet, request, &reject) == 0) {
		explain(e, control, &packet);
	} else {
		step(e, "%s", reject.reason);
		drop(e, WEIR_DROP_NOT_IPV4);
	}
	message.request_id = request_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_EXPLAIN;
	message.explain = &e->reply;
	weir_api_send(connection, &message);
	free(e);
}
