// SPDX-License-Identifier: Apache-2.0

#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "datapath/datapath.h"
#include "lib/checksum.h"

struct weir_rewrite weir_rewrite_of(const struct weir_flow *flow, enum weir_direction direction)
{
	if (direction == WEIR_FROM_MEMBER)
		return (struct weir_rewrite){
			.source = flow->vip_address,
			.source_port = flow->vip_port,
			.destination = flow->client_address,
			.destination_port = flow->client_port,
		};
	bool snat = !weir_address_is_none(&flow->snat_address);
	return (struct weir_rewrite){
		.source = snat ? flow->snat_address : flow->client_address,
		.source_port = snat ? flow->snat_port : flow->client_port,
		.destination = flow->member_address,
		.destination_port = flow->member_port,
	};
}

// What the new addresses and ports add to the transport's checksum.
static uint64_t l4_change(const struct weir_packet *packet, const struct weir_rewrite *rewrite)
{
	return weir_checksum_change(&packet->source, &rewrite->source) +
	       weir_checksum_change(&packet->destination, &rewrite->destination) +
	       (uint16_t)~packet->source_port + rewrite->source_port +
	       (uint16_t)~packet->destination_port + rewrite->destination_port;
}

static void rewrite_l4(void *l4, const struct weir_packet *packet,
		       const struct weir_rewrite *rewrite)
{
	struct rte_tcp_hdr *tcp = l4;
	struct rte_udp_hdr *udp = l4;

	if (packet->protocol == WEIR_IP_TCP) {
		tcp->cksum = weir_checksum_apply(tcp->cksum, l4_change(packet, rewrite));
	} else if (udp->dgram_cksum != 0) {
		// 0 says that the sender made no checksum; a sum that comes out as 0 is sent as its
		// twin.
		uint16_t checksum =
			weir_checksum_apply(udp->dgram_cksum, l4_change(packet, rewrite));

		udp->dgram_cksum = checksum != 0 ? checksum : UINT16_MAX;
	}
	// Ports have the same place in both headers.
	udp->src_port = rewrite->source_port;
	udp->dst_port = rewrite->destination_port;
}

static void rewrite_ipv4(struct rte_ipv4_hdr *ip, const struct weir_rewrite *rewrite)
{
	weir_be32_t source = weir_address_to_v4(&rewrite->source);
	weir_be32_t destination = weir_address_to_v4(&rewrite->destination);
	uint64_t change = (uint64_t)(uint32_t)~ip->src_addr + source;

	change += (uint64_t)(uint32_t)~ip->dst_addr + destination;
	// The TTL is the first byte of its word in memory, hence the low one of the little-endian
	// word.
	change += (uint16_t)~ip->time_to_live + (uint16_t)(ip->time_to_live - 1);
	ip->hdr_checksum = weir_checksum_apply(ip->hdr_checksum, change);
	ip->time_to_live--;
	ip->src_addr = source;
	ip->dst_addr = destination;
}

static void rewrite_ipv6(struct rte_ipv6_hdr *ip, const struct weir_rewrite *rewrite)
{
	ip->hop_limits--;
	memcpy(ip->src_addr, &rewrite->source, sizeof(ip->src_addr));
	memcpy(ip->dst_addr, &rewrite->destination, sizeof(ip->dst_addr));
}

void weir_rewrite(uint8_t *frame, const struct weir_packet *packet,
		  const struct weir_rewrite *rewrite)
{
	void *ip = frame + WEIR_ETHERNET_HEADER;

	if (packet->family == 4)
		rewrite_ipv4(ip, rewrite);
	else
		rewrite_ipv6(ip, rewrite);
	rewrite_l4(frame + packet->l4_offset, packet, rewrite);
}
