// SPDX-License-Identifier: Apache-2.0
//
// Packets that another node of the PoP may know the flow of: ICMP errors, and fragments whose first
// one went elsewhere. They are passed as GUE variant 1 to a port of their own between data
// addresses; what comes in by that port is never passed on, so that no packet circles.

#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "datapath/datapath.h"
#include "datapath/exceptions.h"

// Per worker, of packets, not copies.
enum { PASSES_PER_SECOND = 1000, PASSES_BURST = 200 };
enum { PEER_PORT = 6081, OUTER = sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr) };
enum { OUTER_TTL = 64 };

static bool may_pass(struct weir_worker *worker)
{
	struct weir_token_bucket *bucket = &worker->peer_passes;

	if (bucket->interval == 0)
		weir_token_bucket_init(bucket, rte_get_tsc_hz(), PASSES_PER_SECOND, PASSES_BURST);
	return weir_token_bucket_take(bucket, rte_rdtsc());
}

// Puts the outer headers between a frame's Ethernet header and its packet.
static bool wrap(struct rte_mbuf *mbuf, uint16_t l3_length, const struct weir_address *from,
		 const struct weir_address *to)
{
	uint8_t *frame = (uint8_t *)rte_pktmbuf_prepend(mbuf, OUTER);
	weir_be16_t ethertype = weir_be16(WEIR_ETHERTYPE_IPV4);

	if (frame == NULL)
		return false;
	memcpy(frame + 12, &ethertype, sizeof(ethertype));
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(void *)(frame + WEIR_ETHERNET_HEADER);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
	*ip = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = weir_be16((uint16_t)(l3_length + OUTER)),
		.fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = OUTER_TTL,
		.next_proto_id = WEIR_IP_UDP,
		.src_addr = weir_address_to_v4(from),
		.dst_addr = weir_address_to_v4(to),
	};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*udp = (struct rte_udp_hdr){
		.src_port = weir_be16(PEER_PORT),
		.dst_port = weir_be16(PEER_PORT),
		.dgram_len = weir_be16((uint16_t)(l3_length + sizeof(*udp))),
	};
	return true;
}

static bool send_to(struct weir_worker *worker, const struct weir_config *config,
		    struct rte_mbuf *mbuf, uint16_t l3_length, const struct weir_address *peer)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(mbuf, worker->engine->mbufs, 0,
						 (uint32_t)WEIR_ETHERNET_HEADER + l3_length);

	if (copy == NULL)
		return false;
	if (!wrap(copy, l3_length, &config->node->data_address, peer)) {
		rte_pktmbuf_free(copy);
		return false;
	}
	weir_route_process(worker, config, copy, peer, 0);
	return true;
}

static bool to_all(struct weir_worker *worker, const struct weir_config *config,
		   struct rte_mbuf *mbuf, uint16_t l3_length)
{
	const struct weir_node *node = config->node;
	bool sent = false;

	for (uint32_t i = 0; i < node->nb_peers; i++)
		if (send_to(worker, config, mbuf, l3_length, &node->peers[i]))
			sent = true;
	return sent;
}

// A fragment as large as the port's MTU has no room for the outer headers: it is cut once more.
static bool to_all_in_pieces(struct weir_worker *worker, const struct weir_config *config,
			     const struct rte_mbuf *mbuf)
{
	struct rte_mbuf *pieces[WEIR_SPLIT_MAX];
	struct rte_mbuf *copy = rte_pktmbuf_copy(mbuf, worker->engine->mbufs, 0, UINT32_MAX);
	uint16_t nb = copy != NULL ? weir_ipv4_split(worker, copy,
						     (uint16_t)(config->node->mtu - OUTER), pieces)
				   : 0;

	if (nb == 0)
		rte_pktmbuf_free(copy);
	for (uint16_t i = 0; i < nb; i++) {
		(void)to_all(worker, config, pieces[i],
			     (uint16_t)(rte_pktmbuf_pkt_len(pieces[i]) - WEIR_ETHERNET_HEADER));
		rte_pktmbuf_free(pieces[i]);
	}
	return nb > 0;
}

bool weir_peers_pass(struct weir_worker *worker, const struct weir_config *config,
		     struct rte_mbuf *mbuf, const struct weir_packet *packet)
{
	if (config->node->nb_peers == 0 || (mbuf->ol_flags & WEIR_MBUF_FROM_PEER) != 0 ||
	    !may_pass(worker))
		return false;
	if (packet->l3_length + OUTER <= config->node->mtu)
		return to_all(worker, config, mbuf, packet->l3_length);
	return packet->family == 4 && !packet->dont_fragment &&
	       to_all_in_pieces(worker, config, mbuf);
}

static bool is_peer(const struct weir_node *node, const struct weir_address *address)
{
	for (uint32_t i = 0; i < node->nb_peers; i++)
		if (weir_address_equal(&node->peers[i], address))
			return true;
	return false;
}

bool weir_peers_receive(struct weir_burst *burst, struct rte_mbuf *mbuf,
			const struct weir_packet *packet)
{
	const struct weir_node *node = burst->config->node;
	uint16_t inner = (uint16_t)(packet->l4_offset + sizeof(struct rte_udp_hdr));

	if ((mbuf->ol_flags & WEIR_MBUF_FROM_PEER) != 0 || packet->protocol != WEIR_IP_UDP ||
	    packet->destination_port != weir_be16(PEER_PORT) || packet->fragment ||
	    !is_peer(node, &packet->source) || rte_pktmbuf_data_len(mbuf) <= inner)
		return false;
	bool v6 = *rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, inner) >> 4 == 6;
	weir_be16_t ethertype = weir_be16(v6 ? WEIR_ETHERTYPE_IPV6 : WEIR_ETHERTYPE_IPV4);
	uint8_t addresses[12];

	memcpy(addresses, rte_pktmbuf_mtod(mbuf, const uint8_t *), sizeof(addresses));
	uint8_t *frame = (uint8_t *)rte_pktmbuf_adj(mbuf, (uint16_t)(inner - WEIR_ETHERNET_HEADER));
	memcpy(frame, addresses, sizeof(addresses));
	memcpy(frame + 12, &ethertype, sizeof(ethertype));
	mbuf->ol_flags |= WEIR_MBUF_FROM_PEER;
	struct weir_burst passed = {
		.worker = burst->worker, .config = burst->config, .nb = 1, .mbufs = {mbuf}};
	weir_burst_process(&passed, true);
	return true;
}
