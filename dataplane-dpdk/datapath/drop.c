// SPDX-License-Identifier: Apache-2.0

#include "datapath/datapath.h"

void weir_drop(struct weir_worker *worker, struct rte_mbuf *mbuf, uint32_t lb_id,
	       enum weir_drop_reason reason)
{
	++*weir_drop_counter(&worker->engine->file, worker->index, lb_id, reason);
	rte_pktmbuf_free(mbuf);
}
