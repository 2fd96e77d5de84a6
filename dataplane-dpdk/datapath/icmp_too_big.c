// SPDX-License-Identifier: Apache-2.0

#include <rte_cycles.h>

#include "datapath/datapath.h"
#include "datapath/exceptions.h"
#include "lib/icmp_build.h"

// Per worker. A sender that heeds the first error sends no second packet that is too big.
enum { ERRORS_PER_SECOND = 1000, ERRORS_BURST = 200 };

static bool may_send(struct weir_worker *worker)
{
	struct weir_token_bucket *bucket = &worker->icmp_errors;

	if (bucket->interval == 0)
		weir_token_bucket_init(bucket, rte_get_tsc_hz(), ERRORS_PER_SECOND, ERRORS_BURST);
	return weir_token_bucket_take(bucket, rte_rdtsc());
}

static struct weir_address client_of(const uint8_t *ip)
{
	weir_be32_t v4;

	if (ip[0] >> 4 == 6)
		return weir_address_v6(ip + 8);
	memcpy(&v4, ip + 12, sizeof(v4));
	return weir_address_v4(v4);
}

void weir_icmp_send_too_big(struct weir_worker *worker, const struct weir_config *config,
			    const uint8_t *ip, uint16_t length, uint16_t mtu, uint32_t lb_id)
{
	bool v6 = ip[0] >> 4 == 6;
	struct weir_address client = client_of(ip);

	if (!may_send(worker))
		return;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->engine->mbufs);
	if (mbuf == NULL)
		return;
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	uint8_t *out = frame + WEIR_ETHERNET_HEADER;
	weir_be16_t ethertype = weir_be16(v6 ? WEIR_ETHERTYPE_IPV6 : WEIR_ETHERTYPE_IPV4);
	uint16_t total = v6 ? weir_icmp_packet_too_big(out, ip, length, mtu)
			    : weir_icmp_fragmentation_needed(out, ip, length, mtu);

	memcpy(frame + 12, &ethertype, sizeof(ethertype));
	// Never NULL: the largest error fits the first segment by far.
	(void)rte_pktmbuf_append(mbuf, (uint16_t)(WEIR_ETHERNET_HEADER + total));
	weir_route_process(worker, config, mbuf, &client, lb_id);
}

void weir_icmp_too_big(struct weir_worker *worker, const struct weir_config *config,
		       struct rte_mbuf *mbuf, const struct weir_packet *packet, uint16_t mtu,
		       uint32_t lb_id)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, WEIR_ETHERNET_HEADER);

	// Never about another error.
	if (packet->protocol == WEIR_IP_TCP || packet->protocol == WEIR_IP_UDP)
		weir_icmp_send_too_big(worker, config, ip, packet->l3_length, mtu, lb_id);
	weir_drop(worker, mbuf, lb_id, WEIR_DROP_MTU_EXCEEDED);
}
