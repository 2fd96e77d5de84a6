// SPDX-License-Identifier: Apache-2.0
//
// weirctl's side of the control protocol. Every function says what is wrong and ends the program
// when it can't do its work.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.pb-c.h"

enum { WEIRCTL_MAX_FRAME = 16 << 20 };

__attribute__((noreturn)) void engine_die(const char *what);

int engine_connect(const char *path);
void engine_greet(int fd, Weir__V1__EngineRole role);

void engine_send_frame(int fd, const uint8_t *data, size_t length);
// Fills in the request's id, which it returns.
uint64_t engine_send(int fd, Weir__V1__EngineRequest *request);
// The next message, whatever it is; to be freed. NULL if none came within `timeout_ms`; -1: wait
// for ever.
Weir__V1__EngineMessage *engine_receive(int fd, int timeout_ms);
// Sends and waits for the answer; an error ends the program.
Weir__V1__EngineMessage *engine_ask(int fd, Weir__V1__EngineRequest *request);

// The field that a message's oneof holds; NULL: none.
const ProtobufCMessage *engine_body(const Weir__V1__EngineMessage *message);
// Puts `body` into the request's oneof.
void engine_set_body(Weir__V1__EngineRequest *request, unsigned int request_case,
		     ProtobufCMessage *body);
