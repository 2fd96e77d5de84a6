// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "main/engine.h"

// Runs until the engine stops; `arg` is a struct weir_worker.
int weir_worker_main(void *arg);

// One turn of the loop. Returns whether there was anything to do.
bool weir_worker_turn(struct weir_worker *worker);

// Makes `snat` the worker's, with the pairs of its flows marked; NULL: none.
void weir_worker_adopt_snat(struct weir_worker *worker, struct weir_snat *snat);
