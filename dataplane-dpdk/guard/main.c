// SPDX-License-Identifier: Apache-2.0
//
// The guard: lets BIRD announce this node's routes only while the engine forwards. One thread, one
// poll loop; every wait is bounded. Whatever goes wrong ends with the routes withdrawn: BIRD dies
// with the guard, and a BIRD that cannot be told to withdraw is killed.

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bird.h"
#include "control_socket.h"
#include "gate.h"
#include "heartbeat_view.h"
#include "options.h"

enum {
	TICK_MS = 20,
	CONFIGURE_TIMEOUT_MS = 1000,
	// A freshly started BIRD needs a moment until its control socket answers.
	RETRY_MS = 100,
	// A closing that BIRD does not confirm for this long is enforced by killing it.
	CLOSE_LIMIT_MS = 1000,
	STOP_TIMEOUT_MS = 1000,
};

struct guard {
	struct weir_guard_options options;
	struct weir_gate_limits limits;
	struct weir_heartbeat_view view;
	struct weir_gate gate;
	struct weir_bird bird;
	bool told;         // BIRD confirmed the gate as it is now
	uint64_t retry_ns; // when to ask BIRD again
	bool refusal_logged;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

__attribute__((format(printf, 1, 2))) static void event(const char *format, ...)
{
	struct timespec ts;
	struct tm tm;
	char stamp[32];
	char text[512];
	va_list args;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "%s.%03ldZ guard %s\n", stamp, ts.tv_nsec / 1000000, text);
}

static int start_bird(struct guard *guard)
{
	const int rc = weir_bird_start(&guard->bird);

	if (rc != 0) {
		event("cannot start BIRD error=\"%s\"", strerror(-rc));
		return rc;
	}
	guard->told = false;
	guard->retry_ns = 0;
	event("BIRD started pid=%d", (int)guard->bird.pid);
	return 0;
}

// Asks BIRD to read its files, and so the gate, again. A refusal leaves it as it was.
static int configure(struct guard *guard, char *error, size_t size)
{
	const int rc = weir_bird_configure(&guard->bird, CONFIGURE_TIMEOUT_MS, error, size);

	if (rc == 0) {
		guard->told = true;
		guard->refusal_logged = false;
	} else if (error[0] == '\0') {
		snprintf(error, size, "BIRD does not answer: %s", strerror(-rc));
	}
	return rc;
}

// Brings BIRD to the gate's state. Returns 0, or -errno where only leaving withdraws the routes.
static int tell_bird(struct guard *guard, uint64_t now)
{
	char error[WEIR_GUARD_MAX_ANSWER];
	int rc;

	if (guard->bird.pid == 0 || guard->told || now < guard->retry_ns)
		return 0;
	rc = configure(guard, error, sizeof(error));
	if (rc == 0) {
		event("BIRD follows the gate gate=%s took_ms=%" PRIu64,
		      guard->gate.open ? "open" : "closed",
		      (clock_ns(CLOCK_MONOTONIC) - guard->gate.since_ns) / WEIR_NS_PER_MS);
		return 0;
	}
	guard->retry_ns = clock_ns(CLOCK_MONOTONIC) + RETRY_MS * WEIR_NS_PER_MS;
	if (!guard->gate.open &&
	    (rc == -EINVAL ||
	     clock_ns(CLOCK_MONOTONIC) - guard->gate.since_ns > CLOSE_LIMIT_MS * WEIR_NS_PER_MS)) {
		event("BIRD does not withdraw, killing it error=\"%s\"", error);
		weir_bird_stop(&guard->bird, SIGKILL, STOP_TIMEOUT_MS);
		return rc;
	}
	if (rc == -EINVAL && !guard->refusal_logged) {
		event("BIRD refuses its files error=\"%s\"", error);
		guard->refusal_logged = true;
	}
	return 0;
}

static int tick(struct guard *guard)
{
	struct weir_heartbeat_sample sample;
	uint64_t now;
	int rc;

	weir_heartbeat_look(&guard->view, &sample);
	now = clock_ns(CLOCK_MONOTONIC);
	if (weir_gate_step(&guard->gate, &sample, now, &guard->limits)) {
		event("gate %s engine_start_id=%" PRIu64 " engine_state=%u last_beat_ms=%" PRIu64,
		      guard->gate.open ? "opened" : "closed", guard->gate.engine_start_id,
		      sample.state, (now - guard->gate.last_alive_ns) / WEIR_NS_PER_MS);
		guard->told = false;
		guard->retry_ns = 0;
		rc = weir_bird_write_gate(&guard->bird, guard->gate.open);
		if (rc != 0) {
			event("cannot write the gate file error=\"%s\"", strerror(-rc));
			return rc;
		}
	}
	if (guard->bird.pid == 0 && weir_bird_has_config(&guard->bird)) {
		rc = start_bird(guard);
		if (rc != 0)
			return rc;
	}
	return tell_bird(guard, now);
}

static void answer_reload(struct guard *guard, char *answer, size_t size)
{
	char error[WEIR_GUARD_MAX_ANSWER - 16];

	if (guard->bird.pid == 0) {
		// The next tick starts BIRD, which then reads the new files.
		snprintf(answer, size,
			 weir_bird_has_config(&guard->bird) ? "ok\n"
							    : "error bird.conf is missing\n");
		return;
	}
	if (configure(guard, error, sizeof(error)) == 0) {
		event("BIRD reads its files again");
		snprintf(answer, size, "ok\n");
		return;
	}
	event("reload failed error=\"%s\"", error);
	snprintf(answer, size, "error %s\n", error);
}

static void answer(void *context, const char *line, char *answer, size_t size)
{
	struct guard *guard = context;

	if (strcmp(line, "reload") == 0) {
		answer_reload(guard, answer, size);
	} else if (strcmp(line, "status") == 0) {
		snprintf(answer, size,
			 "{\"gate\":\"%s\",\"engine_start_id\":%" PRIu64 ",\"since_ms\":%" PRIu64
			 ",\"bird_pid\":%d}\n",
			 guard->gate.open ? "open" : "closed", guard->gate.engine_start_id,
			 (clock_ns(CLOCK_MONOTONIC) - guard->gate.since_ns) / WEIR_NS_PER_MS,
			 (int)guard->bird.pid);
	} else {
		snprintf(answer, size, "error unknown request, known are reload and status\n");
	}
}

// Returns 1 to go on, 0 to leave as asked, -ECHILD when BIRD died.
static int take_signals(struct guard *guard, int fd)
{
	struct signalfd_siginfo info;
	int status;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
			event("stopping signal=%u", info.ssi_signo);
			return 0;
		}
		if (guard->bird.pid != 0 && waitpid(guard->bird.pid, &status, WNOHANG) > 0) {
			event("BIRD died pid=%d exit=%d signal=%d", (int)guard->bird.pid,
			      WIFEXITED(status) ? WEXITSTATUS(status) : -1,
			      WIFSIGNALED(status) ? WTERMSIG(status) : 0);
			guard->bird.pid = 0;
			return -ECHILD;
		}
	}
	return 1;
}

static int run(struct guard *guard, struct weir_guard_socket *socket, int signals)
{
	struct pollfd fds[2 + WEIR_GUARD_MAX_CLIENTS];

	for (;;) {
		int rc = tick(guard);

		if (rc != 0)
			return rc;
		fds[0] = (struct pollfd){.fd = signals, .events = POLLIN};
		const nfds_t nfds = weir_guard_socket_poll(socket, fds + 1);
		if (poll(fds, nfds + 1, TICK_MS) <= 0)
			continue;
		if (fds[0].revents != 0) {
			rc = take_signals(guard, signals);
			if (rc <= 0)
				return rc;
		}
		weir_guard_socket_serve(socket, fds + 1, nfds, answer, guard);
	}
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -errno;
	const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int main(int argc, char **argv)
{
	struct guard guard = {0};
	struct weir_guard_socket socket;
	int signals;
	int rc;

	if (weir_guard_options_parse(argc, argv, &guard.options) != 0)
		return 2;
	guard.limits = (struct weir_gate_limits){
		.fresh_ns = guard.options.fresh_ms * WEIR_NS_PER_MS,
		.hold_ns = guard.options.hold_ms * WEIR_NS_PER_MS,
	};
	guard.view.path = guard.options.heartbeat;
	guard.bird =
		(struct weir_bird){.argv = guard.options.bird_argv, .dir = guard.options.bird_dir};
	weir_gate_init(&guard.gate, clock_ns(CLOCK_MONOTONIC));

	rc = weir_bird_write_gate(&guard.bird, false);
	if (rc != 0) {
		event("cannot write gate.conf into %s error=\"%s\"", guard.bird.dir, strerror(-rc));
		return EXIT_FAILURE;
	}
	rc = weir_guard_socket_open(&socket, guard.options.socket);
	if (rc != 0) {
		event("cannot listen path=%s error=\"%s\"", guard.options.socket, strerror(-rc));
		return EXIT_FAILURE;
	}
	signals = open_signals();
	if (signals < 0) {
		event("cannot receive signals error=\"%s\"", strerror(-signals));
		return EXIT_FAILURE;
	}
	event("started hold_ms=%u fresh_ms=%u heartbeat=%s", guard.options.hold_ms,
	      guard.options.fresh_ms, guard.options.heartbeat);

	rc = run(&guard, &socket, signals);
	weir_bird_stop(&guard.bird, SIGTERM, STOP_TIMEOUT_MS);
	weir_heartbeat_close(&guard.view);
	unlink(guard.options.socket);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
