// SPDX-License-Identifier: Apache-2.0

#include "datapath/datapath.h"
#include "datapath/exceptions.h"

static enum weir_drop_reason parse_drop(enum weir_parse_result result)
{
	switch (result) {
	case WEIR_PARSE_OTHER_ETHERTYPE:
		return WEIR_DROP_NOT_IPV4;
	case WEIR_PARSE_OTHER_PROTOCOL:
		return WEIR_DROP_PROTOCOL_UNSUPPORTED;
	case WEIR_PARSE_TRUNCATED:
		return WEIR_DROP_TRUNCATED;
	case WEIR_PARSE_BAD_HEADER:
	case WEIR_PARSE_FRAGMENT:
	case WEIR_PARSE_L4:
	case WEIR_PARSE_ICMP:
	case WEIR_PARSE_ARP:
	case WEIR_PARSE_NDP:
		break;
	}
	return WEIR_DROP_BAD_HEADER;
}

// IPv6 groups matter to neighbour discovery alone, which looks at what is asked for.
static inline bool for_us(const struct weir_worker *worker, const struct rte_mbuf *mbuf,
			  enum weir_parse_result result)
{
	const struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(mbuf, const struct rte_ether_hdr *);

	return rte_is_same_ether_addr(&ethernet->dst_addr, &worker->engine->mac) ||
	       rte_is_broadcast_ether_addr(&ethernet->dst_addr) ||
	       (result == WEIR_PARSE_NDP && rte_is_multicast_ether_addr(&ethernet->dst_addr));
}

void weir_parse_process(struct weir_burst *burst)
{
	struct weir_worker *worker = burst->worker;
	struct weir_icmp_burst icmp;
	uint16_t kept = 0;

	icmp.nb = 0;
	for (uint16_t i = 0; i < burst->nb; i++) {
		struct rte_mbuf *mbuf = burst->mbufs[i];
		struct weir_packet *packet = &burst->packets[kept];

		if (i + 2 < burst->nb)
			rte_prefetch0(rte_pktmbuf_mtod(burst->mbufs[i + 2], void *));
		enum weir_parse_result result =
			weir_packet_parse(rte_pktmbuf_mtod(mbuf, const uint8_t *),
					  rte_pktmbuf_data_len(mbuf), packet);
		if (rte_pktmbuf_data_len(mbuf) >= RTE_ETHER_HDR_LEN &&
		    !for_us(worker, mbuf, result)) {
			weir_drop(worker, mbuf, 0, WEIR_DROP_NOT_FOR_US);
			continue;
		}
		if (result == WEIR_PARSE_L4 ||
		    (result == WEIR_PARSE_FRAGMENT && weir_fragment_process(burst, mbuf, packet)))
			burst->mbufs[kept++] = mbuf;
		else if (result == WEIR_PARSE_ARP)
			weir_arp_process(burst, mbuf);
		else if (result == WEIR_PARSE_NDP)
			weir_ndp_process(burst, mbuf, packet);
		else if (result == WEIR_PARSE_ICMP)
			weir_icmp_defer(&icmp, mbuf, packet);
		else if (result != WEIR_PARSE_FRAGMENT)
			weir_drop(worker, mbuf, 0, parse_drop(result));
	}
	burst->nb = kept;
	if (icmp.nb > 0)
		weir_icmp_process(burst, &icmp);
}
