// SPDX-License-Identifier: Apache-2.0
//
// Neighbour discovery for the IPv6 data address. VIPs are routed to it, so nobody asks for them.

#include <rte_cycles.h>

#include "datapath/datapath.h"
#include "lib/ndp.h"

static void answer(struct weir_worker *worker, struct rte_mbuf *mbuf, const struct weir_ndp *asked)
{
	bool nameless = weir_address_is_none(&asked->source); // it looks for a twin of its address
	const struct weir_ndp reply = {
		.type = WEIR_NDP_ADVERTISE,
		.flags = nameless ? WEIR_NDP_OVERRIDE : WEIR_NDP_OVERRIDE | WEIR_NDP_SOLICITED,
		.source = asked->target,
		.destination = nameless ? weir_all_nodes : asked->source,
		.target = asked->target,
	};
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	uint8_t to_mac[RTE_ETHER_ADDR_LEN];

	memcpy(to_mac, frame + RTE_ETHER_ADDR_LEN, sizeof(to_mac));
	if (nameless)
		weir_multicast_mac(&weir_all_nodes, to_mac);
	rte_pktmbuf_trim(mbuf, rte_pktmbuf_data_len(mbuf));
	frame = (uint8_t *)rte_pktmbuf_append(mbuf, WEIR_NDP_FRAME);
	weir_ndp_write(frame, worker->engine->mac.addr_bytes, to_mac, &reply);
	weir_port_tx(worker, mbuf);
}

void weir_ndp_process(struct weir_burst *burst, struct rte_mbuf *mbuf,
		      const struct weir_packet *packet)
{
	struct weir_worker *worker = burst->worker;
	const struct weir_node *node = burst->config->node;
	struct weir_punt punt = {.kind = WEIR_PUNT_NDP, .received_tsc = rte_rdtsc()};
	struct weir_ndp ndp;

	if (weir_ndp_read(rte_pktmbuf_mtod(mbuf, const uint8_t *), packet, &ndp) != 0) {
		weir_drop(worker, mbuf, 0, WEIR_DROP_BAD_HEADER);
		return;
	}
	if (node == NULL || weir_address_is_none(&node->data_address_v6) ||
	    (ndp.type == WEIR_NDP_SOLICIT &&
	     !weir_address_equal(&ndp.target, &node->data_address_v6))) {
		weir_drop(worker, mbuf, 0, WEIR_DROP_NOT_FOR_US);
		return;
	}
	if (ndp.type == WEIR_NDP_ADVERTISE) {
		weir_punt(worker, mbuf, &punt);
		return;
	}
	// The asker is about to send to us: the control thread learns its address from a copy.
	struct rte_mbuf *copy = rte_pktmbuf_copy(mbuf, worker->engine->mbufs, 0, UINT32_MAX);
	if (copy != NULL)
		weir_punt(worker, copy, &punt);
	answer(worker, mbuf, &ndp);
}
