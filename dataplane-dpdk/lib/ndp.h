// SPDX-License-Identifier: Apache-2.0
//
// Neighbour solicitations and advertisements (RFC 4861), read and written.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/packet_parse.h"

enum weir_ndp_type { WEIR_NDP_SOLICIT = 135, WEIR_NDP_ADVERTISE = 136 };

enum weir_ndp_flag {
	WEIR_NDP_SOLICITED = 0x40,
	WEIR_NDP_OVERRIDE = 0x20,
};

// A message of ours: header, target and one link-layer address.
#define WEIR_NDP_FRAME (WEIR_ETHERNET_HEADER + WEIR_IPV6_HEADER + 24 + 8)

struct weir_ndp {
	uint8_t type;
	uint8_t flags; // of an advertisement
	struct weir_address source;
	struct weir_address destination;
	struct weir_address target;
	bool has_mac; // the sender's (solicitation) or the target's (advertisement)
	uint8_t mac[6];
};

// ff02::1, all nodes of the link.
extern const struct weir_address weir_all_nodes;

// The group that is asked for `address`: ff02::1:ff and its last three bytes.
struct weir_address weir_solicited_node(const struct weir_address *address);

// The MAC address of an IPv6 group: 33:33 and its last four bytes.
void weir_multicast_mac(const struct weir_address *group, uint8_t mac[6]);

// Reads a message that the parser called WEIR_PARSE_NDP. Returns 0, or -EBADMSG for what RFC 4861,
// section 7.1 says must be discarded, and for other types.
int weir_ndp_read(const uint8_t *frame, const struct weir_packet *packet, struct weir_ndp *ndp);

// Writes a frame of WEIR_NDP_FRAME bytes. The link-layer address in it is the frame's source.
void weir_ndp_write(uint8_t *frame, const uint8_t from_mac[6], const uint8_t to_mac[6],
		    const struct weir_ndp *ndp);
