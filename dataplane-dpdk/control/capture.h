// SPDX-License-Identifier: Apache-2.0
//
// The control thread's side of a capture: one at a time, for one connection.

#pragma once

#include "control/control.h"

void weir_capture_start(struct weir_control *control, struct weir_connection *connection,
			uint64_t request_id, const Weir__V1__StartCaptureRequest *request);
void weir_capture_stop(struct weir_control *control, struct weir_connection *connection,
		       uint64_t request_id);
// The connection goes away: its capture ends.
void weir_capture_forget(struct weir_control *control, const struct weir_connection *connection);
// Sends what was captured. Returns microseconds until it is next needed.
int64_t weir_capture_maintain(struct weir_control *control);
