// SPDX-License-Identifier: Apache-2.0
//
// The guard's line-based Unix socket. A request is one line, its answer is one line.

#pragma once

#include <poll.h>
#include <stddef.h>

#define WEIR_GUARD_MAX_CLIENTS 8
#define WEIR_GUARD_MAX_LINE    128
#define WEIR_GUARD_MAX_ANSWER  1024

// Answers one request line (without its end) into `answer`, which must end with a line feed.
typedef void (*weir_guard_answer_fn)(void *context, const char *line, char *answer, size_t size);

struct weir_guard_client {
	int fd; // -1: free
	size_t len;
	char line[WEIR_GUARD_MAX_LINE];
};

struct weir_guard_socket {
	int fd;
	struct weir_guard_client clients[WEIR_GUARD_MAX_CLIENTS];
};

// Listens at `path`, replacing a socket left behind there. Returns 0 or -errno.
int weir_guard_socket_open(struct weir_guard_socket *socket, const char *path);

// Fills `fds`, which has room for 1 + WEIR_GUARD_MAX_CLIENTS; returns how many it filled.
nfds_t weir_guard_socket_poll(const struct weir_guard_socket *socket, struct pollfd *fds);

// Serves what poll() reported in `fds`. Never blocks: a client that does not read is dropped.
void weir_guard_socket_serve(struct weir_guard_socket *socket, const struct pollfd *fds,
			     nfds_t nfds, weir_guard_answer_fn answer, void *context);
