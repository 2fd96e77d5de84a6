// SPDX-License-Identifier: Apache-2.0

#include "cli/engine_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void engine_die(const char *what)
{
	fprintf(stderr, "weirctl: %s\n", what);
	exit(EXIT_FAILURE);
}

int engine_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		engine_die("the socket's path is too long");
	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		fprintf(stderr, "weirctl: no engine answers at %s: %s\n", path, strerror(errno));
		exit(EXIT_FAILURE);
	}
	return fd;
}

static void write_all(int fd, const void *data, size_t length)
{
	const uint8_t *p = data;

	while (length > 0) {
		ssize_t n = send(fd, p, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			engine_die("the engine closed the connection");
		p += n;
		length -= (size_t)n;
	}
}

static void read_all(int fd, void *data, size_t length)
{
	uint8_t *p = data;

	while (length > 0) {
		ssize_t n = read(fd, p, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			engine_die("the engine closed the connection");
		p += n;
		length -= (size_t)n;
	}
}

void engine_send_frame(int fd, const uint8_t *data, size_t length)
{
	uint32_t head = htonl((uint32_t)length);

	write_all(fd, &head, sizeof(head));
	write_all(fd, data, length);
}

uint64_t engine_send(int fd, Weir__V1__EngineRequest *request)
{
	static uint64_t next_id;

	request->request_id = ++next_id;
	size_t length = weir__v1__engine_request__get_packed_size(request);
	uint8_t *data = malloc(length > 0 ? length : 1);
	if (data == NULL)
		engine_die("out of memory");
	weir__v1__engine_request__pack(request, data);
	engine_send_frame(fd, data, length);
	free(data);
	return request->request_id;
}

Weir__V1__EngineMessage *engine_receive(int fd, int timeout_ms)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	uint32_t length;

	if (timeout_ms >= 0 && poll(&readable, 1, timeout_ms) <= 0)
		return NULL;
	read_all(fd, &length, sizeof(length));
	length = ntohl(length);
	if (length > WEIRCTL_MAX_FRAME)
		engine_die("the engine's answer is too long");
	uint8_t *data = malloc(length > 0 ? length : 1);
	if (data == NULL)
		engine_die("out of memory");
	read_all(fd, data, length);
	Weir__V1__EngineMessage *message = weir__v1__engine_message__unpack(NULL, length, data);
	free(data);
	if (message == NULL)
		engine_die("the engine's answer can't be decoded");
	return message;
}

Weir__V1__EngineMessage *engine_ask(int fd, Weir__V1__EngineRequest *request)
{
	engine_send(fd, request);
	Weir__V1__EngineMessage *message = engine_receive(fd, -1);

	if (message->message_case == WEIR__V1__ENGINE_MESSAGE__MESSAGE_ERROR)
		engine_die(message->error->message);
	return message;
}

void engine_greet(int fd, Weir__V1__EngineRole role)
{
	Weir__V1__HelloRequest hello = WEIR__V1__HELLO_REQUEST__INIT;
	Weir__V1__EngineRequest request = WEIR__V1__ENGINE_REQUEST__INIT;

	hello.role = role;
	hello.protocol_version = 1;
	request.request_case = WEIR__V1__ENGINE_REQUEST__REQUEST_HELLO;
	request.hello = &hello;
	weir__v1__engine_message__free_unpacked(engine_ask(fd, &request), NULL);
}

const ProtobufCMessage *engine_body(const Weir__V1__EngineMessage *message)
{
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
		message->base.descriptor, message->message_case);

	if (field == NULL)
		return NULL;
	return *(const ProtobufCMessage *const *)(const void *)((const uint8_t *)message +
								field->offset);
}

void engine_set_body(Weir__V1__EngineRequest *request, unsigned int request_case,
		     ProtobufCMessage *body)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field(request->base.descriptor, request_case);

	request->request_case = request_case;
	*(ProtobufCMessage **)(void *)((uint8_t *)request + field->offset) = body;
}
