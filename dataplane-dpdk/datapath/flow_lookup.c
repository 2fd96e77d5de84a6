// SPDX-License-Identifier: Apache-2.0

#include <rte_cycles.h>

#include "datapath/datapath.h"

static void update_state(struct weir_worker *worker, struct weir_flow *flow,
			 enum weir_direction direction, const struct weir_packet *packet)
{
	enum weir_flow_state state = atomic_load_explicit(&flow->state, memory_order_relaxed);
	enum weir_flow_state next = state;

	if (direction == WEIR_FROM_MEMBER && !(flow->flags & WEIR_FLOW_MEMBER_SEEN))
		flow->flags |= WEIR_FLOW_MEMBER_SEEN;
	if (packet->protocol == WEIR_IP_TCP)
		next = weir_flow_state_next(state, direction, packet->tcp_flags);
	if (next != state) {
		atomic_store_explicit(&flow->state, next, memory_order_relaxed);
		if (weir_flow_state_over(state))
			weir_flow_revived(worker, flow);
		// Where the member's packets pass another node, its FIN will not be seen here: the
		// client's is taken for the end, though the entry goes on for a half-closed flow.
		if (weir_flow_state_over(next) ||
		    (next == WEIR_FLOW_FIN_CLIENT && !(flow->flags & WEIR_FLOW_MEMBER_SEEN)))
			weir_flow_ended(worker, flow, weir_flow_state_end(next));
	} else if (weir_flow_state_over(state)) {
		return; // late packets do not keep the tuple
	}
	flow->expires = worker->now + WEIR_TICKS_PER_SECOND *
					      weir_flow_state_timeout_s(next, flow->idle_timeout_s);
}

static void hit(struct weir_burst *burst, struct rte_mbuf *mbuf, const struct weir_packet *packet,
		struct weir_flow *flow, enum weir_direction direction)
{
	struct weir_worker *worker = burst->worker;
	struct weir_rewrite rewrite = weir_rewrite_of(flow, direction);

	update_state(worker, flow, direction, packet);
	weir_rewrite(rte_pktmbuf_mtod(mbuf, uint8_t *), packet, &rewrite);
	weir_count_forwarded(worker, flow->binding_id, direction, packet->l3_length);
	weir_route_process(worker, burst->config, mbuf, &rewrite.destination, flow->lb_id);
}

static bool begins_anew(const struct weir_packet *packet, const struct weir_flow *flow,
			enum weir_direction direction)
{
	const uint8_t flags = WEIR_TCP_SYN | WEIR_TCP_ACK | WEIR_TCP_RST | WEIR_TCP_FIN;

	return packet->protocol == WEIR_IP_TCP && direction == WEIR_FROM_CLIENT &&
	       (packet->tcp_flags & flags) == WEIR_TCP_SYN && weir_flow_state_reusable(flow->state);
}

// Packets to the engine's own address: answers to probes.
static void local(struct weir_burst *burst, struct rte_mbuf *mbuf, const struct weir_packet *packet)
{
	struct weir_punt punt = {.kind = WEIR_PUNT_LOCAL, .received_tsc = rte_rdtsc()};
	uint16_t port = weir_host16(packet->destination_port);

	if (packet->protocol == WEIR_IP_TCP && port >= WEIR_PROBE_FIRST_PORT &&
	    port < WEIR_PROBE_FIRST_PORT + WEIR_PROBE_PORTS)
		weir_punt(burst->worker, mbuf, &punt);
	else
		weir_drop(burst->worker, mbuf, 0, WEIR_DROP_UNEXPECTED);
}

static void lookup_one(struct weir_burst *burst, uint16_t i, uint64_t hash,
		       const struct weir_tuple *tuple)
{
	struct weir_worker *worker = burst->worker;
	struct rte_mbuf *mbuf = burst->mbufs[i];
	const struct weir_packet *packet = &burst->packets[i];
	enum weir_direction direction;
	struct weir_flow *flow = weir_flow_lookup(&worker->table, hash, tuple, &direction);

	if (flow == NULL && weir_node_owns(burst->config->node, &packet->destination)) {
		local(burst, mbuf, packet);
		return;
	}
	if (packet->ttl <= 1) {
		weir_drop(worker, mbuf, flow != NULL ? flow->lb_id : 0, WEIR_DROP_TTL_EXPIRED);
		return;
	}
	if (flow != NULL && begins_anew(packet, flow, direction)) {
		weir_flow_drop_entry(worker, flow, weir_flow_state_end(flow->state));
		flow = NULL;
	}
	if (flow != NULL)
		hit(burst, mbuf, packet, flow, direction);
	else
		weir_new_flow_process(burst, mbuf, packet);
}

void weir_flow_lookup_process(struct weir_burst *burst)
{
	struct weir_tuple tuples[WEIR_BURST];
	uint64_t hashes[WEIR_BURST];
	const uint16_t nb = burst->nb;
	const struct weir_flow_table *table = &burst->worker->table;

	if (burst->config->node == NULL) {
		for (uint16_t i = 0; i < nb; i++)
			weir_drop(burst->worker, burst->mbufs[i], 0, WEIR_DROP_NO_CONFIGURATION);
		return;
	}
	for (uint16_t i = 0; i < nb; i++) {
		const struct weir_packet *packet = &burst->packets[i];

		tuples[i] = (struct weir_tuple){
			.source = packet->source,
			.destination = packet->destination,
			.source_port = packet->source_port,
			.destination_port = packet->destination_port,
			.protocol = packet->protocol,
		};
		hashes[i] = weir_flow_hash(table, &tuples[i]);
		weir_flow_prefetch(table, hashes[i]);
	}
	for (uint16_t i = 0; i < nb; i++)
		lookup_one(burst, i, hashes[i], &tuples[i]);
}
