// SPDX-License-Identifier: Apache-2.0

#include "bird.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REPLY_CODE_DIGITS 4

static int path_in(const struct weir_bird *bird, const char *name, char *path, size_t size)
{
	const int n = snprintf(path, size, "%s/%s", bird->dir, name);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

bool weir_bird_has_config(const struct weir_bird *bird)
{
	char path[PATH_MAX];

	return path_in(bird, "bird.conf", path, sizeof(path)) == 0 && access(path, R_OK) == 0;
}

int weir_bird_start(struct weir_bird *bird)
{
	const pid_t guard = getpid();
	const pid_t pid = fork();
	sigset_t none;

	if (pid < 0)
		return -errno;
	if (pid > 0) {
		bird->pid = pid;
		return 0;
	}
	// A BIRD that outlives its guard would go on attracting traffic with nobody to gate it.
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != guard)
		_exit(EXIT_FAILURE);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(bird->argv[0], bird->argv);
	fprintf(stderr, "weir-guard: cannot run %s: %s\n", bird->argv[0], strerror(errno));
	_exit(127);
}

int weir_bird_write_gate(const struct weir_bird *bird, bool open_gate)
{
	char path[PATH_MAX];
	char temp[PATH_MAX];
	char text[64];
	int rc;
	int fd;

	rc = path_in(bird, "gate.conf", path, sizeof(path));
	if (rc == 0)
		rc = path_in(bird, ".gate.conf.new", temp, sizeof(temp));
	if (rc != 0)
		return rc;
	const int len = snprintf(text, sizeof(text), "define weir_gate_open = %s;\n",
				 open_gate ? "true" : "false");
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	const ssize_t written = write(fd, text, (size_t)len);
	rc = written == len ? 0 : written < 0 ? -errno : -EIO;
	if (close(fd) != 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(temp, path) != 0)
		rc = -errno;
	return rc;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int connect_to(const struct weir_bird *bird)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (path_in(bird, "bird.ctl", address.sun_path, sizeof(address.sun_path)) != 0)
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		const int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

// Reads one line of BIRD's answer into `line` (cut if longer, without its end).
static int read_line(int fd, int64_t deadline_ms, char *line, size_t size)
{
	size_t len = 0;

	for (;;) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		const int64_t left = deadline_ms - now_ms();
		char c;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
		const ssize_t n = read(fd, &c, 1);
		if (n == 0)
			return -ECONNRESET;
		if (n < 0) {
			if (errno == EAGAIN || errno == EINTR)
				continue;
			return -errno;
		}
		if (c == '\n') {
			line[len] = '\0';
			return 0;
		}
		if (len + 1 < size)
			line[len++] = c;
	}
}

// BIRD answers with lines "NNNN-text" and a last one "NNNN text"; "+" and " " continue a text.
// 0xxx is success, 8xxx and 9xxx are refusals.
static int read_reply(int fd, int64_t deadline_ms, char *text, size_t size)
{
	char line[512];

	for (;;) {
		const int rc = read_line(fd, deadline_ms, line, sizeof(line));

		if (rc != 0)
			return rc;
		if (strspn(line, "0123456789") < REPLY_CODE_DIGITS)
			continue;
		if (line[REPLY_CODE_DIGITS] == '-')
			continue;
		if (line[0] == '0')
			return 0;
		snprintf(text, size, "%s",
			 line[REPLY_CODE_DIGITS] == '\0' ? line : line + REPLY_CODE_DIGITS + 1);
		return -EINVAL;
	}
}

int weir_bird_configure(const struct weir_bird *bird, int timeout_ms, char *error,
			size_t error_size)
{
	static const char command[] = "configure\n";
	const int64_t deadline_ms = now_ms() + timeout_ms;
	int rc;
	int fd;

	error[0] = '\0';
	fd = connect_to(bird);
	if (fd < 0)
		return fd;
	rc = read_reply(fd, deadline_ms, error, error_size); // the greeting
	if (rc == 0 && send(fd, command, sizeof(command) - 1, MSG_NOSIGNAL) < 0)
		rc = -errno;
	if (rc == 0)
		rc = read_reply(fd, deadline_ms, error, error_size);
	close(fd);
	return rc;
}

void weir_bird_stop(struct weir_bird *bird, int signal, int timeout_ms)
{
	const int64_t deadline_ms = now_ms() + timeout_ms;
	const struct timespec pause = {.tv_nsec = 5000000};

	if (bird->pid == 0)
		return;
	kill(bird->pid, signal);
	while (now_ms() < deadline_ms) {
		if (waitpid(bird->pid, NULL, WNOHANG) != 0) {
			bird->pid = 0;
			return;
		}
		nanosleep(&pause, NULL);
	}
	kill(bird->pid, SIGKILL);
	waitpid(bird->pid, NULL, 0);
	bird->pid = 0;
}
