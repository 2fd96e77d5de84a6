// SPDX-License-Identifier: Apache-2.0

#include "tests/bench/traffic.h"

#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "lib/checksum.h"
#include "tests/bench/lab.h"

enum {
	FRAME_LENGTH = 60, // 64 with the check sequence
	ICMP_LENGTH = 70,  // the least that carries 8 bytes of L4
	FIRST_CLIENT = 0x10000000,
	FIRST_SPOOFED = 0x40000000,
	CLIENT_BITS = 24,
	SPOOFED_BITS = 30,
	NEXT_HOP_MTU = 1400,
	TCP_SYN = 0x02,
	TCP_ACK = 0x10,
};

struct endpoints {
	uint32_t source;
	uint32_t destination;
	uint16_t source_port;
	uint16_t destination_port;
};

// An odd factor permutes the numbers below 2^bits.
static uint32_t scatter(uint32_t number, int bits)
{
	return (number * UINT32_C(0x9E3779B1)) & ((UINT32_C(1) << bits) - 1);
}

struct traffic_flow traffic_flow(uint32_t number)
{
	return (struct traffic_flow){
		.client = FIRST_CLIENT + scatter(number, CLIENT_BITS),
		.client_port = (uint16_t)(1024 + (number * UINT32_C(40503) >> 7) % 64000),
		.lb = (uint8_t)((number ^ number >> 7) % LAB_LBS),
	};
}

static struct endpoints from_client(const struct traffic_flow *flow)
{
	return (struct endpoints){flow->client, lab_vip(flow->lb), flow->client_port, LAB_VIP_PORT};
}

static void fill_ipv4(struct rte_ipv4_hdr *ip, uint8_t protocol, uint16_t length, uint32_t source,
		      uint32_t destination)
{
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16(length),
		.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = 64,
		.next_proto_id = protocol,
		.src_addr = rte_cpu_to_be_32(source),
		.dst_addr = rte_cpu_to_be_32(destination),
	};
	ip->hdr_checksum = weir_checksum(ip, sizeof(*ip));
}

static void *fill_ethernet(struct rte_mbuf *mbuf, uint16_t length)
{
	struct rte_ether_hdr *ethernet =
		(struct rte_ether_hdr *)(void *)rte_pktmbuf_append(mbuf, length);

	memcpy(&ethernet->dst_addr, lab_own_mac, RTE_ETHER_ADDR_LEN);
	memcpy(&ethernet->src_addr, lab_router_mac, RTE_ETHER_ADDR_LEN);
	ethernet->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	return ethernet + 1;
}

static void fill_tcp(struct rte_mbuf *mbuf, const struct endpoints *ends, uint8_t flags,
		     uint32_t number)
{
	struct rte_ipv4_hdr *ip = fill_ethernet(mbuf, FRAME_LENGTH);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	const uint16_t length = FRAME_LENGTH - RTE_ETHER_HDR_LEN;
	const uint16_t l4_length = length - sizeof(*ip);

	fill_ipv4(ip, IPPROTO_TCP, length, ends->source, ends->destination);
	memset(tcp, 0, l4_length);
	tcp->src_port = rte_cpu_to_be_16(ends->source_port);
	tcp->dst_port = rte_cpu_to_be_16(ends->destination_port);
	tcp->sent_seq = number;
	tcp->data_off = (uint8_t)(sizeof(*tcp) / 4 << 4);
	tcp->tcp_flags = flags;
	tcp->rx_win = UINT16_MAX;
	tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
}

// What a router on the way to the client says about a packet of the VIP.
static void fill_icmp(struct rte_mbuf *mbuf, const struct traffic_flow *flow, uint32_t number)
{
	struct rte_ipv4_hdr *ip = fill_ethernet(mbuf, ICMP_LENGTH);
	uint8_t *icmp = (uint8_t *)(ip + 1);
	struct rte_ipv4_hdr *inner = (struct rte_ipv4_hdr *)(void *)(icmp + 8);
	uint8_t *l4 = (uint8_t *)(inner + 1);
	const uint8_t head[8] = {3, 4, 0, 0, 0, 0, NEXT_HOP_MTU >> 8, NEXT_HOP_MTU & 0xff};
	const uint16_t ports[2] = {rte_cpu_to_be_16(LAB_VIP_PORT),
				   rte_cpu_to_be_16(flow->client_port)};

	fill_ipv4(ip, IPPROTO_ICMP, ICMP_LENGTH - RTE_ETHER_HDR_LEN, FIRST_SPOOFED,
		  lab_vip(flow->lb));
	memcpy(icmp, head, sizeof(head));
	fill_ipv4(inner, IPPROTO_TCP, 1500, lab_vip(flow->lb), flow->client);
	memcpy(l4, ports, sizeof(ports));
	memcpy(l4 + sizeof(ports), &number, sizeof(number));
	uint16_t sum = weir_checksum(icmp, 8 + sizeof(*inner) + 8);
	memcpy(icmp + 2, &sum, sizeof(sum));
}

void traffic_fill(struct rte_mbuf *mbuf, enum traffic_kind kind, const struct traffic_flow *flow,
		  uint32_t number)
{
	struct endpoints ends = from_client(flow);

	switch (kind) {
	case TRAFFIC_SYN:
	case TRAFFIC_FLOOD:
		fill_tcp(mbuf, &ends, TCP_SYN, number);
		return;
	case TRAFFIC_BOTH:
		if (flow->member != 0)
			ends = (struct endpoints){flow->member, flow->reply_to, flow->member_port,
						  flow->reply_port};
		fill_tcp(mbuf, &ends, TCP_ACK, number);
		return;
	case TRAFFIC_CLIENT:
		fill_tcp(mbuf, &ends, TCP_ACK, number);
		return;
	case TRAFFIC_ICMP:
		fill_icmp(mbuf, flow, number);
		return;
	}
}

void traffic_fill_flood(struct rte_mbuf *mbuf, uint32_t number)
{
	struct traffic_flow flow = traffic_flow(number);

	flow.client = FIRST_SPOOFED + scatter(number, SPOOFED_BITS);
	traffic_fill(mbuf, TRAFFIC_FLOOD, &flow, number);
}

bool traffic_learn(const struct rte_mbuf *mbuf, struct traffic_flow *flows, uint32_t nb)
{
	const struct rte_ipv4_hdr *ip =
		rte_pktmbuf_mtod_offset(mbuf, const struct rte_ipv4_hdr *, RTE_ETHER_HDR_LEN);
	const struct rte_tcp_hdr *tcp = (const struct rte_tcp_hdr *)(ip + 1);

	if (rte_pktmbuf_data_len(mbuf) < FRAME_LENGTH || ip->next_proto_id != IPPROTO_TCP ||
	    tcp->sent_seq >= nb)
		return false;
	struct traffic_flow *flow = &flows[tcp->sent_seq];
	flow->member = rte_be_to_cpu_32(ip->dst_addr);
	flow->member_port = rte_be_to_cpu_16(tcp->dst_port);
	flow->reply_to = rte_be_to_cpu_32(ip->src_addr);
	flow->reply_port = rte_be_to_cpu_16(tcp->src_port);
	return true;
}
