// SPDX-License-Identifier: Apache-2.0
//
// The heartbeat file: shared memory through which the engine's worker lcores tell the guard that
// they run. Written by the engine, read by the guard; one cache line per worker, so that workers
// never share a written line. The file is created by the engine (O_CREAT, tmpfs) and kept at exit.

#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

#define WEIR_HEARTBEAT_MAGIC      UINT64_C(0x3154414548524557) // "WERHEAT1", little-endian
#define WEIR_HEARTBEAT_MAX_LCORES 64

enum weir_engine_state {
	WEIR_ENGINE_STARTING = 0, // mapping tables, loading the stored configuration
	WEIR_ENGINE_READY = 1,    // forwards what its configuration says
	WEIR_ENGINE_STOPPING = 2, // leaves on purpose: withdraw now, do not wait for the hold time
};

struct weir_heartbeat_lcore {
	_Atomic uint64_t beat_ns; // CLOCK_MONOTONIC of the last loop turn; written by the worker
	uint8_t pad[56];
};

struct weir_heartbeat {
	uint64_t magic;
	uint32_t nb_lcores;               // workers that beat; written once, before state is READY
	_Atomic uint32_t state;           // enum weir_engine_state; written by the control thread
	_Atomic uint64_t engine_start_id; // changes with every start of the engine
	uint8_t pad[40];
	struct weir_heartbeat_lcore lcores[WEIR_HEARTBEAT_MAX_LCORES];
};

static_assert(sizeof(struct weir_heartbeat_lcore) == 64, "one cache line per worker");
static_assert(sizeof(struct weir_heartbeat) == 64 + 64 * WEIR_HEARTBEAT_MAX_LCORES, "file layout");
