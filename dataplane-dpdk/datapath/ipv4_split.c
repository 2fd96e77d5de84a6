// SPDX-License-Identifier: Apache-2.0

#include <rte_ip.h>
#include <rte_ip_frag.h>

#include "datapath/datapath.h"
#include "datapath/exceptions.h"

static void free_all(struct rte_mbuf **mbufs, uint16_t nb)
{
	for (uint16_t i = 0; i < nb; i++)
		rte_pktmbuf_free(mbufs[i]);
}

// Puts header checksum and Ethernet header on a fragment. Returns false without headroom.
static bool finish(struct rte_mbuf *fragment, const uint8_t *ethernet)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(fragment, struct rte_ipv4_hdr *);

	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	char *head = rte_pktmbuf_prepend(fragment, WEIR_ETHERNET_HEADER);
	if (head == NULL)
		return false;
	memcpy(head, ethernet, WEIR_ETHERNET_HEADER);
	return true;
}

uint16_t weir_ipv4_split(struct weir_worker *worker, struct rte_mbuf *mbuf, uint16_t mtu,
			 struct rte_mbuf *out[WEIR_SPLIT_MAX])
{
	uint8_t ethernet[WEIR_ETHERNET_HEADER];

	memcpy(ethernet, rte_pktmbuf_mtod(mbuf, const uint8_t *), sizeof(ethernet));
	const struct rte_ipv4_hdr *ip =
		rte_pktmbuf_mtod_offset(mbuf, const struct rte_ipv4_hdr *, WEIR_ETHERNET_HEADER);
	// Padding of short frames is not the packet's.
	uint32_t length = WEIR_ETHERNET_HEADER + (uint32_t)rte_be_to_cpu_16(ip->total_length);
	if (length < rte_pktmbuf_pkt_len(mbuf))
		(void)rte_pktmbuf_trim(mbuf, (uint16_t)(rte_pktmbuf_pkt_len(mbuf) - length));
	(void)rte_pktmbuf_adj(mbuf, WEIR_ETHERNET_HEADER);
	// The payload of all fragments but the last is a multiple of 8 bytes.
	uint16_t header = (uint16_t)((ip->version_ihl & 0x0f) * 4);
	uint16_t size = (uint16_t)(((mtu - header) & ~7) + header);
	int nb = rte_ipv4_fragment_copy_nonseg_packet(mbuf, out, WEIR_SPLIT_MAX, size,
						      worker->engine->mbufs);

	for (int i = 0; i < nb; i++) {
		if (!finish(out[i], ethernet)) {
			free_all(out, (uint16_t)nb);
			nb = 0;
		}
	}
	if (nb <= 0) {
		(void)rte_pktmbuf_prepend(mbuf, WEIR_ETHERNET_HEADER);
		return 0;
	}
	rte_pktmbuf_free(mbuf);
	return (uint16_t)nb;
}
