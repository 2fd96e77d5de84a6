// SPDX-License-Identifier: Apache-2.0
//
// Where memory lies on a machine with several NUMA sockets: packets beside the port, a worker's
// table beside its lcore, and a word to the operator when those are not the same socket.

#pragma once

#include <stddef.h>
#include <stdint.h>

// Sockets as DPDK numbers them; below 0: unknown, or the same for all.
struct weir_placement {
	int port_socket;
	uint32_t nb_workers;
	const unsigned int *lcores;
	const int *lcore_sockets;
};

// The socket for what the port and all workers use: the port's, else the first worker's.
int weir_placement_shared(const struct weir_placement *placement);

// Names the lcores that work across sockets in `text`, separated by commas. Returns how many.
uint32_t weir_placement_remote(const struct weir_placement *placement, char *text, size_t size);

// What this thread touches first lies on `socket`, where the machine knows sockets; below 0: where
// the kernel likes. For the control thread, before it touches a worker's memory.
void weir_placement_prefer(int socket);
