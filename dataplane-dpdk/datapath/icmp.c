// SPDX-License-Identifier: Apache-2.0

#include <rte_cycles.h>
#include <rte_icmp.h>
#include <rte_ip.h>

#include "datapath/datapath.h"
#include "lib/checksum.h"

enum { ICMP_UNREACHABLE = 3, REPLY_TTL = 64 };

// Turns an echo request around; it leaves by the hop that it came from.
static void echo(struct weir_worker *worker, struct rte_mbuf *mbuf,
		 const struct weir_packet *packet)
{
	struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(ethernet + 1);
	struct rte_icmp_hdr *icmp =
		rte_pktmbuf_mtod_offset(mbuf, struct rte_icmp_hdr *, packet->l4_offset);

	rte_ether_addr_copy(&ethernet->src_addr, &ethernet->dst_addr);
	rte_ether_addr_copy(&worker->engine->mac, &ethernet->src_addr);
	ip->src_addr = weir_address_to_v4(&packet->destination);
	ip->dst_addr = weir_address_to_v4(&packet->source);
	// Swapping addresses leaves the header's checksum as it was; the TTL does not.
	ip->hdr_checksum = weir_checksum_update16(ip->hdr_checksum, ip->time_to_live, REPLY_TTL);
	ip->time_to_live = REPLY_TTL;
	icmp->icmp_cksum = weir_checksum_update16(icmp->icmp_cksum, RTE_IP_ICMP_ECHO_REQUEST,
						  RTE_IP_ICMP_ECHO_REPLY);
	icmp->icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	weir_port_tx(worker, mbuf);
}

void weir_icmp_process(struct weir_burst *burst, struct rte_mbuf *mbuf,
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
	bool own = weir_node_owns(config->node, &packet->destination);
	uint32_t lb_id = vip != NULL && vip->lb != NULL ? vip->lb->lb_id : 0;

	if (packet->family == 6) {
		weir_drop(worker, mbuf, lb_id, WEIR_DROP_ICMP_UNSUPPORTED);
		return;
	}
	if (icmp->icmp_type == RTE_IP_ICMP_ECHO_REQUEST && icmp->icmp_code == 0 &&
	    (own || lb_id != 0)) {
		echo(worker, mbuf, packet);
	} else if (own && icmp->icmp_type == ICMP_UNREACHABLE) {
		struct weir_punt punt = {.kind = WEIR_PUNT_LOCAL, .received_tsc = rte_rdtsc()};

		weir_punt(worker, mbuf, &punt);
	} else {
		weir_drop(worker, mbuf, lb_id, WEIR_DROP_ICMP_UNSUPPORTED);
	}
}
