// SPDX-License-Identifier: Apache-2.0

#include <sys/eventfd.h>

#include <rte_ring.h>

#include "datapath/datapath.h"

void weir_punt(struct weir_worker *worker, struct rte_mbuf *mbuf, const struct weir_punt *punt)
{
	struct weir_engine *engine = worker->engine;

	*weir_punt_of(mbuf) = *punt;
	if (rte_ring_enqueue(engine->punts, mbuf) != 0) {
		weir_drop(worker, mbuf, punt->lb_id, WEIR_DROP_QUEUE_FULL);
		return;
	}
	// One system call per sleep of the control thread, not per packet.
	if (atomic_load_explicit(&engine->control_asleep, memory_order_seq_cst) &&
	    atomic_exchange(&engine->control_asleep, false))
		eventfd_write(engine->wake_fd, 1);
}
