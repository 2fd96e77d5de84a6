// SPDX-License-Identifier: Apache-2.0
//
// Flow records and top sources, from the workers to the connections that asked for them.

#pragma once

#include "control/control.h"

void weir_flow_stream_ask(struct weir_control *control, struct weir_connection *connection,
			  uint64_t request_id, const Weir__V1__StreamFlowsRequest *request);
// Sends what there is. Returns microseconds until it is next needed.
int64_t weir_flow_stream_maintain(struct weir_control *control);
