// SPDX-License-Identifier: Apache-2.0

#include "gate.h"

#include "heartbeat.h"

enum gate_action {
	GATE_STAY,
	GATE_OPEN,
	GATE_CLOSE,
	GATE_CLOSE_AFTER_HOLD,
};

static const enum gate_action actions[2][3] = {
	[false] =
		{
			[WEIR_SIGHT_AWAY] = GATE_STAY,     // closed, and nothing forwards
			[WEIR_SIGHT_ALIVE] = GATE_OPEN,    // the engine is back: announce
			[WEIR_SIGHT_STOPPING] = GATE_STAY, // closed, and it is leaving
		},
	[true] =
		{
			[WEIR_SIGHT_AWAY] =
				GATE_CLOSE_AFTER_HOLD,  // a restart is shorter than the hold time
			[WEIR_SIGHT_ALIVE] = GATE_STAY, // all is well
			[WEIR_SIGHT_STOPPING] = GATE_CLOSE, // it will not be back at once: withdraw
		},
};

void weir_gate_init(struct weir_gate *gate, uint64_t now_ns)
{
	*gate = (struct weir_gate){.open = false, .since_ns = now_ns};
}

enum weir_engine_sight weir_gate_sight(const struct weir_heartbeat_sample *sample, uint64_t now_ns,
				       const struct weir_gate_limits *limits)
{
	if (!sample->present)
		return WEIR_SIGHT_AWAY;
	if (sample->state == WEIR_ENGINE_STOPPING)
		return WEIR_SIGHT_STOPPING;
	if (sample->state != WEIR_ENGINE_READY)
		return WEIR_SIGHT_AWAY;
	// A worker may beat between our look at the clock and at the file; a beat further ahead
	// comes from before a reboot, when the clock started over, and proves nothing.
	if (sample->oldest_beat_ns > now_ns)
		return sample->oldest_beat_ns - now_ns <= limits->fresh_ns ? WEIR_SIGHT_ALIVE
									   : WEIR_SIGHT_AWAY;
	return now_ns - sample->oldest_beat_ns <= limits->fresh_ns ? WEIR_SIGHT_ALIVE
								   : WEIR_SIGHT_AWAY;
}

static void set_open(struct weir_gate *gate, bool open, uint64_t now_ns)
{
	gate->open = open;
	gate->since_ns = now_ns;
}

bool weir_gate_step(struct weir_gate *gate, const struct weir_heartbeat_sample *sample,
		    uint64_t now_ns, const struct weir_gate_limits *limits)
{
	const enum weir_engine_sight sight = weir_gate_sight(sample, now_ns, limits);

	if (sample->present)
		gate->engine_start_id = sample->engine_start_id;
	if (sight == WEIR_SIGHT_ALIVE)
		gate->last_alive_ns = sample->oldest_beat_ns;

	switch (actions[gate->open][sight]) {
	case GATE_STAY:
		return false;
	case GATE_OPEN:
		set_open(gate, true, now_ns);
		return true;
	case GATE_CLOSE:
		set_open(gate, false, now_ns);
		return true;
	case GATE_CLOSE_AFTER_HOLD:
		if (now_ns < gate->last_alive_ns + limits->hold_ns)
			return false;
		set_open(gate, false, now_ns);
		return true;
	}
	return false;
}
