// SPDX-License-Identifier: Apache-2.0

#include "lib/packet_parse.h"

#include <string.h>

#include "lib/checksum.h"

enum {
	IPV4_HEADER = 20,
	ARP_MESSAGE = 28,
	TCP_HEADER = 20,
	UDP_HEADER = 8,
	ICMP_HEADER = 8,
	FRAGMENT_MASK = 0x3fff, // more-fragments bit and offset
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

static enum weir_parse_result parse_ipv4(const uint8_t *frame, uint32_t length,
					 struct weir_packet *packet)
{
	const uint8_t *ip = frame + WEIR_ETHERNET_HEADER;

	if (length < IPV4_HEADER)
		return WEIR_PARSE_TRUNCATED;
	uint32_t header = (uint32_t)(ip[0] & 0x0f) * 4;
	uint16_t total = weir_host16(load16(ip + 2));
	if (ip[0] >> 4 != 4 || header < IPV4_HEADER || total < header)
		return WEIR_PARSE_BAD_HEADER;
	if (total > length)
		return WEIR_PARSE_TRUNCATED;
	if (weir_checksum(ip, header) != 0)
		return WEIR_PARSE_BAD_HEADER;

	packet->source = load32(ip + 12);
	packet->destination = load32(ip + 16);
	packet->ttl = ip[8];
	packet->protocol = ip[9];
	packet->l3_length = total;
	packet->l4_offset = (uint16_t)(WEIR_ETHERNET_HEADER + header);
	packet->l4_length = (uint16_t)(total - header);
	if (weir_host16(load16(ip + 6)) & FRAGMENT_MASK)
		return WEIR_PARSE_FRAGMENT;
	switch (packet->protocol) {
	case WEIR_IP_TCP:
		return parse_tcp(frame + packet->l4_offset, packet);
	case WEIR_IP_UDP:
		return parse_udp(frame + packet->l4_offset, packet);
	case WEIR_IP_ICMP:
		return packet->l4_length < ICMP_HEADER ? WEIR_PARSE_TRUNCATED : WEIR_PARSE_ICMP;
	default:
		return WEIR_PARSE_OTHER_PROTOCOL;
	}
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

	if (packet->protocol == WEIR_IP_UDP) {
		if (load16(l4 + 6) == 0)
			return true;
		length = weir_host16(load16(l4 + 4));
	}
	return weir_checksum_l4(packet->source, packet->destination, packet->protocol, l4,
				length) == 0xffff;
}
