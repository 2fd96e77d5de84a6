// SPDX-License-Identifier: Apache-2.0
//
// A running capture. Made and freed by the control thread, under RCU; workers put copies into its
// ring and never wait: what does not fit is counted.

#pragma once

#include <stdatomic.h>

#include <rte_branch_prediction.h>
#include <rte_pcapng.h>

#include "datapath/datapath.h"
#include "lib/capture_match.h"

struct weir_capture {
	struct weir_capture_match match;
	uint32_t snap_length;
	struct rte_mempool *copies;
	struct rte_ring *ring;
	// Written by all workers; a shared line costs only while a capture runs.
	_Atomic uint64_t lost;
};

void weir_capture_copy(struct weir_worker *worker, struct weir_capture *capture,
		       struct rte_mbuf **mbufs, uint16_t nb, enum rte_pcapng_direction direction);

// Looks at frames as they come from or go to the wire.
static inline void weir_capture_frames(struct weir_worker *worker, struct rte_mbuf **mbufs,
				       uint16_t nb, enum rte_pcapng_direction direction)
{
	struct weir_capture *capture =
		atomic_load_explicit(&worker->engine->capture, memory_order_acquire);

	if (unlikely(capture != NULL))
		weir_capture_copy(worker, capture, mbufs, nb, direction);
}
