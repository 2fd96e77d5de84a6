// SPDX-License-Identifier: Apache-2.0
//
// Stands in for the engine's heartbeat: usage weir-guard-beat FILE STATE START_ID. Beats every
// 10 ms until killed; SIGTERM writes the state STOPPING and leaves, as the engine does.

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "heartbeat.h"

static volatile sig_atomic_t stopping;

static void on_term(int signal)
{
	(void)signal;
	stopping = 1;
}

int main(int argc, char **argv)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	struct weir_heartbeat *hb;
	struct timespec ts;
	int fd;

	if (argc != 4) {
		fputs("usage: weir-guard-beat FILE STATE START_ID\n", stderr);
		return 2;
	}
	signal(SIGTERM, on_term);
	fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*hb)) != 0) {
		perror(argv[1]);
		return 1;
	}
	hb = mmap(NULL, sizeof(*hb), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (hb == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	hb->magic = WEIR_HEARTBEAT_MAGIC;
	hb->nb_lcores = 1;
	atomic_store(&hb->engine_start_id, strtoull(argv[3], NULL, 10));
	while (!stopping) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		atomic_store(&hb->lcores[0].beat_ns,
			     (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec);
		atomic_store(&hb->state, (uint32_t)strtoul(argv[2], NULL, 10));
		nanosleep(&pause, NULL);
	}
	atomic_store(&hb->state, WEIR_ENGINE_STOPPING);
	return 0;
}
