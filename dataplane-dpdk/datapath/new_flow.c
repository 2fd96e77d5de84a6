// SPDX-License-Identifier: Apache-2.0
//
// A packet without a flow entry: towards a VIP it may begin a flow, or is placed by the Maglev
// table when it comes in mid-flow; from a member it is sent back by the configured mapping.

#include "datapath/datapath.h"
#include "datapath/exceptions.h"

// Other members tried when the first can't tell the reply apart from another flow's.
enum { MAX_OTHER_MEMBERS = 8, MAX_SNAT_TRIES = 8 };

// All that a step below needs to know about the packet that is being placed.
struct placement {
	struct weir_burst *burst;
	struct rte_mbuf *mbuf;
	const struct weir_packet *packet;
	const struct weir_listener *listener;
	bool mid_flow;
	bool source_counted; // for a limit
	bool inserted;
};

static bool begins_flow(const struct weir_packet *packet)
{
	const uint8_t flags = WEIR_TCP_SYN | WEIR_TCP_ACK | WEIR_TCP_RST | WEIR_TCP_FIN;

	return packet->protocol != WEIR_IP_TCP || (packet->tcp_flags & flags) == WEIR_TCP_SYN;
}

// True if the reverse tuple of `flow` is free. A flow that is over gives it up.
static bool reverse_free(struct weir_worker *worker, const struct weir_flow_spec *flow)
{
	struct weir_tuple tuple = weir_flow_spec_tuple(flow, WEIR_FROM_MEMBER);
	enum weir_direction direction;
	struct weir_flow *other = weir_flow_lookup(
		&worker->table, weir_flow_hash(&worker->table, &tuple), &tuple, &direction);

	if (other == NULL)
		return true;
	if (!weir_flow_state_over(other->state))
		return false;
	weir_flow_drop_entry(worker, other, weir_flow_state_end(other->state));
	return true;
}

static enum weir_drop_reason take_snat_port(struct weir_worker *worker, struct weir_flow_spec *flow)
{
	uint32_t plane = weir_snat_plane(flow->protocol, &flow->member_address, flow->member_port);
	struct weir_snat_ports *ports;

	if (worker->snat == NULL)
		return WEIR_DROP_SNAT_PORTS_EXHAUSTED;
	ports = &worker->snat->families[weir_family_of(&flow->member_address)];
	uint32_t runs = weir_rss_reply_runs(&worker->engine->rss, worker->index,
					    &flow->member_address, flow->member_port);
	for (int tries = 0; tries < MAX_SNAT_TRIES; tries++) {
		if (weir_snat_take(ports, plane, runs, &flow->snat_address, &flow->snat_port) != 0)
			return WEIR_DROP_SNAT_PORTS_EXHAUSTED;
		if (reverse_free(worker, flow))
			return WEIR_DROP_NONE;
		weir_snat_give_back(ports, plane, &flow->snat_address, flow->snat_port);
	}
	return WEIR_DROP_SNAT_PORTS_EXHAUSTED;
}

static struct weir_flow_spec flow_for(const struct placement *p, uint32_t backend_index)
{
	const struct weir_packet *packet = p->packet;
	const struct weir_listener *listener = p->listener;
	const struct weir_backend *backend = &listener->pool->backends[backend_index];
	uint32_t now = p->burst->worker->now;
	bool nat = weir_mode_is_nat(listener->pool->mode);
	int32_t port = weir_backend_port(backend, weir_host16(packet->destination_port));
	enum weir_flow_state state = WEIR_FLOW_UDP;

	if (packet->protocol == WEIR_IP_TCP)
		state = !p->mid_flow ? WEIR_FLOW_SYN_SENT
				     : weir_flow_state_next(WEIR_FLOW_ESTABLISHED, WEIR_FROM_CLIENT,
							    packet->tcp_flags);
	uint8_t flags = p->mid_flow ? WEIR_FLOW_ADOPTED : 0;

	if (p->source_counted)
		flags |= WEIR_FLOW_COUNTED;
	if (listener->reset_on_idle_timeout && nat && packet->protocol == WEIR_IP_TCP)
		flags |= WEIR_FLOW_RESET_IDLE;
	return (struct weir_flow_spec){
		.client_address = packet->source,
		.client_port = packet->source_port,
		.vip_address = packet->destination,
		.vip_port = packet->destination_port,
		.member_address = backend->address,
		.member_port = weir_be16((uint16_t)port),
		.protocol = packet->protocol,
		.state = state,
		.flags = flags,
		.binding_id = listener->binding_ids[backend_index],
		.flow_class = weir_flow_class_of(nat, packet->family == 4),
		.idle_timeout_s = listener->idle_timeout_s,
		.started = now,
		.in_packets = 1,
		.in_bytes = packet->l3_length,
		.expires = now + WEIR_TICKS_PER_SECOND *
					 weir_flow_state_timeout_s(state, listener->idle_timeout_s),
	};
}

// Fills `flow` for a member whose replies can be told apart. Returns a drop reason or NONE.
static enum weir_drop_reason choose_member(const struct placement *p, struct weir_flow_spec *flow)
{
	struct weir_worker *worker = p->burst->worker;
	const struct weir_pool *pool = p->listener->pool;
	int first = p->mid_flow ? weir_select_mid_flow(worker, p->listener, p->packet)
				: weir_select(worker, p->listener, p->packet);

	if (first < 0)
		return WEIR_DROP_NO_HEALTHY_MEMBER;
	*flow = flow_for(p, (uint32_t)first);
	if (!weir_mode_is_nat(pool->mode))
		return WEIR_DROP_NONE;
	// Addresses are translated within a family.
	if (weir_family_of(&flow->member_address) != weir_family_of(&flow->vip_address))
		return WEIR_DROP_NO_HEALTHY_MEMBER;
	if (pool->mode == WEIR_MODE_SNAT)
		return take_snat_port(worker, flow);
	if (reverse_free(worker, flow))
		return WEIR_DROP_NONE;
	if (p->mid_flow)
		return WEIR_DROP_REVERSE_TUPLE_IN_USE;
	const struct weir_serving *serving = weir_pool_serving(pool, &p->packet->destination);
	for (uint32_t i = 0; i < serving->nb_eligible && i < MAX_OTHER_MEMBERS; i++) {
		if (serving->eligible[i] == first)
			continue;
		*flow = flow_for(p, serving->eligible[i]);
		if (reverse_free(worker, flow))
			return WEIR_DROP_NONE;
	}
	return WEIR_DROP_REVERSE_TUPLE_IN_USE;
}

// By the Maglev table, which answers the same for the flow's next packet.
static enum weir_drop_reason unremembered(const struct placement *p, struct weir_flow_spec *flow)
{
	int index = weir_select_maglev(p->listener, p->packet, NULL);

	if (index < 0)
		return WEIR_DROP_NO_HEALTHY_MEMBER;
	*flow = flow_for(p, (uint32_t)index);
	return WEIR_DROP_NONE;
}

// Forwards without an entry, when the table is full or the listener keeps none: the Maglev table
// answers the same again.
static enum weir_drop_reason without_entry(const struct placement *p, struct weir_flow_spec *flow)
{
	struct weir_worker *worker = p->burst->worker;

	if (!p->listener->stateless && !weir_address_is_none(&flow->snat_address)) {
		weir_snat_give_back(
			&worker->snat->families[weir_family_of(&flow->snat_address)],
			weir_snat_plane(flow->protocol, &flow->member_address, flow->member_port),
			&flow->snat_address, flow->snat_port);
		return WEIR_DROP_FLOW_TABLE_FULL;
	}
	return unremembered(p, flow);
}

static enum weir_drop_reason place(struct placement *p, struct weir_flow_spec *flow)
{
	struct weir_worker *worker = p->burst->worker;
	enum weir_drop_reason reason;

	if (p->listener->stateless)
		return without_entry(p, flow);
	if (weir_flooded(worker)) {
		if (p->listener->pool->mode == WEIR_MODE_SNAT)
			return WEIR_DROP_FLOOD;
		worker->flood_forwarded++;
		return unremembered(p, flow);
	}
	// Known before a member's replies are looked for in a table that takes no entry: under a
	// flood those lookups would be most of the work.
	if (weir_flow_table_full(&worker->table) && p->listener->pool->mode != WEIR_MODE_SNAT)
		return unremembered(p, flow);
	reason = choose_member(p, flow);
	if (reason != WEIR_DROP_NONE)
		return reason;
	if (weir_flow_insert(&worker->table, flow) == NULL)
		return without_entry(p, flow);
	p->inserted = true;
	weir_flow_started(worker, flow, p->mid_flow);
	return WEIR_DROP_NONE;
}

static enum weir_drop_reason check_packet(struct placement *p)
{
	const struct weir_listener *listener = p->listener;
	const struct weir_packet *packet = p->packet;

	if (!listener->enabled)
		return WEIR_DROP_LISTENER_DISABLED;
	// What begins a flow is its first fragment.
	if (packet->fragment_offset != 0 && !listener->stateless)
		return WEIR_DROP_NO_FLOW;
	p->mid_flow = !begins_flow(packet);
	if (p->mid_flow && (listener->pool->mode == WEIR_MODE_SNAT ||
			    packet->tcp_flags & (WEIR_TCP_RST | WEIR_TCP_SYN)))
		return WEIR_DROP_NO_FLOW;
	if (p->mid_flow)
		return WEIR_DROP_NONE;
	// Incremental updates carry a wrong checksum on to the member, where nobody looks for it.
	if (!weir_packet_checksum_ok(rte_pktmbuf_mtod(p->mbuf, const uint8_t *), packet))
		return WEIR_DROP_BAD_CHECKSUM;
	return weir_protect_new_flow(p->burst->worker, listener, packet, &p->source_counted);
}

// The first packet of `flow`, or one without an entry, on to its member.
static void forward(const struct placement *p, const struct weir_flow_spec *flow)
{
	struct weir_worker *worker = p->burst->worker;
	const struct weir_config *config = p->burst->config;

	if (!weir_flow_is_nat(flow->flow_class)) {
		weir_direct_process(worker, config, p->mbuf, p->packet,
				    &worker->engine->file.targets[flow->binding_id]);
		return;
	}
	struct weir_rewrite rewrite = weir_rewrite_to_member(flow);
	weir_rewrite(rte_pktmbuf_mtod(p->mbuf, uint8_t *), p->packet, &rewrite);
	if (p->packet->tcp_flags & WEIR_TCP_SYN)
		weir_mss_clamp(config->node, rte_pktmbuf_mtod(p->mbuf, uint8_t *), p->packet);
	weir_route_process(worker, config, p->mbuf, &rewrite.destination, p->listener->lb->lb_id);
}

static void to_vip(struct weir_burst *burst, struct rte_mbuf *mbuf,
		   const struct weir_packet *packet, const struct weir_lb *lb)
{
	struct weir_worker *worker = burst->worker;
	struct placement p = {.burst = burst, .mbuf = mbuf, .packet = packet};
	struct weir_flow_spec flow;

	p.listener =
		weir_config_listener(lb, packet->protocol, weir_host16(packet->destination_port));
	enum weir_drop_reason reason =
		p.listener != NULL ? check_packet(&p) : WEIR_DROP_NO_LISTENER;
	if (reason == WEIR_DROP_NONE) {
		reason = place(&p, &flow);
		if (p.source_counted && !p.inserted)
			weir_limits_forget(p.listener->limits, &packet->source);
	}
	if (reason != WEIR_DROP_NONE) {
		weir_drop(worker, mbuf, lb->lb_id, reason);
		return;
	}
	weir_count_forwarded(worker, flow.binding_id, WEIR_FROM_CLIENT, packet->l3_length);
	forward(&p, &flow);
}

// A member's reply whose flow another node knows.
static void from_member(struct weir_burst *burst, struct rte_mbuf *mbuf,
			const struct weir_packet *packet)
{
	struct weir_worker *worker = burst->worker;
	const struct weir_reverse *reverse = NULL;
	uint16_t port = weir_host16(packet->source_port);
	enum weir_reverse_result found = weir_config_reverse(burst->config, &packet->source,
							     packet->protocol, port, &reverse);

	if (found != WEIR_REVERSE_UNIQUE) {
		weir_drop(worker, mbuf, 0,
			  found == WEIR_REVERSE_AMBIGUOUS ? WEIR_DROP_REVERSE_TUPLE_IN_USE
							  : WEIR_DROP_NO_REVERSE);
		return;
	}
	struct weir_rewrite rewrite = {
		.source = reverse->vip_address,
		.source_port = weir_be16((uint16_t)(port - reverse->offset)),
		.destination = packet->destination,
		.destination_port = packet->destination_port,
	};
	weir_rewrite(rte_pktmbuf_mtod(mbuf, uint8_t *), packet, &rewrite);
	if (packet->tcp_flags & WEIR_TCP_SYN)
		weir_mss_clamp(burst->config->node, rte_pktmbuf_mtod(mbuf, uint8_t *), packet);
	weir_count_forwarded(worker, reverse->binding_id, WEIR_FROM_MEMBER, packet->l3_length);
	weir_route_process(worker, burst->config, mbuf, &rewrite.destination, reverse->lb_id);
}

void weir_new_flow_process(struct weir_burst *burst, struct rte_mbuf *mbuf,
			   const struct weir_packet *packet)
{
	const struct weir_vip_slot *vip = weir_config_vip(burst->config, &packet->destination);

	if (vip != NULL && vip->lb != NULL)
		to_vip(burst, mbuf, packet, vip->lb);
	else if (vip != NULL)
		weir_drop(burst->worker, mbuf, 0, WEIR_DROP_NO_LISTENER);
	else if (weir_node_snat_range(burst->config->node, &packet->destination))
		weir_drop(burst->worker, mbuf, 0, WEIR_DROP_NO_FLOW);
	else
		from_member(burst, mbuf, packet);
}
