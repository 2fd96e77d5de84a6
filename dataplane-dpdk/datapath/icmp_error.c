// SPDX-License-Identifier: Apache-2.0
//
// ICMP errors about packets of flows. The packet quoted in an error tells the flow, even by no more
// than 8 bytes of L4: turned around, it is the packet that would come from the other side.

#include <rte_cycles.h>
#include <rte_icmp.h>
#include <rte_ip.h>

#include "datapath/datapath.h"
#include "datapath/exceptions.h"
#include "lib/checksum.h"
#include "lib/icmp_inner.h"

enum { ICMP_HEADER = 8, UNREACHABLE_V4 = 3, UNREACHABLE_V6 = 1 };

// An error that is being placed.
struct error {
	struct weir_burst *burst;
	struct rte_mbuf *mbuf;
	const struct weir_packet *packet;
	struct weir_inner inner;
	struct weir_packet answer; // what the quoted packet's receiver would have answered
	uint8_t *icmp;
	uint32_t lb_id;
};

static void drop(const struct error *error, enum weir_drop_reason reason)
{
	weir_drop(error->burst->worker, error->mbuf, error->lb_id, reason);
}

static struct weir_packet answer_to(const struct weir_inner *inner)
{
	return (struct weir_packet){
		.source = inner->destination,
		.destination = inner->source,
		.source_port = inner->destination_port,
		.destination_port = inner->source_port,
		.family = inner->family,
		.protocol = inner->protocol,
	};
}

static void lower_ttl(uint8_t *ip, const struct weir_packet *packet)
{
	struct rte_ipv4_hdr *v4 = (struct rte_ipv4_hdr *)(void *)ip;
	struct rte_ipv6_hdr *v6 = (struct rte_ipv6_hdr *)(void *)ip;

	if (packet->family == 6) {
		v6->hop_limits--;
		return;
	}
	v4->hdr_checksum = weir_checksum_update16(v4->hdr_checksum, v4->time_to_live,
						  (uint16_t)(v4->time_to_live - 1));
	v4->time_to_live--;
}

// Translates the error and sends it on. sent: the quoted packet as its sender knows it.
static void send_translated(const struct error *error, const struct weir_tuple *sent,
			    const struct weir_address *source)
{
	const struct weir_burst *burst = error->burst;
	uint8_t *ip = rte_pktmbuf_mtod_offset(error->mbuf, uint8_t *, WEIR_ETHERNET_HEADER);
	const struct weir_icmp_rewrite rewrite = {
		.source = *source,
		.destination = sent->source,
		.inner = {.source = sent->source,
			  .destination = sent->destination,
			  .source_port = sent->source_port,
			  .destination_port = sent->destination_port},
	};

	lower_ttl(ip, error->packet);
	weir_icmp_error_rewrite(ip, error->icmp, &error->inner, &rewrite);
	weir_route_process(burst->worker, burst->config, error->mbuf, &rewrite.destination,
			   error->lb_id);
}

// The client gets errors from the VIP: members and the routers before them may have addresses that
// mean nothing outside. A member gets them from the router that speaks.
static const struct weir_address *speaker(const struct error *error,
					  enum weir_direction answer_from,
					  const struct weir_tuple *sent)
{
	return answer_from == WEIR_FROM_MEMBER ? &sent->destination : &error->packet->source;
}

static void by_flow(struct error *error, const struct weir_flow *flow,
		    enum weir_direction answer_from)
{
	enum weir_direction sent_from =
		answer_from == WEIR_FROM_CLIENT ? WEIR_FROM_MEMBER : WEIR_FROM_CLIENT;
	const struct weir_burst *burst = error->burst;
	const struct weir_target *target = weir_flow_target(&burst->worker->engine->file, flow);

	error->lb_id = target->lb_id;
	if (!weir_flow_is_nat(flow->flow_class)) {
		weir_direct_process(burst->worker, burst->config, error->mbuf, error->packet,
				    target);
		return;
	}
	struct weir_tuple sent = weir_flow_tuple(flow, sent_from);
	send_translated(error, &sent, speaker(error, answer_from, &sent));
}

// Another node's flow, or one from before a restart. Whom the Maglev table names for the client's
// packets sent the one that is quoted. Returns false when the table can't tell.
static bool by_maglev(struct error *error, const struct weir_lb *lb)
{
	const struct weir_packet *answer = &error->answer;
	uint16_t port = weir_host16(answer->destination_port);
	const struct weir_listener *listener = weir_config_listener(lb, answer->protocol, port);

	error->lb_id = lb->lb_id;
	if (listener == NULL || listener->pool->mode == WEIR_MODE_SNAT)
		return false;
	int index = weir_select_mid_flow(error->burst->worker, listener, answer);
	if (index < 0)
		return false;
	if (!weir_mode_is_nat(listener->pool->mode)) {
		const struct weir_burst *burst = error->burst;
		uint32_t binding_id = listener->binding_ids[index];

		weir_direct_process(burst->worker, burst->config, error->mbuf, error->packet,
				    &burst->worker->engine->file.targets[binding_id]);
		return true;
	}
	const struct weir_backend *backend = &listener->pool->backends[index];
	int32_t member_port = weir_backend_port(backend, port);
	if (member_port < 0 ||
	    weir_address_is_v4(&backend->address) != (error->packet->family == 4))
		return false;
	struct weir_tuple sent = {
		.source = backend->address,
		.source_port = weir_be16((uint16_t)member_port),
		.destination = answer->source,
		.destination_port = answer->source_port,
	};
	send_translated(error, &sent, &error->packet->source);
	return true;
}

// About a packet towards a member whose flow another node knows: the configured mapping tells the
// VIP. Returns false when there is none.
static bool by_mapping(struct error *error)
{
	const struct weir_packet *answer = &error->answer;
	const struct weir_reverse *reverse = NULL;
	uint16_t port = weir_host16(answer->source_port);

	if (weir_node_snat_range(error->burst->config->node, &answer->destination) ||
	    weir_config_reverse(error->burst->config, &answer->source, answer->protocol, port,
				&reverse) != WEIR_REVERSE_UNIQUE)
		return false;
	struct weir_tuple sent = {
		.source = answer->destination,
		.source_port = answer->destination_port,
		.destination = reverse->vip_address,
		.destination_port = weir_be16((uint16_t)(port - reverse->offset)),
	};
	error->lb_id = reverse->lb_id;
	send_translated(error, &sent, &sent.destination);
	return true;
}

static void of_flow(struct error *error)
{
	const struct weir_burst *burst = error->burst;
	struct weir_worker *worker = burst->worker;
	const struct weir_packet *answer = &error->answer;
	enum weir_direction from;

	if (weir_owner_hand_over(worker, burst->config, error->mbuf, answer))
		return;
	const struct weir_flow *flow =
		weir_flow_lookup(&worker->table, weir_flow_hash(&worker->table, &answer->tuple),
				 &answer->tuple, &from);
	if (flow != NULL) {
		by_flow(error, flow, from);
		return;
	}
	const struct weir_vip_slot *vip = weir_config_vip(burst->config, &answer->destination);
	if (vip != NULL ? vip->lb != NULL && by_maglev(error, vip->lb) : by_mapping(error))
		return;
	if (weir_peers_pass(worker, burst->config, error->mbuf, error->packet))
		rte_pktmbuf_free(error->mbuf);
	else
		drop(error, WEIR_DROP_ICMP_NO_FLOW);
}

// About a packet that this node itself sent: a probe.
static void of_own(struct error *error)
{
	struct weir_punt punt = {.kind = WEIR_PUNT_LOCAL, .received_tsc = rte_rdtsc()};
	uint8_t unreachable = error->packet->family == 6 ? UNREACHABLE_V6 : UNREACHABLE_V4;

	if (error->icmp[0] == unreachable)
		weir_punt(error->burst->worker, error->mbuf, &punt);
	else
		drop(error, WEIR_DROP_ICMP_UNSUPPORTED);
}

bool weir_icmp_error_hash(const struct weir_burst *burst, const struct rte_mbuf *mbuf,
			  const struct weir_packet *packet, uint64_t *hash)
{
	const uint8_t *icmp = rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, packet->l4_offset);
	struct weir_inner inner;

	if (!weir_icmp_is_error(packet->family, icmp[0]) ||
	    weir_inner_parse(icmp + ICMP_HEADER, (uint32_t)packet->l4_length - ICMP_HEADER,
			     &inner) != WEIR_INNER_PORTS)
		return false;
	struct weir_packet answer = answer_to(&inner);
	*hash = weir_flow_hash(&burst->worker->table, &answer.tuple);
	return true;
}

void weir_icmp_error_process(struct weir_burst *burst, struct rte_mbuf *mbuf,
			     const struct weir_packet *packet)
{
	struct error error = {
		.burst = burst,
		.mbuf = mbuf,
		.packet = packet,
		.icmp = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, packet->l4_offset),
	};
	enum weir_inner_result result = weir_inner_parse(
		error.icmp + ICMP_HEADER, (uint32_t)packet->l4_length - ICMP_HEADER, &error.inner);

	// An error goes to who sent what it quotes; anything else is made up.
	if (result == WEIR_INNER_BAD || error.inner.family != packet->family ||
	    !weir_address_equal(&error.inner.source, &packet->destination)) {
		drop(&error, WEIR_DROP_ICMP_BAD_QUOTE);
		return;
	}
	error.answer = answer_to(&error.inner);
	if (weir_tunnel_sent(burst->config->node, &error.inner))
		weir_tunnel_error_process(burst, mbuf, packet, &error.inner);
	else if (weir_node_owns(burst->config->node, &packet->destination))
		of_own(&error);
	else if (packet->ttl <= 1)
		drop(&error, WEIR_DROP_TTL_EXPIRED);
	else if (result == WEIR_INNER_PORTS)
		of_flow(&error);
	else
		drop(&error, WEIR_DROP_ICMP_NO_FLOW);
}
