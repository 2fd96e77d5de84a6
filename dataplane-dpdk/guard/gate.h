// SPDX-License-Identifier: Apache-2.0
//
// The gate's decision: may this node announce its routes? A pure function of what the heartbeat
// shows and of time; it does no I/O, so that every transition is tested with plain numbers.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WEIR_NS_PER_MS UINT64_C(1000000)

// What one look at the heartbeat file says about the engine.
enum weir_engine_sight {
	WEIR_SIGHT_AWAY = 0, // no file, not one of ours, starting, or a worker stopped beating
	WEIR_SIGHT_ALIVE,    // ready, and every worker beat within the fresh time
	WEIR_SIGHT_STOPPING, // says that it leaves on purpose
};

struct weir_gate_limits {
	uint64_t fresh_ns; // a beat older than this is stale
	uint64_t hold_ns;  // how long after its last beat an engine that went away keeps its routes
};

// One look at the heartbeat file.
struct weir_heartbeat_sample {
	bool present;   // file mapped, right magic, at least one worker
	uint32_t state; // enum weir_engine_state
	uint64_t engine_start_id;
	uint64_t oldest_beat_ns; // of all workers; CLOCK_MONOTONIC
};

struct weir_gate {
	bool open;
	uint64_t since_ns;        // last change of `open`
	uint64_t last_alive_ns;   // oldest beat at the last look that saw the engine alive
	uint64_t engine_start_id; // of the engine last seen; 0: none yet
};

// Starts closed.
void weir_gate_init(struct weir_gate *gate, uint64_t now_ns);

enum weir_engine_sight weir_gate_sight(const struct weir_heartbeat_sample *sample, uint64_t now_ns,
				       const struct weir_gate_limits *limits);

// Takes one look into account. Returns true if the gate changed.
bool weir_gate_step(struct weir_gate *gate, const struct weir_heartbeat_sample *sample,
		    uint64_t now_ns, const struct weir_gate_limits *limits);
