// SPDX-License-Identifier: Apache-2.0

#include "control_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int weir_guard_socket_open(struct weir_guard_socket *socket_, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int rc;

	for (int i = 0; i < WEIR_GUARD_MAX_CLIENTS; i++)
		socket_->clients[i].fd = -1;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	socket_->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (socket_->fd < 0)
		return -errno;
	unlink(path);
	if (bind(socket_->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		goto err;
	if (chmod(path, 0600) != 0 || listen(socket_->fd, WEIR_GUARD_MAX_CLIENTS) != 0)
		goto err;
	return 0;
err:
	rc = -errno;
	close(socket_->fd);
	socket_->fd = -1;
	return rc;
}

nfds_t weir_guard_socket_poll(const struct weir_guard_socket *socket_, struct pollfd *fds)
{
	nfds_t n = 0;

	fds[n++] = (struct pollfd){.fd = socket_->fd, .events = POLLIN};
	for (int i = 0; i < WEIR_GUARD_MAX_CLIENTS; i++) {
		if (socket_->clients[i].fd >= 0)
			fds[n++] = (struct pollfd){.fd = socket_->clients[i].fd, .events = POLLIN};
	}
	return n;
}

static void drop(struct weir_guard_client *client)
{
	close(client->fd);
	client->fd = -1;
}

static void accept_one(struct weir_guard_socket *socket_)
{
	const int fd = accept4(socket_->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	for (int i = 0; i < WEIR_GUARD_MAX_CLIENTS; i++) {
		struct weir_guard_client *client = &socket_->clients[i];

		if (client->fd < 0) {
			client->fd = fd;
			client->len = 0;
			return;
		}
	}
	close(fd);
}

// Takes whole lines out of the client's buffer and answers each. Returns false to drop the client.
static bool answer_lines(struct weir_guard_client *client, weir_guard_answer_fn answer,
			 void *context)
{
	char text[WEIR_GUARD_MAX_ANSWER];
	char *end;

	while ((end = memchr(client->line, '\n', client->len)) != NULL) {
		const size_t used = (size_t)(end - client->line) + 1;

		*end = '\0';
		answer(context, client->line, text, sizeof(text));
		const size_t len = strlen(text);
		if (send(client->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
			return false;
		client->len -= used;
		memmove(client->line, client->line + used, client->len);
	}
	return client->len < sizeof(client->line);
}

static void serve_client(struct weir_guard_client *client, weir_guard_answer_fn answer,
			 void *context)
{
	const ssize_t n = recv(client->fd, client->line + client->len,
			       sizeof(client->line) - client->len, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(client);
		return;
	}
	client->len += (size_t)n;
	if (!answer_lines(client, answer, context))
		drop(client);
}

void weir_guard_socket_serve(struct weir_guard_socket *socket_, const struct pollfd *fds,
			     nfds_t nfds, weir_guard_answer_fn answer, void *context)
{
	for (nfds_t k = 1; k < nfds; k++) {
		if (fds[k].revents == 0)
			continue;
		for (int i = 0; i < WEIR_GUARD_MAX_CLIENTS; i++) {
			if (socket_->clients[i].fd == fds[k].fd) {
				serve_client(&socket_->clients[i], answer, context);
				break;
			}
		}
	}
	if (nfds > 0 && fds[0].revents != 0)
		accept_one(socket_);
}
