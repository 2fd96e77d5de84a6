// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "main/engine.h"

// Adds /weir/status, /weir/counters and /weir/drops to DPDK's telemetry. Returns 0, or -1 when
// there is no memory for it.
int weir_telemetry_register(struct weir_engine *of);
