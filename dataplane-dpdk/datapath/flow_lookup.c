// SPDX-License-Identifier: Apache-2.0

#include <rte_cycles.h>

#include "datapath/datapath.h"
#include "datapath/exceptions.h"

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
		if (state == WEIR_FLOW_SYN_SENT)
			weir_flow_answered(worker, flow);
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
	flow->expires =
		worker->now +
		WEIR_TICKS_PER_SECOND *
			weir_flow_state_timeout_s(next, weir_idle_timeout_s(flow->idle_timeout));
}

static inline uint32_t lb_of(const struct weir_worker *worker, const struct weir_flow *flow)
{
	return weir_flow_target(&worker->engine->file, flow)->lb_id;
}

static void hit_nat4(struct weir_burst *burst, struct rte_mbuf *mbuf,
		     const struct weir_packet *packet, struct weir_flow_nat4 *flow,
		     enum weir_direction direction)
{
	struct weir_rewrite4 rewrite;

	if (direction == WEIR_FROM_CLIENT) {
		weir_flow_count_in(&flow->head, packet->l3_length);
		rewrite = (struct weir_rewrite4){flow->reply_address, flow->member_address,
						 flow->reply_port, flow->member_port};
	} else {
		weir_flow_count_out4(flow, packet->l3_length);
		rewrite = (struct weir_rewrite4){flow->vip_address, flow->client_address,
						 flow->head.vip_port, flow->head.client_port};
	}
	weir_rewrite4(rte_pktmbuf_mtod(mbuf, uint8_t *), packet, &rewrite);
	struct weir_address destination = weir_address_v4(rewrite.destination);
	weir_route_process(burst->worker, burst->config, mbuf, &destination,
			   lb_of(burst->worker, &flow->head));
}

static void hit_nat6(struct weir_burst *burst, struct rte_mbuf *mbuf,
		     const struct weir_packet *packet, struct weir_flow_nat6 *flow,
		     enum weir_direction direction)
{
	struct weir_rewrite rewrite;

	if (direction == WEIR_FROM_CLIENT) {
		weir_flow_count_in(&flow->head, packet->l3_length);
		rewrite = (struct weir_rewrite){flow->reply_address, flow->member_address,
						flow->reply_port, flow->member_port};
	} else {
		weir_flow_count_out6(flow, packet->l3_length);
		rewrite = (struct weir_rewrite){flow->vip_address, flow->client_address,
						flow->head.vip_port, flow->head.client_port};
	}
	weir_rewrite(rte_pktmbuf_mtod(mbuf, uint8_t *), packet, &rewrite);
	weir_route_process(burst->worker, burst->config, mbuf, &rewrite.destination,
			   lb_of(burst->worker, &flow->head));
}

static void hit(struct weir_burst *burst, struct rte_mbuf *mbuf, const struct weir_packet *packet,
		struct weir_flow *flow, enum weir_direction direction)
{
	if (flow->flags & WEIR_FLOW_CONDEMNED) {
		weir_reset_process(burst, mbuf, packet, flow);
		return;
	}
	update_state(burst->worker, flow, direction, packet);
	weir_count_forwarded(burst->worker, flow->binding_id, direction, packet->l3_length);
	if ((packet->tcp_flags & WEIR_TCP_SYN) && weir_flow_is_nat(flow->flow_class))
		weir_mss_clamp(burst->config->node, rte_pktmbuf_mtod(mbuf, uint8_t *), packet);
	if (flow->flow_class == WEIR_FLOW_NAT4) {
		hit_nat4(burst, mbuf, packet, (void *)flow, direction);
	} else if (flow->flow_class == WEIR_FLOW_NAT6) {
		hit_nat6(burst, mbuf, packet, (void *)flow, direction);
	} else {
		weir_flow_count_in(flow, packet->l3_length);
		weir_direct_process(burst->worker, burst->config, mbuf, packet,
				    weir_flow_target(&burst->worker->engine->file, flow));
	}
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

	if (weir_peers_receive(burst, mbuf, packet))
		return;
	if (port >= WEIR_PROBE_FIRST_PORT && port < WEIR_PROBE_FIRST_PORT + WEIR_PROBE_PORTS)
		weir_punt(burst->worker, mbuf, &punt);
	else
		weir_drop(burst->worker, mbuf, 0, WEIR_DROP_UNEXPECTED);
}

// What the stages of a burst's lookup hand to each other.
struct lookup {
	uint64_t hashes[WEIR_BURST];
	uint32_t refs[WEIR_BURST];
	uint32_t changes[WEIR_BURST]; // of the table when the reference was guessed
};

static inline struct weir_flow *find(const struct weir_flow_table *table,
				     const struct lookup *lookup, uint16_t i,
				     const struct weir_tuple *tuple, enum weir_direction *direction)
{
	uint32_t ref = lookup->refs[i];

	if (ref == WEIR_FLOW_NO_REF) {
		// A packet before this one in the burst may have begun its flow.
		if (table->changes == lookup->changes[i])
			return NULL;
		return weir_flow_lookup(table, lookup->hashes[i], tuple, direction);
	}
	struct weir_flow *flow = weir_flow_of_ref(table, ref);
	// A packet before this one may have ended its flow, and begun another in the same entry.
	if (atomic_load_explicit(&flow->state, memory_order_relaxed) == WEIR_FLOW_FREE ||
	    !weir_flow_has_tuple(flow, ref, tuple))
		return weir_flow_lookup(table, lookup->hashes[i], tuple, direction);
	*direction = weir_flow_ref_direction(ref);
	return flow;
}

static void process_one(struct weir_burst *burst, uint16_t i, const struct lookup *lookup)
{
	struct weir_worker *worker = burst->worker;
	struct rte_mbuf *mbuf = burst->mbufs[i];
	const struct weir_packet *packet = &burst->packets[i];
	enum weir_direction direction = WEIR_FROM_CLIENT;
	struct weir_flow *flow = find(&worker->table, lookup, i, &packet->tuple, &direction);

	if (flow == NULL && weir_node_owns(burst->config->node, &packet->destination)) {
		local(burst, mbuf, packet);
		return;
	}
	if (packet->ttl <= 1) {
		weir_drop(worker, mbuf, flow != NULL ? lb_of(worker, flow) : 0,
			  WEIR_DROP_TTL_EXPIRED);
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

static inline void hash(const struct weir_flow_table *table, struct lookup *lookup, uint16_t i,
			const struct weir_packet *packet)
{
	lookup->hashes[i] = weir_flow_hash(table, &packet->tuple);
	weir_flow_index_prefetch(&table->index, lookup->hashes[i]);
}

static inline void guess(const struct weir_flow_table *table, struct lookup *lookup, uint16_t i)
{
	uint32_t ref = weir_flow_index_guess(&table->index, lookup->hashes[i]);

	lookup->changes[i] = table->changes;
	lookup->refs[i] = ref;
	if (ref != WEIR_FLOW_NO_REF)
		weir_flow_prefetch_entry(table, ref);
	else
		weir_flow_index_prefetch_other(&table->index, lookup->hashes[i]);
}

static inline void guess_other(const struct weir_flow_table *table, struct lookup *lookup,
			       uint16_t i)
{
	if (lookup->refs[i] != WEIR_FLOW_NO_REF)
		return;
	lookup->refs[i] = weir_flow_index_guess_other(&table->index, lookup->hashes[i]);
	if (lookup->refs[i] != WEIR_FLOW_NO_REF)
		weir_flow_prefetch_entry(table, lookup->refs[i]);
}

// How many packets ahead of the one that is forwarded the steps of the lookup are. Each step asks
// for the cache line of the next one, and the line comes while other packets are worked on: a core
// waits when it asks for more lines at once than it can.
enum { HASH_AHEAD = 24, GUESS_AHEAD = 14, GUESS_OTHER_AHEAD = 7 };

void weir_flow_lookup_process(struct weir_burst *burst)
{
	struct lookup lookup;
	const int nb = burst->nb;
	const struct weir_flow_table *table = &burst->worker->table;

	if (burst->config->node == NULL) {
		for (int i = 0; i < nb; i++)
			weir_drop(burst->worker, burst->mbufs[i], 0, WEIR_DROP_NO_CONFIGURATION);
		return;
	}
	for (int i = -HASH_AHEAD; i < nb; i++) {
		if (i + HASH_AHEAD < nb)
			hash(table, &lookup, (uint16_t)(i + HASH_AHEAD),
			     &burst->packets[i + HASH_AHEAD]);
		if (i + GUESS_AHEAD >= 0 && i + GUESS_AHEAD < nb)
			guess(table, &lookup, (uint16_t)(i + GUESS_AHEAD));
		if (i + GUESS_OTHER_AHEAD >= 0 && i + GUESS_OTHER_AHEAD < nb)
			guess_other(table, &lookup, (uint16_t)(i + GUESS_OTHER_AHEAD));
		if (i >= 0)
			process_one(burst, (uint16_t)i, &lookup);
	}
}
