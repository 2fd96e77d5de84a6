// SPDX-License-Identifier: Apache-2.0

#include "lib/icmp_build.h"

#include <string.h>

#include "lib/byte_order.h"
#include "lib/checksum.h"

enum {
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	ICMP_HEADER = 8,
	ICMP = 1,
	ICMPV6 = 58,
	UNREACHABLE = 3,
	FRAGMENTATION_NEEDED = 4,
	PACKET_TOO_BIG = 2,
	TTL = 64,
};

static void store16(uint8_t *p, uint16_t host)
{
	weir_be16_t v = weir_be16(host);

	memcpy(p, &v, sizeof(v));
}

static uint16_t quoted_length(uint16_t length, uint16_t room)
{
	return length < room ? length : room;
}

uint16_t weir_icmp_fragmentation_needed(uint8_t *out, const uint8_t *packet, uint16_t length,
					uint16_t mtu)
{
	uint8_t *icmp = out + IPV4_HEADER;
	uint16_t quoted = quoted_length(length, WEIR_ICMP_MAX_V4 - IPV4_HEADER - ICMP_HEADER);
	uint16_t total = (uint16_t)(IPV4_HEADER + ICMP_HEADER + quoted);
	uint16_t sum;

	memset(out, 0, IPV4_HEADER + ICMP_HEADER);
	out[0] = 0x45;
	store16(out + 2, total);
	out[8] = TTL;
	out[9] = ICMP;
	memcpy(out + 12, packet + 16, 4);
	memcpy(out + 16, packet + 12, 4);
	sum = weir_checksum(out, IPV4_HEADER);
	memcpy(out + 10, &sum, sizeof(sum));

	icmp[0] = UNREACHABLE;
	icmp[1] = FRAGMENTATION_NEEDED;
	store16(icmp + 6, mtu);
	memcpy(icmp + ICMP_HEADER, packet, quoted);
	sum = weir_checksum(icmp, (size_t)ICMP_HEADER + quoted);
	memcpy(icmp + 2, &sum, sizeof(sum));
	return total;
}

uint16_t weir_icmp_packet_too_big(uint8_t *out, const uint8_t *packet, uint16_t length,
				  uint16_t mtu)
{
	uint8_t *icmp = out + IPV6_HEADER;
	uint16_t quoted = quoted_length(length, WEIR_ICMP_MAX_V6 - IPV6_HEADER - ICMP_HEADER);
	uint16_t icmp_length = (uint16_t)(ICMP_HEADER + quoted);
	uint64_t sum;
	uint16_t folded;

	memset(out, 0, IPV6_HEADER + ICMP_HEADER);
	out[0] = 0x60;
	store16(out + 4, icmp_length);
	out[6] = ICMPV6;
	out[7] = TTL;
	memcpy(out + 8, packet + 24, 16);
	memcpy(out + 24, packet + 8, 16);

	icmp[0] = PACKET_TOO_BIG;
	store16(icmp + 6, mtu);
	memcpy(icmp + ICMP_HEADER, packet, quoted);
	// Pseudo header of RFC 8200, section 8.1: addresses, length, next header.
	sum = weir_checksum_add(0, out + 8, 32);
	sum += weir_be16(icmp_length);
	sum += weir_be16(ICMPV6);
	folded = (uint16_t)~weir_checksum_fold(weir_checksum_add(sum, icmp, icmp_length));
	memcpy(icmp + 2, &folded, sizeof(folded));
	return (uint16_t)(IPV6_HEADER + icmp_length);
}
