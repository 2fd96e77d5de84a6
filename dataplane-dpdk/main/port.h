// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "main/engine.h"

// Decides how many queues the port gets: one for each worker where its RSS can follow engine->rss,
// else one.
void weir_port_plan(struct weir_engine *engine);

// Configures and starts the port, and gives the workers their queues. engine->mbufs is there.
// Returns 0 or -errno; a port whose RSS does not do as it was told falls back to one queue.
int weir_port_start(struct weir_engine *engine);
