// SPDX-License-Identifier: Apache-2.0
//
// BIRD as the guard's foreground child: started, told to read its files again, and killed.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct weir_bird {
	char *const *argv; // borrowed; NULL-terminated
	const char *dir;   // borrowed; holds bird.conf, gate.conf and the control socket
	pid_t pid;         // 0: not started
};

// True once the agent has written bird.conf; before that BIRD has nothing to run.
bool weir_bird_has_config(const struct weir_bird *bird);

// Starts BIRD so that it dies with this process, however that ends. Returns 0 or -errno.
int weir_bird_start(struct weir_bird *bird);

// Writes DIR/gate.conf in one step. Returns 0 or -errno.
int weir_bird_write_gate(const struct weir_bird *bird, bool open);

// Makes a running BIRD read its files again, through its control socket.
//
// error: out, one line of BIRD's own words where it refused, empty otherwise.
// Returns 0; -EINVAL if BIRD refused the files; another -errno if it could not be asked. Waits
// at most timeout_ms for its answer.
int weir_bird_configure(const struct weir_bird *bird, int timeout_ms, char *error,
			size_t error_size);

// Ends BIRD with `signal`, by SIGKILL if it has not left after timeout_ms, and reaps it.
void weir_bird_stop(struct weir_bird *bird, int signal, int timeout_ms);
