// SPDX-License-Identifier: Apache-2.0

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "control/control.h"
#include "control/telemetry.h"
#include "main/log.h"
#include "main/options.h"
#include "main/start.h"
#include "main/worker.h"

// The guard closes the gate and routers follow within this time.
enum { WITHDRAWAL_MS = 300, NICENESS = -10 };

// Large, and alive as long as the process.
static struct weir_engine engine;
static struct weir_control control;

static void on_signal(int number)
{
	(void)number;
	atomic_store(&engine.stopping, true);
	// Ends the control thread's sleep; write() is safe in a handler.
	uint64_t one = 1;
	if (engine.wake_fd > 0 && write(engine.wake_fd, &one, sizeof(one)) < 0)
		return;
}

static void handle_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int start(void)
{
	uint64_t random_words[2];

	if (getrandom(random_words, sizeof(random_words), 0) != (ssize_t)sizeof(random_words))
		return -1;
	engine.start_id = random_words[0] >> 1; // positive also as a signed number
	srandom((unsigned int)random_words[1]);
	engine.started_us = weir_boot_us();
	engine.nb_workers = rte_lcore_count() - 1;
	if (engine.nb_workers == 0 || engine.nb_workers > WEIR_MAX_WORKERS) {
		weir_error(
			"1 to %d worker lcores are needed beside the main one: give EAL at least "
			"two, such as --lcores 0@(0-1),1@(0-1)",
			WEIR_MAX_WORKERS);
		return -1;
	}
	// The port's RSS follows the key that came with the flows.
	if (weir_start_heartbeat(&engine) != 0 || weir_start_workers(&engine) != 0 ||
	    weir_start_flows(&engine) != 0 || weir_start_port(&engine) != 0)
		return -1;
	if (weir_control_init(&control, &engine) != 0) {
		weir_error("control socket can't be made: path=%s", engine.options.socket_path);
		return -1;
	}
	return 0;
}

static int launch_workers(void)
{
	uint32_t index = 0;
	unsigned int lcore;

	RTE_LCORE_FOREACH_WORKER (lcore) {
		if (rte_eal_remote_launch(weir_worker_main, &engine.workers[index++], lcore) != 0)
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	setvbuf(stderr, NULL, _IOLBF, 0);
	// Packets and the heartbeat come before other work on shared cores; every thread inherits
	// it. Without the right to it the engine runs all the same.
	(void)setpriority(PRIO_PROCESS, 0, NICENESS);
	int used = rte_eal_init(argc, argv);
	if (used < 0) {
		fprintf(stderr, "weir-engine: EAL does not start: %s\n", rte_strerror(rte_errno));
		return EXIT_FAILURE;
	}
	if (weir_options_parse(argc - used, argv + used, &engine.options) != 0)
		return EXIT_FAILURE;
	if (start() != 0)
		return EXIT_FAILURE;
	if (weir_telemetry_register(&engine) != 0)
		weir_warn("no memory for telemetry commands");
	handle_signals();
	if (launch_workers() != 0)
		return EXIT_FAILURE;
	engine.ready = true;
	atomic_store(&engine.heartbeat->state, WEIR_ENGINE_READY);
	weir_info("engine ready: version=%s start_id=%lu workers=%u load_balancers=%u start_ms=%ld",
		  WEIR_VERSION, engine.start_id, engine.nb_workers, control.nb_lbs,
		  (long)((weir_boot_us() - engine.started_us) / 1000));

	weir_control_run(&control);

	// Told first, so that routes are withdrawn while packets are still forwarded.
	atomic_store(&engine.heartbeat->state, WEIR_ENGINE_STOPPING);
	weir_info("engine stopping");
	const struct timespec withdrawal = {.tv_nsec = WITHDRAWAL_MS * 1000000L};
	nanosleep(&withdrawal, NULL);
	atomic_store(&engine.halted, true);
	rte_eal_mp_wait_lcore();
	weir_control_close(&control);
	rte_eth_dev_stop(engine.port);
	weir_pins_close(&engine.pins);
	weir_flow_file_close(&engine.file);
	rte_eal_cleanup();
	return EXIT_SUCCESS;
}
