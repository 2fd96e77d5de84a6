// SPDX-License-Identifier: Apache-2.0
//
// The control socket: frames of a 4-byte big-endian length and a message. A peer that does not
// read its answers is cut off; nothing here waits for a peer.

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/capture.h"
#include "control/control.h"
#include "main/log.h"

enum {
	FRAME_HEAD = 4,
	READ_PIECE = 65536,
	MAX_UNSENT = 64 << 20,
};

int weir_api_listen(struct weir_control *control)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = control->engine->options.socket_path;

	for (size_t i = 0; i < RTE_DIM(control->connections); i++)
		control->connections[i].fd = -1;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	control->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (control->listen_fd < 0)
		return -errno;
	// The flow file's lock says that no other engine of this node runs.
	unlink(path);
	mode_t mask = umask(0177);
	int ret = bind(control->listen_fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
				  listen(control->listen_fd, 8) != 0
			  ? -errno
			  : 0;
	umask(mask);
	return ret;
}

void weir_api_disconnect(struct weir_control *control, struct weir_connection *connection)
{
	if (connection->fd < 0)
		return;
	weir_probe_forget(control, connection);
	weir_capture_forget(control, connection);
	weir_flow_scan_forget(connection);
	close(connection->fd);
	free(connection->in);
	free(connection->out);
	*connection = (struct weir_connection){.fd = -1};
}

static int reserve(uint8_t **buffer, size_t *capacity, size_t wanted)
{
	if (wanted <= *capacity)
		return 0;
	size_t grown = *capacity * 2 > wanted ? *capacity * 2 : wanted;
	uint8_t *data = realloc(*buffer, grown);
	if (data == NULL)
		return -ENOMEM;
	*buffer = data;
	*capacity = grown;
	return 0;
}

static void flush(struct weir_connection *connection)
{
	size_t sent = 0;

	while (sent < connection->out_length) {
		ssize_t n = send(connection->fd, connection->out + sent,
				 connection->out_length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	if (sent > 0)
		memmove(connection->out, connection->out + sent, connection->out_length - sent);
	connection->out_length -= sent;
}

void weir_api_send(struct weir_connection *connection, const Weir__V1__EngineMessage *message)
{
	size_t length = weir__v1__engine_message__get_packed_size(message);

	if (connection->fd < 0)
		return;
	if (length > WEIR_MAX_FRAME || connection->out_length + length > MAX_UNSENT ||
	    reserve(&connection->out, &connection->out_capacity,
		    connection->out_length + FRAME_HEAD + length) != 0) {
		weir_warn("control peer cut off: unsent=%zu reply=%zu", connection->out_length,
			  length);
		shutdown(connection->fd, SHUT_RDWR); // the next read ends the connection
		return;
	}
	uint8_t *at = connection->out + connection->out_length;
	uint32_t head = weir_be32((uint32_t)length);
	memcpy(at, &head, FRAME_HEAD);
	weir__v1__engine_message__pack(message, at + FRAME_HEAD);
	connection->out_length += FRAME_HEAD + length;
	flush(connection);
}

static void accept_connection(struct weir_control *control)
{
	int fd = accept4(control->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	for (size_t i = 0; i < RTE_DIM(control->connections); i++) {
		if (control->connections[i].fd < 0) {
			control->connections[i] = (struct weir_connection){.fd = fd};
			return;
		}
	}
	struct weir_connection refused = {.fd = fd};
	Weir__V1__ErrorReply error = WEIR__V1__ERROR_REPLY__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;
	error.code = WEIR__V1__ERROR_CODE__ERROR_CODE_TOO_MANY_READERS;
	error.message = (char *)"every connection is taken";
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_ERROR;
	message.error = &error;
	weir_api_send(&refused, &message);
	free(refused.out);
	close(fd);
}

// Serves the whole frames that have arrived. Returns false when the peer broke the framing.
static bool serve_frames(struct weir_control *control, struct weir_connection *connection)
{
	size_t at = 0;

	while (connection->fd >= 0 && connection->in_length - at >= FRAME_HEAD) {
		uint32_t length;

		memcpy(&length, connection->in + at, FRAME_HEAD);
		length = weir_host32(length);
		if (length > WEIR_MAX_FRAME)
			return false;
		if (connection->in_length - at - FRAME_HEAD < length)
			break;
		struct weir_bytes raw = {connection->in + at + FRAME_HEAD, length};
		weir_api_request(control, connection, raw);
		at += FRAME_HEAD + length;
	}
	if (connection->fd >= 0 && at > 0) {
		memmove(connection->in, connection->in + at, connection->in_length - at);
		connection->in_length -= at;
	}
	return true;
}

bool weir_api_receive(struct weir_control *control, struct weir_connection *connection,
		      const uint8_t *data, size_t length)
{
	if (reserve(&connection->in, &connection->in_capacity,
		    connection->in_length + length + 1) != 0)
		return false;
	memcpy(connection->in + connection->in_length, data, length);
	connection->in_length += length;
	return serve_frames(control, connection);
}

static void read_connection(struct weir_control *control, struct weir_connection *connection)
{
	static uint8_t piece[READ_PIECE];

	for (;;) {
		ssize_t n = recv(connection->fd, piece, sizeof(piece), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n <= 0)
			break;
		if (!weir_api_receive(control, connection, piece, (size_t)n)) {
			weir_warn("control peer cut off: frame too long");
			break;
		}
		if (connection->fd < 0)
			return;
	}
	weir_api_disconnect(control, connection);
}

void weir_api_serve(struct weir_control *control, short listen_events, const short *events)
{
	for (size_t i = 0; i < RTE_DIM(control->connections); i++) {
		struct weir_connection *connection = &control->connections[i];

		if (connection->fd < 0 || events[i] == 0)
			continue;
		if (events[i] & POLLOUT)
			flush(connection);
		if (events[i] & (POLLIN | POLLHUP | POLLERR))
			read_connection(control, connection);
	}
	if (listen_events & POLLIN)
		accept_connection(control);
}
