// SPDX-License-Identifier: Apache-2.0

#include <rte_ethdev.h>
#include <rte_ring.h>

#include "datapath/datapath.h"

void weir_port_tx_flush(struct weir_worker *worker)
{
	uint16_t sent = 0;

	if (worker->nb_tx == 0)
		return;
	if (worker->owns_port)
		sent = rte_eth_tx_burst(worker->engine->port, 0, worker->tx, worker->nb_tx);
	else
		sent = (uint16_t)rte_ring_enqueue_burst(worker->outbound, (void **)worker->tx,
							worker->nb_tx, NULL);
	worker->tx_packets += sent;
	worker->tx_dropped += (uint64_t)(worker->nb_tx - sent);
	for (uint16_t i = sent; i < worker->nb_tx; i++)
		weir_drop(worker, worker->tx[i], 0, WEIR_DROP_TX_FULL);
	worker->nb_tx = 0;
}

void weir_port_tx(struct weir_worker *worker, struct rte_mbuf *mbuf)
{
	worker->tx[worker->nb_tx++] = mbuf;
	if (worker->nb_tx == RTE_DIM(worker->tx))
		weir_port_tx_flush(worker);
}
