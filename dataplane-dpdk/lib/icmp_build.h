// SPDX-License-Identifier: Apache-2.0
//
// ICMP messages that the engine itself sends about a packet which does not fit: fragmentation
// needed (RFC 792, RFC 1191) and packet too big (RFC 4443).

#pragma once

#include <stdint.h>

// Whole IP packets: what every IPv4 host takes and what every IPv6 link carries.
#define WEIR_ICMP_MAX_V4 576
#define WEIR_ICMP_MAX_V6 1280

// Both write an IP packet, from the IP header on, from the destination of `packet` to its source,
// quoting as much of it as fits. DF is clear and the id is 0: the error never meets the problem
// that it reports.
//
// out: room for WEIR_ICMP_MAX_V4, WEIR_ICMP_MAX_V6.
// packet, length: the packet from its IP header on, at least a whole IP header.
// mtu: the largest packet that would have fitted, in bytes.
// Return the length written.
uint16_t weir_icmp_fragmentation_needed(uint8_t *out, const uint8_t *packet, uint16_t length,
					uint16_t mtu);
uint16_t weir_icmp_packet_too_big(uint8_t *out, const uint8_t *packet, uint16_t length,
				  uint16_t mtu);
