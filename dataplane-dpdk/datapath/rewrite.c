// SPDX-License-Identifier: Apache-2.0

#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "datapath/datapath.h"
#include "lib/checksum.h"

struct weir_rewrite weir_rewrite_to_member(const struct weir_flow_spec *flow)
{
	bool snat = !weir_address_is_none(&flow->snat_address);

	return (struct weir_rewrite){
		.source = snat ? flow->snat_address : flow->client_address,
		.source_port = snat ? flow->snat_port : flow->client_port,
		.destination = flow->member_address,
		.destination_port = flow->member_port,
	};
}

// `change`: what the new addresses and ports add to the transport's checksum.
static inline void rewrite_l4(void *l4, uint8_t protocol, weir_be16_t source_port,
			      weir_be16_t destination_port, uint64_t change)
{
	struct rte_tcp_hdr *tcp = l4;
	struct rte_udp_hdr *udp = l4;

	// Ports have the same place in both headers.
	change += (uint16_t)~udp->src_port + source_port;
	change += (uint16_t)~udp->dst_port + destination_port;
	udp->src_port = source_port;
	udp->dst_port = destination_port;
	if (protocol == WEIR_IP_TCP) {
		tcp->cksum = weir_checksum_apply(tcp->cksum, change);
	} else if (udp->dgram_cksum != 0) {
		// 0 says that the sender made no checksum; a sum that comes out as 0 is sent as its
		// twin.
		uint16_t checksum = weir_checksum_apply(udp->dgram_cksum, change);

		udp->dgram_cksum = checksum != 0 ? checksum : UINT16_MAX;
	}
}

void weir_rewrite4(uint8_t *frame, const struct weir_packet *packet,
		   const struct weir_rewrite4 *rewrite)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(void *)(frame + WEIR_ETHERNET_HEADER);
	uint64_t change = (uint64_t)(uint32_t)~ip->src_addr + rewrite->source;

	change += (uint64_t)(uint32_t)~ip->dst_addr + rewrite->destination;
	if (packet->fragment_offset == 0)
		rewrite_l4(frame + packet->l4_offset, packet->protocol, rewrite->source_port,
			   rewrite->destination_port, change);
	// The TTL is the first byte of its word in memory, hence the low one of the little-endian
	// word.
	change += (uint16_t)~ip->time_to_live + (uint16_t)(ip->time_to_live - 1);
	ip->hdr_checksum = weir_checksum_apply(ip->hdr_checksum, change);
	ip->time_to_live--;
	ip->src_addr = rewrite->source;
	ip->dst_addr = rewrite->destination;
}

static void rewrite6(uint8_t *frame, const struct weir_packet *packet,
		     const struct weir_rewrite *rewrite)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(void *)(frame + WEIR_ETHERNET_HEADER);
	uint64_t change = weir_checksum_change(&packet->source, &rewrite->source) +
			  weir_checksum_change(&packet->destination, &rewrite->destination);

	if (packet->fragment_offset == 0)
		rewrite_l4(frame + packet->l4_offset, packet->protocol, rewrite->source_port,
			   rewrite->destination_port, change);
	ip->hop_limits--;
	memcpy(ip->src_addr, &rewrite->source, sizeof(ip->src_addr));
	memcpy(ip->dst_addr, &rewrite->destination, sizeof(ip->dst_addr));
}

void weir_rewrite(uint8_t *frame, const struct weir_packet *packet,
		  const struct weir_rewrite *rewrite)
{
	if (packet->family == 6) {
		rewrite6(frame, packet, rewrite);
		return;
	}
	const struct weir_rewrite4 rewrite4 = {
		.source = weir_address_to_v4(&rewrite->source),
		.destination = weir_address_to_v4(&rewrite->destination),
		.source_port = rewrite->source_port,
		.destination_port = rewrite->destination_port,
	};
	weir_rewrite4(frame, packet, &rewrite4);
}
