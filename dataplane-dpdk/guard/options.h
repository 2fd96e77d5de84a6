// SPDX-License-Identifier: Apache-2.0
//
// The guard's command line.

#pragma once

#include <stdint.h>

struct weir_guard_options {
	const char *heartbeat;
	const char *bird_dir;
	const char *socket;
	uint32_t hold_ms;
	uint32_t fresh_ms;
	char **bird_argv; // NULL-terminated; what follows "--"
};

// Returns 0, or -EINVAL after it told standard error what is wrong.
int weir_guard_options_parse(int argc, char **argv, struct weir_guard_options *options);
