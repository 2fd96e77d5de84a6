// SPDX-License-Identifier: Apache-2.0

#include "lib/packet_parse.h"

#include <string.h>

#include "lib/checksum.h"

enum {
	ARP_MESSAGE = 28,
	TCP_HEADER = 20,
	UDP_HEADER = 8,
	ICMP_HEADER = 8,
	IPV4_DONT_FRAGMENT = 0x4000,
	IPV4_MORE_FRAGMENTS = 0x2000,
	IPV4_OFFSET_MASK = 0x1fff, // in units of 8 bytes
	IPV6_MORE_FRAGMENTS = 0x0001,
	IPV6_OFFSET_MASK = 0xfff8, // in bytes
	// Nobody sends more; each costs a read of memory.
	MAX_EXTENSIONS = 8,
	NDP_FIRST_TYPE = 133,
	NDP_LAST_TYPE = 137,
};

// IPv6 next header values that are extension headers.
enum {
	EXTENSION_HOP_BY_HOP = 0,
	EXTENSION_ROUTING = 43,
	EXTENSION_FRAGMENT = 44,
	EXTENSION_DESTINATION = 60,
};

static inline uint16_t load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static enum weir_parse_result parse_arp(const uint8_t *arp, uint32_t length)
{
	// Ethernet (1), IPv4 (0x0800), address lengths 6 and 4.
	static const uint8_t head[6] = {0x00, 0x01, 0x08, 0x00, 6, 4};

	if (length < ARP_MESSAGE)
		return WEIR_PARSE_TRUNCATED;
	return memcmp(arp, head, sizeof(head)) == 0 ? WEIR_PARSE_ARP : WEIR_PARSE_BAD_HEADER;
}

static enum weir_parse_result parse_tcp(const uint8_t *tcp, struct weir_packet *packet)
{
	if (packet->l4_length < TCP_HEADER)
		return WEIR_PARSE_TRUNCATED;
	uint32_t header = (uint32_t)(tcp[12] >> 4) * 4;
	if (header < TCP_HEADER || header > packet->l4_length)
		return WEIR_PARSE_BAD_HEADER;
	packet->source_port = load16(tcp);
	packet->destination_port = load16(tcp + 2);
	packet->tcp_flags = tcp[13];
	return WEIR_PARSE_L4;
}

static enum weir_parse_result parse_udp(const uint8_t *udp, struct weir_packet *packet)
{
	if (packet->l4_length < UDP_HEADER)
		return WEIR_PARSE_TRUNCATED;
	uint16_t length = weir_host16(load16(udp + 4));
	if (length < UDP_HEADER || length > packet->l4_length)
		return WEIR_PARSE_BAD_HEADER;
	packet->source_port = load16(udp);
	packet->destination_port = load16(udp + 2);
	packet->tcp_flags = 0;
	return WEIR_PARSE_L4;
}

// A first fragment's ports, where they are there; what follows them may be in the next one.
static enum weir_parse_result parse_fragment(const uint8_t *l4, struct weir_packet *packet)
{
	bool has_ports = packet->protocol == WEIR_IP_TCP || packet->protocol == WEIR_IP_UDP;

	if (packet->fragment_offset == 0 && has_ports && packet->l4_length >= UDP_HEADER) {
		packet->source_port = load16(l4);
		packet->destination_port = load16(l4 + 2);
		if (packet->protocol == WEIR_IP_TCP && packet->l4_length >= TCP_HEADER)
			packet->tcp_flags = l4[13];
	}
	return WEIR_PARSE_FRAGMENT;
}

static enum weir_parse_result parse_icmpv6(const uint8_t *icmp, const struct weir_packet *packet)
{
	if (packet->l4_length < ICMP_HEADER)
		return WEIR_PARSE_TRUNCATED;
	return icmp[0] >= NDP_FIRST_TYPE && icmp[0] <= NDP_LAST_TYPE ? WEIR_PARSE_NDP
								     : WEIR_PARSE_ICMP;
}

static enum weir_parse_result parse_transport(const uint8_t *l4, struct weir_packet *packet)
{
	if (packet->fragment)
		return parse_fragment(l4, packet);
	if (packet->protocol == WEIR_IP_TCP)
		return parse_tcp(l4, packet);
	if (packet->protocol == WEIR_IP_UDP)
		return parse_udp(l4, packet);
	if (packet->protocol == WEIR_IP_ICMP && packet->family == 4)
		return packet->l4_length < ICMP_HEADER ? WEIR_PARSE_TRUNCATED : WEIR_PARSE_ICMP;
	if (packet->protocol == WEIR_IP_ICMPV6 && packet->family == 6)
		return parse_icmpv6(l4, packet);
	return WEIR_PARSE_OTHER_PROTOCOL;
}

static enum weir_parse_result parse_ipv4(const uint8_t *frame, uint32_t length,
					 struct weir_packet *packet)
{
	const uint8_t *ip = frame + WEIR_ETHERNET_HEADER;

	if (length < WEIR_IPV4_HEADER)
		return WEIR_PARSE_TRUNCATED;
	uint32_t header = (uint32_t)(ip[0] & 0x0f) * 4;
	uint16_t total = weir_host16(load16(ip + 2));
	if (ip[0] >> 4 != 4 || header < WEIR_IPV4_HEADER || total < header)
		return WEIR_PARSE_BAD_HEADER;
	if (total > length)
		return WEIR_PARSE_TRUNCATED;
	if (weir_checksum(ip, header) != 0)
		return WEIR_PARSE_BAD_HEADER;

	uint16_t fragment = weir_host16(load16(ip + 6));
	packet->family = 4;
	packet->source = weir_address_v4(load32(ip + 12));
	packet->destination = weir_address_v4(load32(ip + 16));
	packet->traffic_class = ip[1];
	packet->ttl = ip[8];
	packet->protocol = ip[9];
	packet->dont_fragment = (fragment & IPV4_DONT_FRAGMENT) != 0;
	packet->l3_length = total;
	packet->l4_offset = (uint16_t)(WEIR_ETHERNET_HEADER + header);
	packet->l4_length = (uint16_t)(total - header);
	packet->fragment_offset = (uint16_t)((fragment & IPV4_OFFSET_MASK) * 8);
	packet->more_fragments = (fragment & IPV4_MORE_FRAGMENTS) != 0;
	packet->fragment = packet->more_fragments || packet->fragment_offset != 0;
	packet->fragment_id = weir_be32(weir_host16(load16(ip + 4)));
	return parse_transport(frame + packet->l4_offset, packet);
}

// Reads a fragment header. Returns WEIR_PARSE_L4 when it is sound.
static enum weir_parse_result read_fragment(const uint8_t *header, uint32_t left,
					    struct weir_packet *packet)
{
	uint16_t word = weir_host16(load16(header + 2));

	packet->fragment_offset = word & IPV6_OFFSET_MASK;
	packet->more_fragments = (word & IPV6_MORE_FRAGMENTS) != 0;
	packet->fragment = packet->more_fragments || packet->fragment_offset != 0;
	packet->fragment_id = load32(header + 4);
	// RFC 8200, section 4.5: all but the last are multiples of 8 bytes, and what they make up
	// fits a packet.
	if ((packet->more_fragments && left % 8 != 0) ||
	    packet->fragment_offset + left > UINT16_MAX)
		return WEIR_PARSE_BAD_HEADER;
	return WEIR_PARSE_L4;
}

// Walks the extension headers; `ip` holds the whole packet of l3_length bytes. Sets the protocol
// and where it starts. Returns WEIR_PARSE_L4, or why the packet ends here.
static enum weir_parse_result walk_extensions(const uint8_t *ip, struct weir_packet *packet)
{
	uint32_t at = WEIR_IPV6_HEADER;
	uint8_t next = ip[6];

	for (uint32_t nb = 0; nb <= MAX_EXTENSIONS; nb++) {
		uint32_t length;

		packet->protocol = next;
		packet->l4_offset = (uint16_t)(WEIR_ETHERNET_HEADER + at);
		packet->l4_length = (uint16_t)(packet->l3_length - at);
		if (next != EXTENSION_HOP_BY_HOP && next != EXTENSION_ROUTING &&
		    next != EXTENSION_FRAGMENT && next != EXTENSION_DESTINATION)
			return WEIR_PARSE_L4;
		if (packet->l4_length < 8)
			return WEIR_PARSE_TRUNCATED;
		// Hop-by-hop options come first or not at all.
		if (next == EXTENSION_HOP_BY_HOP && nb > 0)
			return WEIR_PARSE_BAD_HEADER;
		// With segments left the destination is a station on the way, and we are no router
		// of source routes (RFC 5095).
		if (next == EXTENSION_ROUTING && ip[at + 3] != 0)
			return WEIR_PARSE_BAD_HEADER;
		length = next == EXTENSION_FRAGMENT ? 8 : (uint32_t)(ip[at + 1] + 1) * 8;
		if (length > packet->l4_length)
			return WEIR_PARSE_TRUNCATED;
		if (next == EXTENSION_FRAGMENT &&
		    read_fragment(ip + at, packet->l4_length - length, packet) != WEIR_PARSE_L4)
			return WEIR_PARSE_BAD_HEADER;
		if (next == EXTENSION_FRAGMENT)
			packet->fragment_header = (uint16_t)(WEIR_ETHERNET_HEADER + at);
		next = ip[at];
		at += length;
		if (packet->fragment_offset != 0) { // what follows is payload
			packet->protocol = next;
			packet->l4_offset = (uint16_t)(WEIR_ETHERNET_HEADER + at);
			packet->l4_length = (uint16_t)(packet->l3_length - at);
			return WEIR_PARSE_L4;
		}
	}
	return WEIR_PARSE_BAD_HEADER;
}

static enum weir_parse_result parse_ipv6(const uint8_t *frame, uint32_t length,
					 struct weir_packet *packet)
{
	const uint8_t *ip = frame + WEIR_ETHERNET_HEADER;

	if (length < WEIR_IPV6_HEADER)
		return WEIR_PARSE_TRUNCATED;
	uint32_t total = (uint32_t)weir_host16(load16(ip + 4)) + WEIR_IPV6_HEADER;
	if (ip[0] >> 4 != 6)
		return WEIR_PARSE_BAD_HEADER;
	if (total > length || total > UINT16_MAX)
		return WEIR_PARSE_TRUNCATED;
	packet->family = 6;
	packet->source = weir_address_v6(ip + 8);
	packet->destination = weir_address_v6(ip + 24);
	// An IPv4-mapped address is not for the wire; inside it would pass for the other family.
	if (weir_address_is_v4(&packet->source) || weir_address_is_v4(&packet->destination))
		return WEIR_PARSE_BAD_HEADER;
	packet->traffic_class = (uint8_t)(ip[0] << 4 | ip[1] >> 4);
	packet->ttl = ip[7];
	packet->dont_fragment = true;
	packet->l3_length = (uint16_t)total;
	enum weir_parse_result result = walk_extensions(ip, packet);
	return result == WEIR_PARSE_L4 ? parse_transport(frame + packet->l4_offset, packet)
				       : result;
}

enum weir_parse_result weir_packet_parse(const uint8_t *frame, uint32_t length,
					 struct weir_packet *packet)
{
	memset(packet, 0, sizeof(*packet));
	if (length < WEIR_ETHERNET_HEADER)
		return WEIR_PARSE_TRUNCATED;
	switch (weir_host16(load16(frame + 12))) {
	case WEIR_ETHERTYPE_IPV4:
		return parse_ipv4(frame, length - WEIR_ETHERNET_HEADER, packet);
	case WEIR_ETHERTYPE_IPV6:
		return parse_ipv6(frame, length - WEIR_ETHERNET_HEADER, packet);
	case WEIR_ETHERTYPE_ARP:
		return parse_arp(frame + WEIR_ETHERNET_HEADER, length - WEIR_ETHERNET_HEADER);
	default:
		return WEIR_PARSE_OTHER_ETHERTYPE;
	}
}

bool weir_packet_checksum_ok(const uint8_t *frame, const struct weir_packet *packet)
{
	const uint8_t *l4 = frame + packet->l4_offset;
	uint16_t length = packet->l4_length;

	if (packet->fragment) // covers what is in other fragments
		return true;
	if (packet->protocol == WEIR_IP_UDP) {
		if (load16(l4 + 6) == 0)
			return packet->family == 4;
		length = weir_host16(load16(l4 + 4));
	}
	return weir_checksum_transport(&packet->source, &packet->destination, packet->protocol, l4,
				       length) == 0xffff;
}
