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
	bool snat = flow->snat_address != 0;
	return (struct weir_rewrite){
		.source = snat ? flow->snat_address : flow->client_address,
		.source_port = snat ? flow->snat_port : flow->client_port,
		.destination = flow->member_address,
		.destination_port = flow->member_port,
	};
}

static uint16_t update_l4(uint16_t checksum, const struct weir_packet *packet,
			  const struct weir_rewrite *rewrite)
{
	checksum = weir_checksum_update32(checksum, packet->source, rewrite->source);
	checksum = weir_checksum_update32(checksum, packet->destination, rewrite->destination);
	checksum = weir_checksum_update16(checksum, packet->source_port, rewrite->source_port);
	return weir_checksum_update16(checksum, packet->destination_port,
				      rewrite->destination_port);
}

static void rewrite_tcp(struct rte_tcp_hdr *tcp, const struct weir_packet *packet,
			const struct weir_rewrite *rewrite)
{
	tcp->cksum = update_l4(tcp->cksum, packet, rewrite);
	tcp->src_port = rewrite->source_port;
	tcp->dst_port = rewrite->destination_port;
}

static void rewrite_udp(struct rte_udp_hdr *udp, const struct weir_packet *packet,
			const struct weir_rewrite *rewrite)
{
	// 0 says that the sender made no checksum; a sum that comes out as 0 is sent as its twin.
	if (udp->dgram_cksum != 0) {
		uint16_t checksum = update_l4(udp->dgram_cksum, packet, rewrite);

		udp->dgram_cksum = checksum != 0 ? checksum : UINT16_MAX;
	}
	udp->src_port = rewrite->source_port;
	udp->dst_port = rewrite->destination_port;
}

void weir_rewrite(uint8_t *frame, const struct weir_packet *packet,
		  const struct weir_rewrite *rewrite)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(void *)(frame + WEIR_ETHERNET_HEADER);
	void *l4 = frame + packet->l4_offset;
	uint16_t checksum = ip->hdr_checksum;

	checksum = weir_checksum_update32(checksum, ip->src_addr, rewrite->source);
	checksum = weir_checksum_update32(checksum, ip->dst_addr, rewrite->destination);
	// TTL is the first byte of its word in memory, hence the low byte of the little-endian
	// word.
	checksum = weir_checksum_update16(checksum, ip->time_to_live,
					  (uint16_t)(ip->time_to_live - 1));
	ip->hdr_checksum = checksum;
	ip->time_to_live--;
	ip->src_addr = rewrite->source;
	ip->dst_addr = rewrite->destination;
	if (packet->protocol == WEIR_IP_TCP)
		rewrite_tcp(l4, packet, rewrite);
	else
		rewrite_udp(l4, packet, rewrite);
}
