// SPDX-License-Identifier: Apache-2.0

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

#include "datapath/capture.h"

// Time in the engine, sampled once per burst: all its packets count as the first one did.
static void count_residence(struct weir_worker *worker, uint16_t nb)
{
	uint64_t cycles = rte_rdtsc() - worker->received_tsc;
	uint64_t us = (cycles * worker->engine->us_per_tsc) >> 32;
	unsigned int bucket = us == 0 ? 0 : 64 - (unsigned int)__builtin_clzll(us);

	worker->residence[RTE_MIN(bucket, WEIR_RESIDENCE_BUCKETS - 1U)] += nb;
}

void weir_port_tx_flush(struct weir_worker *worker)
{
	uint16_t sent = 0;

	if (worker->nb_tx == 0)
		return;
	if (worker->owns_port) {
		weir_capture_frames(worker, worker->tx, worker->nb_tx, RTE_PCAPNG_DIRECTION_OUT);
		sent = rte_eth_tx_burst(worker->engine->port, worker->queue, worker->tx,
					worker->nb_tx);
	} else {
		sent = (uint16_t)rte_ring_enqueue_burst(worker->outbound, (void **)worker->tx,
							worker->nb_tx, NULL);
	}
	worker->tx_packets += sent;
	if (worker->owns_port && worker->received_tsc != 0)
		count_residence(worker, sent);
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
