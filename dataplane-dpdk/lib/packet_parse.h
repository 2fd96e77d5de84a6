// SPDX-License-Identifier: Apache-2.0
//
// Reads an Ethernet frame far enough to decide where it goes. Every length is checked before use.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/address.h"
#include "lib/byte_order.h"
#include "lib/tuple.h"

#define WEIR_ETHERNET_HEADER 14
#define WEIR_ETHERTYPE_IPV4  0x0800
#define WEIR_ETHERTYPE_ARP   0x0806
#define WEIR_ETHERTYPE_IPV6  0x86dd

#define WEIR_IPV4_HEADER 20
#define WEIR_IPV6_HEADER 40

enum weir_ip_protocol {
	WEIR_IP_ICMP = 1,
	WEIR_IP_IPIP = 4, // IPv4 inside
	WEIR_IP_TCP = 6,
	WEIR_IP_UDP = 17,
	WEIR_IP_IPV6 = 41, // IPv6 inside
	WEIR_IP_ICMPV6 = 58,
};

enum weir_tcp_flag {
	WEIR_TCP_FIN = 0x01,
	WEIR_TCP_SYN = 0x02,
	WEIR_TCP_RST = 0x04,
	WEIR_TCP_ACK = 0x10,
};

enum weir_parse_result {
	WEIR_PARSE_L4,   // TCP or UDP, all of weir_packet is set
	WEIR_PARSE_ICMP, // ICMP or ICMPv6 by family; l3 fields, l4_offset and l4_length are set
	WEIR_PARSE_NDP,  // ICMPv6 types 133 to 137, otherwise as WEIR_PARSE_ICMP
	WEIR_PARSE_ARP,  // a whole IPv4-over-Ethernet ARP message follows the Ethernet header
	WEIR_PARSE_OTHER_ETHERTYPE,
	WEIR_PARSE_OTHER_PROTOCOL,
	WEIR_PARSE_FRAGMENT, // l3 fields; of a first fragment also ports when they are there
	WEIR_PARSE_TRUNCATED,
	WEIR_PARSE_BAD_HEADER,
};

struct weir_packet {
	union {
		struct weir_tuple tuple;
		struct { // the same by their names
			struct weir_address source;
			struct weir_address destination;
			weir_be16_t source_port;
			weir_be16_t destination_port;
			uint8_t protocol;
		};
	};
	uint8_t family; // 4 or 6
	uint8_t tcp_flags;
	uint8_t ttl; // hop limit
	uint8_t traffic_class;
	bool dont_fragment;       // IPv4: the DF bit; IPv6: true
	uint16_t l3_length;       // whole IP packet
	uint16_t l4_offset;       // from the start of the frame
	uint16_t l4_length;       // header and payload
	uint32_t fragment_id;     // network order; valid when fragment
	uint16_t fragment_header; // IPv6 fragments: where it is, from the start of the frame
	uint16_t fragment_offset;
	bool more_fragments;
	bool fragment; // offset or more fragments; IPv6's atomic fragments are none
};

_Static_assert(offsetof(struct weir_packet, tuple.protocol) ==
		       offsetof(struct weir_packet, protocol),
	       "the two spellings of a tuple agree");

enum weir_parse_result weir_packet_parse(const uint8_t *frame, uint32_t length,
					 struct weir_packet *packet);

// True if the L4 checksum is right, or absent (UDP's 0 over IPv4), or a fragment's. `frame` as
// given to a parse that answered WEIR_PARSE_L4.
bool weir_packet_checksum_ok(const uint8_t *frame, const struct weir_packet *packet);
