// SPDX-License-Identifier: Apache-2.0

#include "main/placement.h"

#include <stdio.h>

#include <numa.h>

int weir_placement_shared(const struct weir_placement *placement)
{
	if (placement->port_socket >= 0)
		return placement->port_socket;
	return placement->nb_workers > 0 ? placement->lcore_sockets[0] : -1;
}

uint32_t weir_placement_remote(const struct weir_placement *placement, char *text, size_t size)
{
	int home = weir_placement_shared(placement);
	uint32_t remote = 0;
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < placement->nb_workers; i++) {
		int socket = placement->lcore_sockets[i];

		if (home < 0 || socket < 0 || socket == home)
			continue;
		if (used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%u",
						 remote > 0 ? "," : "", placement->lcores[i]);
		remote++;
	}
	return remote;
}

void weir_placement_prefer(int socket)
{
	if (numa_available() >= 0)
		numa_set_preferred(socket);
}
