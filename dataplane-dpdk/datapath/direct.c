// SPDX-License-Identifier: Apache-2.0
//
// Packets of flows whose replies pass the engine by: dsr gives them to the member as they came, in
// a frame with its MAC; tunnel wraps them in an IP packet to it, as IP in IP or in UDP by generic
// UDP encapsulation, variant 1, where the inner packet follows the UDP header at once.

#include <rte_ip.h>
#include <rte_udp.h>

#include "datapath/datapath.h"
#include "datapath/exceptions.h"
#include "lib/checksum.h"

enum { OUTER_TTL = 64, GUE_FIRST_PORT = 49152, GUE_PORT_MASK = 0x3fff };

// Everything of a flow goes one way through the network between here and the member.
static uint32_t flow_hash(const struct weir_packet *packet)
{
	uint32_t h = weir_address_hash(&packet->source) ^
		     ((uint32_t)packet->source_port << 16 | packet->destination_port) *
			     UINT32_C(0x9E3779B1);

	h ^= weir_address_hash(&packet->destination) * UINT32_C(0xC2B2AE35);
	h = (h ^ (h >> 15)) * UINT32_C(0x85EBCA6B);
	return h ^ (h >> 13);
}

static struct weir_address source_of(const struct weir_node *node, enum weir_family family,
				     uint32_t hash)
{
	uint32_t nb = node->nb_tunnel_sources[family];

	if (nb == 0)
		return family == WEIR_V4 ? node->data_address : node->data_address_v6;
	const struct weir_cidr *prefix = &node->tunnel_sources[family][((uint64_t)hash * nb) >> 32];
	struct weir_address source = prefix->address;
	// Multiplied, since the high bits have chosen the prefix already.
	source.words[3] |= (hash * UINT32_C(0x9E3779B1)) & ~prefix->mask.words[3];
	return source;
}

static void lower_ttl(uint8_t *ip, const struct weir_packet *packet)
{
	struct rte_ipv4_hdr *v4 = (struct rte_ipv4_hdr *)(void *)ip;

	if (packet->family == 6) {
		((struct rte_ipv6_hdr *)(void *)ip)->hop_limits--;
		return;
	}
	v4->hdr_checksum = weir_checksum_update16(v4->hdr_checksum, v4->time_to_live,
						  (uint16_t)(v4->time_to_live - 1));
	v4->time_to_live--;
}

// What is around the inner packet.
struct outer {
	struct weir_address source;
	struct weir_address destination;
	uint8_t traffic_class;
	uint8_t protocol;
	uint16_t payload_length;
};

static void write_ipv4(struct rte_ipv4_hdr *ip, const struct outer *outer)
{
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = 0x45,
		.type_of_service = outer->traffic_class,
		.total_length = weir_be16((uint16_t)(sizeof(*ip) + outer->payload_length)),
		.fragment_offset = weir_be16(RTE_IPV4_HDR_DF_FLAG), // hence an id of 0
		.time_to_live = OUTER_TTL,
		.next_proto_id = outer->protocol,
		.src_addr = weir_address_to_v4(&outer->source),
		.dst_addr = weir_address_to_v4(&outer->destination),
	};
	ip->hdr_checksum = weir_checksum(ip, sizeof(*ip));
}

static void write_ipv6(struct rte_ipv6_hdr *ip, const struct outer *outer)
{
	ip->vtc_flow = weir_be32(UINT32_C(6) << 28 | (uint32_t)outer->traffic_class << 20);
	ip->payload_len = weir_be16(outer->payload_length);
	ip->proto = outer->protocol;
	ip->hop_limits = OUTER_TTL;
	memcpy(ip->src_addr, &outer->source, sizeof(ip->src_addr));
	memcpy(ip->dst_addr, &outer->destination, sizeof(ip->dst_addr));
}

// A checksum of 0 over IPv6 is what RFC 6935 and 6936 allow for tunnels: the inner packet has its
// own, and members are told to take it.
static void write_udp(struct rte_udp_hdr *udp, const struct weir_target *target, uint32_t hash,
		      uint16_t inner_length)
{
	*udp = (struct rte_udp_hdr){
		.src_port = weir_be16((uint16_t)(GUE_FIRST_PORT + (hash & GUE_PORT_MASK))),
		.dst_port = target->tunnel_port,
		.dgram_len = weir_be16((uint16_t)(sizeof(*udp) + inner_length)),
	};
}

uint16_t weir_tunnel_overhead(const struct weir_target *target)
{
	bool v4 = weir_address_is_v4(&target->member_address);
	uint16_t length = v4 ? WEIR_IPV4_HEADER : WEIR_IPV6_HEADER;

	if (target->encapsulation == WEIR_ENCAPSULATION_GUE)
		length = (uint16_t)(length + sizeof(struct rte_udp_hdr));
	return length;
}

// Puts the outer headers in front of the inner packet. The frame has room: drivers leave
// RTE_PKTMBUF_HEADROOM.
void weir_direct_wrap(const struct weir_node *node, struct rte_mbuf *mbuf,
		      const struct weir_packet *packet, const struct weir_target *target)
{
	bool v4 = weir_address_is_v4(&target->member_address);
	uint16_t overhead = weir_tunnel_overhead(target);
	bool gue = target->encapsulation == WEIR_ENCAPSULATION_GUE;
	uint32_t hash = flow_hash(packet);
	struct outer outer = {
		.source = gue ? (v4 ? node->data_address : node->data_address_v6)
			      : source_of(node, v4 ? WEIR_V4 : WEIR_V6, hash),
		.destination = target->member_address,
		.traffic_class = packet->traffic_class,
		.protocol = packet->family == 4 ? WEIR_IP_IPIP : WEIR_IP_IPV6,
		.payload_length = (uint16_t)(packet->l3_length + overhead -
					     (v4 ? WEIR_IPV4_HEADER : WEIR_IPV6_HEADER)),
	};

	if (gue)
		outer.protocol = WEIR_IP_UDP;
	// Padding of short frames ends here.
	mbuf->data_len = mbuf->pkt_len = (uint16_t)(WEIR_ETHERNET_HEADER + packet->l3_length);
	uint8_t *frame = (uint8_t *)rte_pktmbuf_prepend(mbuf, overhead);
	uint8_t *ip = frame + WEIR_ETHERNET_HEADER;
	weir_be16_t ethertype = weir_be16(v4 ? WEIR_ETHERTYPE_IPV4 : WEIR_ETHERTYPE_IPV6);
	memcpy(frame + 12, &ethertype, sizeof(ethertype));
	if (v4)
		write_ipv4((void *)ip, &outer);
	else
		write_ipv6((void *)ip, &outer);
	if (gue)
		write_udp((void *)(ip + (v4 ? WEIR_IPV4_HEADER : WEIR_IPV6_HEADER)), target, hash,
			  packet->l3_length);
}

// The largest outer packet that gets to the member. What fits any path is not looked up.
static uint16_t outer_mtu(const struct weir_worker *worker, const struct weir_config *config,
			  const struct weir_target *target, uint32_t outer_length)
{
	uint16_t mtu = config->node->mtu;
	uint16_t learnt;

	if (outer_length <= WEIR_LEAST_MTU_V4)
		return mtu;
	learnt =
		weir_path_mtu_get(&worker->engine->path_mtus, &target->member_address, worker->now);
	return learnt != 0 && learnt < mtu ? learnt : mtu;
}

static void tunnel(struct weir_worker *worker, const struct weir_config *config,
		   struct rte_mbuf *mbuf, const struct weir_packet *packet,
		   const struct weir_target *target);

// IPv4 without DF is cut before it is wrapped: the member's decapsulator sees whole outer packets,
// and its kernel puts the inner ones together. Everything else is for its sender to make smaller.
static void does_not_fit(struct weir_worker *worker, const struct weir_config *config,
			 struct rte_mbuf *mbuf, const struct weir_packet *packet,
			 const struct weir_target *target, uint16_t mtu)
{
	struct rte_mbuf *pieces[WEIR_SPLIT_MAX];
	uint16_t nb;

	if (packet->family == 6 || packet->dont_fragment) {
		weir_icmp_too_big(worker, config, mbuf, packet, mtu, target->lb_id);
		return;
	}
	nb = weir_ipv4_split(worker, mbuf, mtu, pieces);
	if (nb == 0)
		weir_drop(worker, mbuf, target->lb_id, WEIR_DROP_MTU_EXCEEDED);
	for (uint16_t i = 0; i < nb; i++) {
		struct weir_packet piece = *packet;

		piece.l3_length = (uint16_t)(rte_pktmbuf_pkt_len(pieces[i]) - WEIR_ETHERNET_HEADER);
		tunnel(worker, config, pieces[i], &piece, target);
	}
}

static void tunnel(struct weir_worker *worker, const struct weir_config *config,
		   struct rte_mbuf *mbuf, const struct weir_packet *packet,
		   const struct weir_target *target)
{
	bool v4 = weir_address_is_v4(&target->member_address);
	uint16_t overhead = weir_tunnel_overhead(target);
	uint32_t outer_length = (uint32_t)packet->l3_length + overhead;
	uint16_t mtu = outer_mtu(worker, config, target, outer_length);

	if (!v4 && weir_address_is_none(&config->node->data_address_v6)) {
		weir_drop(worker, mbuf, target->lb_id, WEIR_DROP_NO_ROUTE);
		return;
	}
	if (outer_length > mtu) {
		does_not_fit(worker, config, mbuf, packet, target, (uint16_t)(mtu - overhead));
		return;
	}
	lower_ttl(rte_pktmbuf_mtod_offset(mbuf, uint8_t *, WEIR_ETHERNET_HEADER), packet);
	weir_direct_wrap(config->node, mbuf, packet, target);
	weir_route_process(worker, config, mbuf, &target->member_address, target->lb_id);
}

void weir_direct_process(struct weir_worker *worker, const struct weir_config *config,
			 struct rte_mbuf *mbuf, const struct weir_packet *packet,
			 const struct weir_target *target)
{
	if (target->mode == WEIR_MODE_TUNNEL) {
		tunnel(worker, config, mbuf, packet, target);
		return;
	}
	// The packet is for the VIP, so that no router between could bring it to the member.
	const struct weir_route *route = weir_config_route(config->node, &target->member_address);
	if (route == NULL || !weir_address_is_none(&route->next_hop)) {
		weir_drop(worker, mbuf, target->lb_id, WEIR_DROP_NO_ROUTE);
		return;
	}
	weir_route_to_neighbour(worker, mbuf, &target->member_address, target->lb_id);
}
