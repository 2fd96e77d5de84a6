// SPDX-License-Identifier: Apache-2.0

#include "lib/ndp.h"

#include <errno.h>
#include <string.h>

#include "lib/checksum.h"

enum {
	MESSAGE = 24,
	MESSAGE_WITH_MAC = 32,
	HOP_LIMIT = 255, // nothing from beyond the link has it
	OPTION_SOURCE_MAC = 1,
	OPTION_TARGET_MAC = 2,
	MULTICAST = 0xff,
};

const struct weir_address weir_all_nodes = {.bytes = {0xff, 0x02, [15] = 1}};

struct weir_address weir_solicited_node(const struct weir_address *address)
{
	struct weir_address group = {.bytes = {0xff, 0x02, [11] = 1, 0xff}};

	memcpy(group.bytes + 13, address->bytes + 13, 3);
	return group;
}

void weir_multicast_mac(const struct weir_address *group, uint8_t mac[6])
{
	mac[0] = 0x33;
	mac[1] = 0x33;
	memcpy(mac + 2, group->bytes + 12, 4);
}

// Looks for the option with a MAC address. Returns -EBADMSG for options that end beyond the
// message, or nowhere.
static int read_options(const uint8_t *options, uint32_t length, uint8_t wanted,
			struct weir_ndp *ndp)
{
	for (uint32_t at = 0; at < length;) {
		if (length - at < 8 || options[at + 1] == 0)
			return -EBADMSG;
		uint32_t size = (uint32_t)options[at + 1] * 8;
		if (size > length - at)
			return -EBADMSG;
		if (options[at] == wanted) {
			ndp->has_mac = true;
			memcpy(ndp->mac, options + at + 2, sizeof(ndp->mac));
		}
		at += size;
	}
	return 0;
}

static bool sound(const uint8_t *icmp, const struct weir_packet *packet)
{
	return packet->ttl == HOP_LIMIT && !packet->fragment && packet->l4_length >= MESSAGE &&
	       icmp[1] == 0 &&
	       weir_checksum_transport(&packet->source, &packet->destination, WEIR_IP_ICMPV6, icmp,
				       packet->l4_length) == 0xffff;
}

int weir_ndp_read(const uint8_t *frame, const struct weir_packet *packet, struct weir_ndp *ndp)
{
	const uint8_t *icmp = frame + packet->l4_offset;

	memset(ndp, 0, sizeof(*ndp));
	if (!sound(icmp, packet))
		return -EBADMSG;
	ndp->type = icmp[0];
	ndp->flags = icmp[4];
	ndp->source = packet->source;
	ndp->destination = packet->destination;
	ndp->target = weir_address_v6(icmp + 8);
	bool solicit = ndp->type == WEIR_NDP_SOLICIT;
	if ((!solicit && ndp->type != WEIR_NDP_ADVERTISE) || ndp->target.bytes[0] == MULTICAST)
		return -EBADMSG;
	if (read_options(icmp + MESSAGE, packet->l4_length - MESSAGE,
			 solicit ? OPTION_SOURCE_MAC : OPTION_TARGET_MAC, ndp) != 0)
		return -EBADMSG;
	// Who has no address yet may not be answered at one; answers to all are not asked for.
	if (solicit && weir_address_is_none(&ndp->source) && ndp->has_mac)
		return -EBADMSG;
	if (!solicit && (ndp->flags & WEIR_NDP_SOLICITED) && ndp->destination.bytes[0] == MULTICAST)
		return -EBADMSG;
	return 0;
}

void weir_ndp_write(uint8_t *frame, const uint8_t from_mac[6], const uint8_t to_mac[6],
		    const struct weir_ndp *ndp)
{
	uint8_t *ip = frame + WEIR_ETHERNET_HEADER;
	uint8_t *icmp = ip + WEIR_IPV6_HEADER;

	memset(frame, 0, WEIR_NDP_FRAME);
	memcpy(frame, to_mac, 6);
	memcpy(frame + 6, from_mac, 6);
	frame[12] = WEIR_ETHERTYPE_IPV6 >> 8;
	frame[13] = WEIR_ETHERTYPE_IPV6 & 0xff;
	ip[0] = 0x60;
	ip[5] = MESSAGE_WITH_MAC;
	ip[6] = WEIR_IP_ICMPV6;
	ip[7] = HOP_LIMIT;
	memcpy(ip + 8, &ndp->source, 16);
	memcpy(ip + 24, &ndp->destination, 16);
	icmp[0] = ndp->type;
	icmp[4] = ndp->flags;
	memcpy(icmp + 8, &ndp->target, 16);
	icmp[MESSAGE] = ndp->type == WEIR_NDP_SOLICIT ? OPTION_SOURCE_MAC : OPTION_TARGET_MAC;
	icmp[MESSAGE + 1] = 1;
	memcpy(icmp + MESSAGE + 2, from_mac, 6);
	uint16_t sum = (uint16_t)~weir_checksum_transport(&ndp->source, &ndp->destination,
							  WEIR_IP_ICMPV6, icmp, MESSAGE_WITH_MAC);
	memcpy(icmp + 2, &sum, sizeof(sum));
}
