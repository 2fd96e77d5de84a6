// SPDX-License-Identifier: Apache-2.0

#include "datapath/datapath.h"
#include "datapath/exceptions.h"

void weir_route_to_neighbour(struct weir_worker *worker, struct rte_mbuf *mbuf,
			     const struct weir_address *next_hop, uint32_t lb_id)
{
	struct weir_engine *engine = worker->engine;
	struct weir_neighbour *neighbour = weir_neighbour_find(&engine->neighbours, next_hop);
	uint64_t mac =
		neighbour != NULL ? atomic_load_explicit(&neighbour->mac, memory_order_relaxed) : 0;

	if (!(mac & WEIR_NEIGHBOUR_RESOLVED)) {
		struct weir_punt punt = {
			.kind = WEIR_PUNT_RESOLVE, .next_hop = *next_hop, .lb_id = lb_id};

		weir_punt(worker, mbuf, &punt);
		return;
	}
	if (atomic_load_explicit(&neighbour->used, memory_order_relaxed) != worker->now)
		atomic_store_explicit(&neighbour->used, worker->now, memory_order_relaxed);
	struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);
	memcpy(&ethernet->dst_addr, &mac, RTE_ETHER_ADDR_LEN);
	rte_ether_addr_copy(&engine->mac, &ethernet->src_addr);
	weir_port_tx(worker, mbuf);
}

// Drivers whose kernel puts fragments together (net_af_packet) hand over what no frame can hold.
static void send_in_pieces(struct weir_worker *worker, const struct weir_config *config,
			   struct rte_mbuf *mbuf, const struct weir_address *destination,
			   uint32_t lb_id)
{
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	struct rte_mbuf *pieces[WEIR_SPLIT_MAX];
	uint16_t nb = 0;

	if (frame[WEIR_ETHERNET_HEADER] >> 4 == 4)
		nb = weir_ipv4_split(worker, mbuf, config->node->mtu, pieces);
	if (nb == 0)
		weir_drop(worker, mbuf, lb_id, WEIR_DROP_MTU_EXCEEDED);
	for (uint16_t i = 0; i < nb; i++)
		weir_route_process(worker, config, pieces[i], destination, lb_id);
}

void weir_route_process(struct weir_worker *worker, const struct weir_config *config,
			struct rte_mbuf *mbuf, const struct weir_address *destination,
			uint32_t lb_id)
{
	const struct weir_route *route = weir_config_route(config->node, destination);

	if (unlikely(rte_pktmbuf_pkt_len(mbuf) >
		     (uint32_t)WEIR_ETHERNET_HEADER + config->node->mtu)) {
		send_in_pieces(worker, config, mbuf, destination, lb_id);
		return;
	}
	if (route == NULL) {
		weir_drop(worker, mbuf, lb_id, WEIR_DROP_NO_ROUTE);
		return;
	}
	weir_route_to_neighbour(
		worker, mbuf,
		weir_address_is_none(&route->next_hop) ? destination : &route->next_hop, lb_id);
}
