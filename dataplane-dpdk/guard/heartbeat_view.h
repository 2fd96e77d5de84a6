// SPDX-License-Identifier: Apache-2.0
//
// A read-only mapping of the engine's heartbeat file, opened again when the file was replaced.

#pragma once

#include <sys/types.h>

#include "gate.h"
#include "heartbeat.h"

struct weir_heartbeat_view {
	const char *path;                 // borrowed
	const struct weir_heartbeat *map; // NULL: not mapped
	dev_t dev;
	ino_t ino;
};

// Looks at the file once. A file that is missing, short or not a heartbeat gives present = false.
void weir_heartbeat_look(struct weir_heartbeat_view *view, struct weir_heartbeat_sample *sample);

void weir_heartbeat_close(struct weir_heartbeat_view *view);
