// SPDX-License-Identifier: Apache-2.0

#include "datapath/capture.h"

#include <rte_cycles.h>

void weir_capture_copy(struct weir_worker *worker, struct weir_capture *capture,
		       struct rte_mbuf **mbufs, uint16_t nb, enum rte_pcapng_direction direction)
{
	uint64_t now = rte_rdtsc();

	for (uint16_t i = 0; i < nb; i++) {
		if (!weir_capture_wants(&capture->match, rte_pktmbuf_mtod(mbufs[i], uint8_t *),
					rte_pktmbuf_data_len(mbufs[i])))
			continue;
		struct rte_mbuf *copy =
			rte_pcapng_copy(worker->engine->port, 0, mbufs[i], capture->copies,
					capture->snap_length, now, direction);
		if (copy != NULL && rte_ring_enqueue(capture->ring, copy) == 0)
			continue;
		rte_pktmbuf_free(copy);
		atomic_fetch_add_explicit(&capture->lost, 1, memory_order_relaxed);
	}
}
