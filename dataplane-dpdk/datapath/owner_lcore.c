// SPDX-License-Identifier: Apache-2.0
//
// Both directions of a flow belong to one worker: by the client's endpoint, which is the source
// towards a VIP and the destination on the way back; by port for replies to a SNAT address.

#include <rte_ring.h>

#include "datapath/datapath.h"
#include "datapath/exceptions.h"

static uint32_t owner_by_endpoint(const struct weir_address *address, weir_be16_t port,
				  uint32_t nb_workers)
{
	uint32_t h = (weir_address_hash(address) ^ (uint32_t)port << 13) * UINT32_C(0x9E3779B1);

	h = (h ^ (h >> 15)) * UINT32_C(0x85EBCA6B);
	return (uint32_t)(((uint64_t)(h ^ (h >> 13)) * nb_workers) >> 32);
}

static uint32_t owner_of(const struct weir_config *config, const struct weir_packet *packet,
			 uint32_t nb_workers)
{
	if (weir_config_vip(config, &packet->destination) != NULL)
		return owner_by_endpoint(&packet->source, packet->source_port, nb_workers);
	if (config->node != NULL && weir_node_snat_range(config->node, &packet->destination))
		return weir_snat_owner(packet->destination_port, nb_workers);
	return owner_by_endpoint(&packet->destination, packet->destination_port, nb_workers);
}

void weir_owner_give(struct weir_worker *worker, struct rte_mbuf *mbuf, uint32_t owner)
{
	weir_punt_of(mbuf)->received_tsc = worker->received_tsc;
	if (rte_ring_enqueue(worker->engine->workers[owner].inbound, mbuf) != 0)
		weir_drop(worker, mbuf, 0, WEIR_DROP_QUEUE_FULL);
}

bool weir_owner_hand_over(struct weir_worker *worker, const struct weir_config *config,
			  struct rte_mbuf *mbuf, const struct weir_packet *packet)
{
	uint32_t nb_workers = worker->engine->nb_workers;
	uint32_t owner = nb_workers > 1 ? owner_of(config, packet, nb_workers) : worker->index;

	if (owner == worker->index)
		return false;
	weir_owner_give(worker, mbuf, owner);
	return true;
}

void weir_owner_process(struct weir_burst *burst)
{
	struct weir_worker *worker = burst->worker;
	uint16_t kept = 0;

	if (worker->engine->nb_workers == 1)
		return;
	for (uint16_t i = 0; i < burst->nb; i++) {
		if (weir_owner_hand_over(worker, burst->config, burst->mbufs[i],
					 &burst->packets[i]))
			continue;
		burst->mbufs[kept] = burst->mbufs[i];
		burst->packets[kept++] = burst->packets[i];
	}
	burst->nb = kept;
}
