// SPDX-License-Identifier: Apache-2.0
//
// Reads an Ethernet frame far enough to decide where it goes. Every length is checked before use.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/byte_order.h"

#define WEIR_ETHERNET_HEADER 14
#define WEIR_ETHERTYPE_IPV4  0x0800
#define WEIR_ETHERTYPE_ARP   0x0806

enum weir_ip_protocol {
	WEIR_IP_ICMP = 1,
	WEIR_IP_TCP = 6,
	WEIR_IP_UDP = 17,
};

enum weir_tcp_flag {
	WEIR_TCP_FIN = 0x01,
	WEIR_TCP_SYN = 0x02,
	WEIR_TCP_RST = 0x04,
	WEIR_TCP_ACK = 0x10,
};

enum weir_parse_result {
	WEIR_PARSE_L4,   // TCP or UDP, all of weir_packet is set
	WEIR_PARSE_ICMP, // l3 fields, l4_offset and l4_length are set
	WEIR_PARSE_ARP,  // a whole IPv4-over-Ethernet ARP message follows the Ethernet header
	WEIR_PARSE_OTHER_ETHERTYPE,
	WEIR_PARSE_OTHER_PROTOCOL,
	WEIR_PARSE_FRAGMENT,
	WEIR_PARSE_TRUNCATED,
	WEIR_PARSE_BAD_HEADER,
};

struct weir_packet {
	weir_be32_t source;
	weir_be32_t destination;
	weir_be16_t source_port;
	weir_be16_t destination_port;
	uint8_t protocol;
	uint8_t tcp_flags;
	uint8_t ttl;
	uint8_t reserved;
	uint16_t l3_length; // total length of the IP packet
	uint16_t l4_offset; // from the start of the frame
	uint16_t l4_length; // header and payload
};

enum weir_parse_result weir_packet_parse(const uint8_t *frame, uint32_t length,
					 struct weir_packet *packet);

// True if the L4 checksum is right, or absent (UDP's 0). `frame` as given to a parse that
// answered WEIR_PARSE_L4.
bool weir_packet_checksum_ok(const uint8_t *frame, const struct weir_packet *packet);
