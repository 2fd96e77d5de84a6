// SPDX-License-Identifier: Apache-2.0

#include <rte_icmp.h>
#include <rte_ip.h>

#include "datapath/datapath.h"
#include "datapath/exceptions.h"
#include "lib/checksum.h"

enum { REPLY_TTL = 64, ECHO_REQUEST_V6 = 128, ECHO_REPLY_V6 = 129 };

static void turn_ipv4(struct rte_ipv4_hdr *ip, const struct weir_packet *packet)
{
	ip->src_addr = weir_address_to_v4(&packet->destination);
	ip->dst_addr = weir_address_to_v4(&packet->source);
	// Swapping addresses leaves the header's checksum as it was; the TTL does not.
	ip->hdr_checksum = weir_checksum_update16(ip->hdr_checksum, ip->time_to_live, REPLY_TTL);
	ip->time_to_live = REPLY_TTL;
}

static void turn_ipv6(struct rte_ipv6_hdr *ip, const struct weir_packet *packet)
{
	memcpy(ip->src_addr, packet->destination.bytes, sizeof(ip->src_addr));
	memcpy(ip->dst_addr, packet->source.bytes, sizeof(ip->dst_addr));
	ip->hop_limits = REPLY_TTL;
}

// Turns an echo request around; it leaves by the hop that it came from.
static void echo(struct weir_worker *worker, struct rte_mbuf *mbuf,
		 const struct weir_packet *packet)
{
	struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);
	struct rte_icmp_hdr *icmp =
		rte_pktmbuf_mtod_offset(mbuf, struct rte_icmp_hdr *, packet->l4_offset);
	uint8_t reply = packet->family == 6 ? ECHO_REPLY_V6 : RTE_IP_ICMP_ECHO_REPLY;

	rte_ether_addr_copy(&ethernet->src_addr, &ethernet->dst_addr);
	rte_ether_addr_copy(&worker->engine->mac, &ethernet->src_addr);
	if (packet->family == 6)
		turn_ipv6((struct rte_ipv6_hdr *)(ethernet + 1), packet);
	else
		turn_ipv4((struct rte_ipv4_hdr *)(ethernet + 1), packet);
	icmp->icmp_cksum = weir_checksum_update16(icmp->icmp_cksum, icmp->icmp_type, reply);
	icmp->icmp_type = reply;
	weir_port_tx(worker, mbuf);
}

static bool is_echo_request(const struct weir_packet *packet, const struct rte_icmp_hdr *icmp)
{
	uint8_t request = packet->family == 6 ? ECHO_REQUEST_V6 : RTE_IP_ICMP_ECHO_REQUEST;

	return icmp->icmp_type == request && icmp->icmp_code == 0;
}

static void process(struct weir_burst *burst, struct rte_mbuf *mbuf,
		    const struct weir_packet *packet)
{
	struct weir_worker *worker = burst->worker;
	const struct weir_config *config = burst->config;
	const struct rte_icmp_hdr *icmp =
		rte_pktmbuf_mtod_offset(mbuf, const struct rte_icmp_hdr *, packet->l4_offset);

	if (config->node == NULL) {
		weir_drop(worker, mbuf, 0, WEIR_DROP_NO_CONFIGURATION);
		return;
	}
	const struct weir_vip_slot *vip = weir_config_vip(config, &packet->destination);
	uint32_t lb_id = vip != NULL && vip->lb != NULL ? vip->lb->lb_id : 0;
	bool own = weir_node_owns(config->node, &packet->destination);

	if (weir_icmp_is_error(packet->family, icmp->icmp_type))
		weir_icmp_error_process(burst, mbuf, packet);
	else if (is_echo_request(packet, icmp) && (own || lb_id != 0))
		echo(worker, mbuf, packet);
	else
		weir_drop(worker, mbuf, lb_id, WEIR_DROP_ICMP_UNSUPPORTED);
}

void weir_icmp_process(struct weir_burst *burst, const struct weir_icmp_burst *icmp)
{
	const struct weir_flow_table *table = &burst->worker->table;
	uint64_t hashes[WEIR_BURST];
	bool of_flow[WEIR_BURST];

	// As for flows' own packets: the cache misses of a burst of errors overlap.
	for (uint16_t i = 0; i < icmp->nb; i++) {
		of_flow[i] =
			weir_icmp_error_hash(burst, icmp->mbufs[i], &icmp->packets[i], &hashes[i]);
		if (of_flow[i]) {
			weir_flow_index_prefetch(&table->index, hashes[i]);
			weir_flow_index_prefetch_other(&table->index, hashes[i]);
		}
	}
	for (uint16_t i = 0; i < icmp->nb; i++) {
		uint32_t ref = WEIR_FLOW_NO_REF;

		if (of_flow[i])
			ref = weir_flow_index_guess(&table->index, hashes[i]);
		if (of_flow[i] && ref == WEIR_FLOW_NO_REF)
			ref = weir_flow_index_guess_other(&table->index, hashes[i]);
		if (ref != WEIR_FLOW_NO_REF)
			weir_flow_prefetch_entry(table, ref);
	}
	for (uint16_t i = 0; i < icmp->nb; i++)
		process(burst, icmp->mbufs[i], &icmp->packets[i]);
}
