// SPDX-License-Identifier: Apache-2.0

#include "lib/capture_match.h"

#include <stdlib.h>
#include <string.h>

#include "lib/packet_parse.h"

enum {
	ETHERTYPE_IPV6 = 0x86dd,
	PROTOCOL_IPIP = 4,
	PROTOCOL_IPV6 = 41,
	PROTOCOL_FRAGMENT = 44,
	GUE_PORT = 6080,
	GUE_VERSION_1 = 1, // an IP header follows at once
	UDP_HEADER = 8,
	GUE_HEADER = 4,
	MAX_DEPTH = 2,
	MAX_EXTENSIONS = 8,
};

// The part of a packet that can be compared.
struct view {
	struct weir_address source;
	struct weir_address destination;
	weir_be16_t source_port;
	weir_be16_t destination_port;
	uint8_t protocol;
	bool has_ports;
	uint32_t l4; // offset
};

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct weir_address));
}

void weir_capture_match_ready(struct weir_capture_match *match)
{
	qsort(match->addresses, match->nb_addresses, sizeof(*match->addresses), compare);
}

static bool view_v4(const uint8_t *ip, uint32_t length, struct view *view)
{
	uint32_t header = (uint32_t)(ip[0] & 0x0f) * 4;
	uint32_t words[2];

	if (header < 20 || header > length)
		return false;
	memcpy(words, ip + 12, sizeof(words));
	view->source = weir_address_v4(words[0]);
	view->destination = weir_address_v4(words[1]);
	view->protocol = ip[9];
	// Later fragments carry no ports.
	view->has_ports = ((ip[6] & 0x1f) | ip[7]) == 0;
	view->l4 = header;
	return true;
}

static bool view_v6(const uint8_t *ip, uint32_t length, struct view *view)
{
	uint8_t next = ip[6];
	uint32_t at = 40;

	if (length < 40)
		return false;
	view->source = weir_address_v6(ip + 8);
	view->destination = weir_address_v6(ip + 24);
	view->has_ports = true;
	for (int i = 0; i < MAX_EXTENSIONS && at + 8 <= length; i++) {
		if (next == PROTOCOL_FRAGMENT) {
			view->has_ports =
				view->has_ports && ((ip[at + 2] | (ip[at + 3] & 0xf8)) == 0);
			next = ip[at];
			at += 8;
		} else if (next == 0 || next == 43 || next == 60) {
			next = ip[at];
			at += 8 + (uint32_t)ip[at + 1] * 8;
		} else {
			break;
		}
	}
	view->protocol = next;
	view->l4 = at;
	return true;
}

static bool read_view(const uint8_t *ip, uint32_t length, struct view *view)
{
	bool known = false;

	if (length >= 20 && ip[0] >> 4 == 4)
		known = view_v4(ip, length, view);
	else if (length >= 40 && ip[0] >> 4 == 6)
		known = view_v6(ip, length, view);
	if (!known)
		return false;
	view->has_ports = view->has_ports && view->l4 + 4 <= length &&
			  (view->protocol == WEIR_IP_TCP || view->protocol == WEIR_IP_UDP);
	if (view->has_ports) {
		memcpy(&view->source_port, ip + view->l4, 2);
		memcpy(&view->destination_port, ip + view->l4 + 2, 2);
	}
	return true;
}

static bool under(const struct weir_capture_match *match, const struct weir_address *address)
{
	return ((address->halves[0] ^ match->host.halves[0]) & match->host_mask.halves[0]) == 0 &&
	       ((address->halves[1] ^ match->host.halves[1]) & match->host_mask.halves[1]) == 0;
}

static bool listed(const struct weir_capture_match *match, const struct weir_address *address)
{
	return bsearch(address, match->addresses, match->nb_addresses, sizeof(*address), compare) !=
	       NULL;
}

static bool view_wanted(const struct weir_capture_match *match, const struct view *view)
{
	if (match->ip_protocol != 0 && view->protocol != match->ip_protocol)
		return false;
	if (match->port != 0 && !(view->has_ports && (view->source_port == match->port ||
						      view->destination_port == match->port)))
		return false;
	if (match->has_host && !under(match, &view->source) && !under(match, &view->destination))
		return false;
	return !match->has_addresses || listed(match, &view->source) ||
	       listed(match, &view->destination);
}

// Offset of the packet inside of an encapsulated one; 0: it carries none.
static uint32_t inner_offset(const uint8_t *ip, uint32_t length, const struct view *view)
{
	uint32_t at = view->l4 + UDP_HEADER;

	if (view->protocol == PROTOCOL_IPIP || view->protocol == PROTOCOL_IPV6)
		return view->l4;
	if (view->protocol != WEIR_IP_UDP || !view->has_ports ||
	    view->destination_port != weir_be16(GUE_PORT) || at + GUE_HEADER > length)
		return 0;
	if (ip[at] >> 6 == GUE_VERSION_1)
		return at;
	return at + GUE_HEADER + (uint32_t)(ip[at] & 0x1f) * 4;
}

bool weir_capture_wants(const struct weir_capture_match *match, const uint8_t *frame,
			uint32_t length)
{
	bool everything = match->ip_protocol == 0 && match->port == 0 && !match->has_host &&
			  !match->has_addresses;
	struct view view;

	if (everything || length < WEIR_ETHERNET_HEADER)
		return everything;
	uint32_t type = (uint32_t)frame[12] << 8 | frame[13];
	if (type != WEIR_ETHERTYPE_IPV4 && type != ETHERTYPE_IPV6)
		return false;
	const uint8_t *ip = frame + WEIR_ETHERNET_HEADER;
	uint32_t left = length - WEIR_ETHERNET_HEADER;

	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		if (!read_view(ip, left, &view))
			return false;
		if (view_wanted(match, &view))
			return true;
		uint32_t inner = inner_offset(ip, left, &view);
		if (inner == 0 || inner >= left)
			return false;
		ip += inner;
		left -= inner;
	}
	return false;
}
