// SPDX-License-Identifier: Apache-2.0
//
// ICMP errors from the path to a member of a tunnel pool. They quote our outer header, and as much
// of the client's packet as their router likes.

#include <rte_udp.h>

#include "datapath/datapath.h"
#include "datapath/exceptions.h"

enum {
	ICMP_HEADER = 8,
	UNREACHABLE_V4 = 3,
	FRAGMENTATION_NEEDED = 4,
	PACKET_TOO_BIG_V6 = 2,
	GUE_FIRST_PORT = 49152,
	IPV4_FLAGS = 6,
	IPV4_DONT_FRAGMENT = 0x40,
};

static bool is_source(const struct weir_node *node, const struct weir_address *address)
{
	enum weir_family family = weir_family_of(address);

	if (weir_node_owns(node, address))
		return true;
	for (uint32_t i = 0; i < node->nb_tunnel_sources[family]; i++)
		if (weir_address_in(address, &node->tunnel_sources[family][i].address,
				    &node->tunnel_sources[family][i].mask))
			return true;
	return false;
}

static bool is_gue(const struct weir_inner *outer)
{
	return outer->protocol == WEIR_IP_UDP && outer->l4_quoted >= sizeof(struct rte_udp_hdr) &&
	       weir_host16(outer->source_port) >= GUE_FIRST_PORT;
}

bool weir_tunnel_sent(const struct weir_node *node, const struct weir_inner *inner)
{
	return (inner->protocol == WEIR_IP_IPIP || inner->protocol == WEIR_IP_IPV6 ||
		is_gue(inner)) &&
	       is_source(node, &inner->source);
}

// The MTU that the error tells; 0: it is about something else.
static uint32_t told_mtu(const uint8_t *icmp, uint8_t family)
{
	uint32_t word;

	memcpy(&word, icmp + 4, sizeof(word));
	word = weir_host32(word);
	if (family == 6)
		return icmp[0] == PACKET_TOO_BIG_V6 ? word : 0;
	if (icmp[0] != UNREACHABLE_V4 || icmp[1] != FRAGMENTATION_NEEDED)
		return 0;
	// Routers older than RFC 1191 tell no MTU: it becomes the least.
	return (word & 0xffff) != 0 ? word & 0xffff : 1;
}

// Tells the client, when enough of its packet is quoted to know it, and it must not be cut.
static void tell_client(struct weir_worker *worker, const struct weir_config *config,
			const uint8_t *ip, uint32_t length, uint16_t mtu)
{
	struct weir_inner inner;

	if (weir_inner_parse(ip, length, &inner) != WEIR_INNER_PORTS ||
	    (inner.family == 4 && (ip[IPV4_FLAGS] & IPV4_DONT_FRAGMENT) == 0))
		return;
	const struct weir_vip_slot *vip = weir_config_vip(config, &inner.destination);
	if (vip != NULL && vip->lb != NULL)
		weir_icmp_send_too_big(worker, config, ip, (uint16_t)length, mtu, vip->lb->lb_id);
}

void weir_tunnel_error_process(struct weir_burst *burst, struct rte_mbuf *mbuf,
			       const struct weir_packet *packet, const struct weir_inner *outer)
{
	struct weir_worker *worker = burst->worker;
	const uint8_t *icmp = rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, packet->l4_offset);
	uint32_t told = told_mtu(icmp, packet->family);
	uint32_t gue = outer->protocol == WEIR_IP_UDP ? sizeof(struct rte_udp_hdr) : 0;
	uint32_t overhead = gue + (outer->family == 6 ? WEIR_IPV6_HEADER : WEIR_IPV4_HEADER);
	const uint8_t *ip = icmp + ICMP_HEADER + outer->l4_offset + gue;

	if (told == 0) {
		weir_drop(worker, mbuf, 0, WEIR_DROP_ICMP_UNSUPPORTED);
		return;
	}
	uint16_t mtu =
		weir_path_mtu_learn(&worker->engine->path_mtus, &outer->destination,
				    (uint16_t)RTE_MIN(told, (uint32_t)UINT16_MAX), worker->now);
	tell_client(worker, burst->config, ip, outer->l4_quoted - gue, (uint16_t)(mtu - overhead));
	rte_pktmbuf_free(mbuf);
}
