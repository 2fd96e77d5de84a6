// SPDX-License-Identifier: Apache-2.0

#include <rte_arp.h>
#include <rte_cycles.h>

#include "datapath/datapath.h"

static void answer(struct weir_worker *worker, struct rte_mbuf *mbuf, weir_be32_t own)
{
	struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(ethernet + 1);

	rte_ether_addr_copy(&ethernet->src_addr, &ethernet->dst_addr);
	rte_ether_addr_copy(&worker->engine->mac, &ethernet->src_addr);
	arp->arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
	arp->arp_data.arp_tha = arp->arp_data.arp_sha;
	arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	rte_ether_addr_copy(&worker->engine->mac, &arp->arp_data.arp_sha);
	arp->arp_data.arp_sip = own;
	weir_port_tx(worker, mbuf);
}

void weir_arp_process(struct weir_burst *burst, struct rte_mbuf *mbuf)
{
	struct weir_worker *worker = burst->worker;
	const struct rte_arp_hdr *arp =
		rte_pktmbuf_mtod_offset(mbuf, const struct rte_arp_hdr *, RTE_ETHER_HDR_LEN);
	const struct weir_node *node = burst->config->node;
	struct weir_punt punt = {.kind = WEIR_PUNT_ARP, .received_tsc = rte_rdtsc()};

	if (node == NULL || arp->arp_data.arp_tip != weir_address_to_v4(&node->data_address)) {
		weir_drop(worker, mbuf, 0, WEIR_DROP_NOT_FOR_US);
		return;
	}
	if (arp->arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST)) {
		weir_punt(worker, mbuf, &punt);
		return;
	}
	// The asker is about to send to us: the control thread learns its address from a copy.
	struct rte_mbuf *copy = rte_pktmbuf_copy(mbuf, worker->engine->mbufs, 0, UINT32_MAX);
	if (copy != NULL)
		weir_punt(worker, copy, &punt);
	answer(worker, mbuf, weir_address_to_v4(&node->data_address));
}
