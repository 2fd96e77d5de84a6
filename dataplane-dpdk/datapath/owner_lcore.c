// SPDX-License-Identifier: Apache-2.0
//
// Both directions of a flow belong to one worker: by the client's endpoint, which is the source
// towards a VIP and the destination on the way back; replies to a SNAT address by the port, which
// was chosen for that. A port with RSS brings most packets to their worker (docs/owner.md).

#include <rte_ring.h>

#include "datapath/datapath.h"
#include "datapath/exceptions.h"

static uint32_t owner_of(const struct weir_config *config, const struct weir_rss *rss,
			 const struct weir_packet *packet)
{
	if (weir_config_vip(config, &packet->destination) != NULL)
		return weir_rss_owner(rss, &packet->source, packet->source_port);
	if (config->node != NULL && weir_node_snat_range(config->node, &packet->destination))
		return weir_rss_reply_owner(rss, &packet->source, packet->source_port,
					    packet->destination_port);
	return weir_rss_owner(rss, &packet->destination, packet->destination_port);
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
	const struct weir_engine *engine = worker->engine;
	uint32_t owner =
		engine->nb_workers > 1 ? owner_of(config, &engine->rss, packet) : worker->index;

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
