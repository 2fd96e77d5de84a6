// SPDX-License-Identifier: Apache-2.0

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "datapath/capture.h"

uint16_t weir_port_rx(struct weir_worker *worker, struct weir_burst *burst)
{
	burst->nb = rte_eth_rx_burst(worker->engine->port, worker->queue, burst->mbufs, WEIR_BURST);
	worker->rx_packets += burst->nb;
	if (burst->nb > 0)
		worker->received_tsc = rte_rdtsc();
	weir_capture_frames(worker, burst->mbufs, burst->nb, RTE_PCAPNG_DIRECTION_IN);
	return burst->nb;
}

void weir_burst_process(struct weir_burst *burst, bool from_port)
{
	weir_parse_process(burst);
	if (from_port)
		weir_owner_process(burst);
	weir_flow_lookup_process(burst);
}
