// SPDX-License-Identifier: Apache-2.0
//
// The parts of an engine's start, in order. Each returns 0 or -errno after logging what is wrong
// and how to cure it.

#pragma once

#include "main/engine.h"

// Maps the heartbeat file; state STARTING.
int weir_start_heartbeat(struct weir_engine *engine);
// Pools and rings, the port, one worker per worker lcore.
int weir_start_port(struct weir_engine *engine);
int weir_start_workers(struct weir_engine *engine);
// Maps flow table and counters and takes over the flows found there.
int weir_start_flows(struct weir_engine *engine);
