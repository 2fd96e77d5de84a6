// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "load_balancer_config.pb-c.h"

// weirctl's command line. Texts are empty, numbers 0 and prefixes without an address where nothing
// was given.
struct options {
	const char *socket;
	bool json;
	bool all;
	char *lb;
	char *listener;
	char *member;
	char *state;
	uint32_t limit;
	uint32_t min_age_s;
	uint32_t seconds;
	uint32_t snap_length;
	uint32_t vip_port;
	uint32_t port;
	uint32_t ip_protocol; // for captures
	Weir__V1__Protocol protocol;
	uint8_t prefix_address[16];
	Weir__V1__Prefix prefix; // of clients, or the host of a capture
	uint8_t vip_address[16];
	ProtobufCBinaryData vip;
	const char *output;
	char **arguments; // after the command
	int nb_arguments;
};

// The command's name, or NULL if there is none. Ends the program when an option is wrong.
const char *options_parse(int argc, char **argv, struct options *options);
__attribute__((noreturn)) void options_usage(bool asked);

// Splits ADDRESS:PORT or [ADDRESS]:PORT in place. Returns 0 or -EINVAL; `address` has 16 bytes.
int options_endpoint(char *text, ProtobufCBinaryData *address, uint32_t *port);
