// SPDX-License-Identifier: Apache-2.0
//
// The packet quoted in an ICMP or ICMPv6 error. Routers quote as little as the IP header and 8
// bytes after it, enough for ports; everything else is looked at only when it is there.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/address.h"
#include "lib/byte_order.h"

// Extension headers of IPv6 followed before the packet is given up.
#define WEIR_INNER_MAX_EXTENSIONS 8

enum weir_inner_result {
	WEIR_INNER_PORTS,    // TCP or UDP, all of weir_inner is set
	WEIR_INNER_NO_PORTS, // another protocol, or a fragment without its first 8 bytes
	WEIR_INNER_BAD,
};

struct weir_inner {
	struct weir_address source;
	struct weir_address destination;
	weir_be16_t source_port;
	weir_be16_t destination_port;
	uint8_t family;     // 4 or 6
	uint8_t protocol;   // after IPv6 extension headers
	uint16_t l4_offset; // from the start of the quoted packet
	uint16_t l4_quoted; // bytes from there that are quoted
};

// quoted: from the IP header on, `length` bytes of it. Nothing behind them is read. No checksum is
// verified: what is quoted is not whole.
enum weir_inner_result weir_inner_parse(const uint8_t *quoted, uint32_t length,
					struct weir_inner *inner);

// The endpoints that the quoted packet is to show instead of its own; family as the packet's.
struct weir_inner_endpoints {
	struct weir_address source;
	struct weir_address destination;
	weir_be16_t source_port;
	weir_be16_t destination_port;
};

// What a whole error is to show instead: its own addresses and the quoted packet's endpoints.
struct weir_icmp_rewrite {
	struct weir_address source;
	struct weir_address destination;
	struct weir_inner_endpoints inner;
};

// Translates an error and the packet in it, for which the parse answered WEIR_INNER_PORTS; all
// addresses are of the packet's family. Every checksum that is there is updated by RFC 1624, so
// that a wrong one stays wrong.
//
// ip: the error from its IP header on; icmp: its ICMP header, the quoted packet follows.
void weir_icmp_error_rewrite(uint8_t *ip, uint8_t *icmp, const struct weir_inner *inner,
			     const struct weir_icmp_rewrite *to);
