// SPDX-License-Identifier: Apache-2.0

#include "lib/icmp_inner.h"

#include "lib/checksum.h"
#include "lib/packet_parse.h"

enum {
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	IPV6_FRAGMENT_HEADER = 8,
	OFFSET_MASK = 0x1fff,
	PORTS = 8, // what every error quotes of L4
	IPV4_CHECKSUM = 10,
	TCP_CHECKSUM = 16,
	UDP_CHECKSUM = 6,
	ICMP_HEADER = 8,
	ICMP_CHECKSUM = 2,
};

enum {
	NEXT_HOP_BY_HOP = 0,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_AUTHENTICATION = 51,
	NEXT_DESTINATION = 60,
};

static inline uint16_t load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void store16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline weir_be32_t load32(const uint8_t *p)
{
	weir_be32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static enum weir_inner_result parse_ports(const uint8_t *quoted, uint32_t length, bool first,
					  struct weir_inner *inner)
{
	inner->l4_quoted = (uint16_t)(length - inner->l4_offset);
	if (!first || inner->l4_quoted < PORTS ||
	    (inner->protocol != WEIR_IP_TCP && inner->protocol != WEIR_IP_UDP))
		return WEIR_INNER_NO_PORTS;
	inner->source_port = load16(quoted + inner->l4_offset);
	inner->destination_port = load16(quoted + inner->l4_offset + 2);
	return WEIR_INNER_PORTS;
}

static enum weir_inner_result parse_ipv4(const uint8_t *quoted, uint32_t length,
					 struct weir_inner *inner)
{
	if (length < IPV4_HEADER)
		return WEIR_INNER_BAD;
	uint32_t header = (uint32_t)(quoted[0] & 0x0f) * 4;
	uint32_t total = weir_host16(load16(quoted + 2));
	if (header < IPV4_HEADER || header > length || total < header)
		return WEIR_INNER_BAD;
	inner->source = weir_address_v4(load32(quoted + 12));
	inner->destination = weir_address_v4(load32(quoted + 16));
	inner->family = 4;
	inner->protocol = quoted[9];
	inner->l4_offset = (uint16_t)header;
	// Behind the packet's end lie padding and extensions of the error (RFC 4884).
	bool first = (weir_host16(load16(quoted + 6)) & OFFSET_MASK) == 0;
	return parse_ports(quoted, total < length ? total : length, first, inner);
}

// Steps over one extension header. Returns its length, 0 when it does not fit.
static uint32_t extension_length(uint8_t next, const uint8_t *header, uint32_t left)
{
	uint32_t length;

	if (left < 8)
		return 0;
	if (next == NEXT_FRAGMENT)
		length = IPV6_FRAGMENT_HEADER;
	else if (next == NEXT_AUTHENTICATION)
		length = ((uint32_t)header[1] + 2) * 4;
	else
		length = ((uint32_t)header[1] + 1) * 8;
	return length <= left ? length : 0;
}

static bool is_extension(uint8_t next)
{
	return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_FRAGMENT ||
	       next == NEXT_AUTHENTICATION || next == NEXT_DESTINATION;
}

static enum weir_inner_result parse_ipv6(const uint8_t *quoted, uint32_t length,
					 struct weir_inner *inner)
{
	uint32_t at = IPV6_HEADER;
	bool first = true;

	if (length < IPV6_HEADER)
		return WEIR_INNER_BAD;
	uint32_t total = IPV6_HEADER + (uint32_t)weir_host16(load16(quoted + 4));
	if (total < length)
		length = total;
	inner->source = weir_address_v6(quoted + 8);
	inner->destination = weir_address_v6(quoted + 24);
	inner->family = 6;
	inner->protocol = quoted[6];
	for (int n = 0; first && is_extension(inner->protocol); n++) {
		uint32_t step = extension_length(inner->protocol, quoted + at, length - at);

		if (step == 0 || n == WEIR_INNER_MAX_EXTENSIONS)
			return WEIR_INNER_BAD;
		// Headers behind a later fragment's own are not the packet's.
		if (inner->protocol == NEXT_FRAGMENT)
			first = (weir_host16(load16(quoted + at + 2)) & 0xfff8) == 0;
		inner->protocol = quoted[at];
		at += step;
	}
	inner->l4_offset = (uint16_t)at;
	return parse_ports(quoted, length, first, inner);
}

enum weir_inner_result weir_inner_parse(const uint8_t *quoted, uint32_t length,
					struct weir_inner *inner)
{
	memset(inner, 0, sizeof(*inner));
	if (length == 0)
		return WEIR_INNER_BAD;
	// Offsets are 16 bits wide; no frame is longer.
	if (length > UINT16_MAX)
		length = UINT16_MAX;
	if (quoted[0] >> 4 == 4)
		return parse_ipv4(quoted, length, inner);
	return quoted[0] >> 4 == 6 ? parse_ipv6(quoted, length, inner) : WEIR_INNER_BAD;
}

static inline uint64_t growth16(uint16_t from, uint16_t to)
{
	return (uint64_t)(uint16_t)~from + to;
}

// Updates the checksum over bytes whose sum grew by `growth`; returns what its own field grew by.
static uint64_t write_checksum(uint8_t *field, uint64_t growth)
{
	uint16_t old = load16(field);
	uint16_t new = (uint16_t)~weir_checksum_fold((uint64_t)(uint16_t)~old + growth);

	store16(field, new);
	return growth16(old, new);
}

// Writes the addresses of an IP header; returns what its sum grew by.
static uint64_t write_addresses(uint8_t *ip, uint8_t family, const struct weir_address *source,
				const struct weir_address *destination)
{
	uint32_t at = family == 6 ? 8 : 12;
	uint32_t size = family == 6 ? 16 : 4;
	const uint8_t *from = source->bytes + sizeof(source->bytes) - size;
	const uint8_t *to = destination->bytes + sizeof(destination->bytes) - size;
	uint64_t growth = 0;

	for (uint32_t i = 0; i < size; i += 2) {
		growth += growth16(load16(ip + at + i), load16(from + i));
		growth += growth16(load16(ip + at + size + i), load16(to + i));
	}
	memcpy(ip + at, from, size);
	memcpy(ip + at + size, to, size);
	return growth;
}

// Returns what the sum of the quoted bytes grew by.
static uint64_t rewrite_quoted(uint8_t *quoted, const struct weir_inner *inner,
			       const struct weir_inner_endpoints *to)
{
	uint8_t *l4 = quoted + inner->l4_offset;
	uint64_t addresses = write_addresses(quoted, inner->family, &to->source, &to->destination);
	uint64_t ports = growth16(inner->source_port, to->source_port) +
			 growth16(inner->destination_port, to->destination_port);
	uint64_t growth = addresses + ports;

	store16(l4, to->source_port);
	store16(l4 + 2, to->destination_port);
	if (inner->family == 4)
		growth += write_checksum(quoted + IPV4_CHECKSUM, addresses);
	if (inner->protocol == WEIR_IP_TCP && inner->l4_quoted >= TCP_CHECKSUM + 2)
		growth += write_checksum(l4 + TCP_CHECKSUM, addresses + ports);
	// 0 says that the sender made no checksum.
	if (inner->protocol == WEIR_IP_UDP && load16(l4 + UDP_CHECKSUM) != 0)
		growth += write_checksum(l4 + UDP_CHECKSUM, addresses + ports);
	return growth;
}

void weir_icmp_error_rewrite(uint8_t *ip, uint8_t *icmp, const struct weir_inner *inner,
			     const struct weir_icmp_rewrite *to)
{
	uint64_t addresses = write_addresses(ip, inner->family, &to->source, &to->destination);
	uint64_t growth = rewrite_quoted(icmp + ICMP_HEADER, inner, &to->inner);

	if (inner->family == 4)
		write_checksum(ip + IPV4_CHECKSUM, addresses);
	else
		growth += addresses; // ICMPv6 sums a pseudo header
	write_checksum(icmp + ICMP_CHECKSUM, growth);
}
