// SPDX-License-Identifier: Apache-2.0
//
// Ends TCP flows on purpose: at a drain deadline, when a member turned unhealthy, when idle.
//
// A RST is only taken with the very sequence number that its receiver expects (RFC 5961), which no
// entry knows. So the engine asks first: it sends an ACK with numbers out of any window, which the
// receiver answers with its own numbers (RFC 9293, 3.10.7.4). That answer, or whatever else the
// side sends, is answered with a RST that carries the acknowledged number. Nothing has to be stored
// per flow, and nothing be guessed.

#include "datapath/datapath.h"
#include "lib/checksum.h"

enum { TCP_HEADER = 20, IPV4_HEADER = 20, IPV6_HEADER = 40, TTL = 64, CONDEMNED_S = 10 };

struct segment {
	struct weir_tuple tuple;
	uint32_t sequence; // host order
	uint32_t acknowledgement;
	uint8_t flags;
};

static void put16(uint8_t *at, uint16_t host)
{
	weir_be16_t be = weir_be16(host);

	memcpy(at, &be, sizeof(be));
}

static void put32(uint8_t *at, uint32_t host)
{
	weir_be32_t be = weir_be32(host);

	memcpy(at, &be, sizeof(be));
}

static uint16_t write_ip(uint8_t *ip, const struct weir_tuple *tuple)
{
	memset(ip, 0, IPV6_HEADER);
	if (!weir_address_is_v4(&tuple->source)) {
		ip[0] = 6 << 4;
		put16(ip + 4, TCP_HEADER);
		ip[6] = WEIR_IP_TCP;
		ip[7] = TTL;
		memcpy(ip + 8, &tuple->source, 16);
		memcpy(ip + 24, &tuple->destination, 16);
		return IPV6_HEADER;
	}
	ip[0] = 0x45;
	put16(ip + 2, IPV4_HEADER + TCP_HEADER);
	ip[6] = 0x40; // don't fragment
	ip[8] = TTL;
	ip[9] = WEIR_IP_TCP;
	memcpy(ip + 12, &tuple->source.words[3], 4);
	memcpy(ip + 16, &tuple->destination.words[3], 4);
	uint16_t sum = weir_checksum(ip, IPV4_HEADER);
	memcpy(ip + 10, &sum, sizeof(sum));
	return IPV4_HEADER;
}

static void write_tcp(uint8_t *tcp, const struct segment *segment)
{
	const struct weir_tuple *tuple = &segment->tuple;

	memset(tcp, 0, TCP_HEADER);
	memcpy(tcp, &tuple->source_port, 2);
	memcpy(tcp + 2, &tuple->destination_port, 2);
	put32(tcp + 4, segment->sequence);
	put32(tcp + 8, segment->acknowledgement);
	tcp[12] = (TCP_HEADER / 4) << 4;
	tcp[13] = segment->flags;
	uint16_t sum = (uint16_t)~weir_checksum_transport(&tuple->source, &tuple->destination,
							  WEIR_IP_TCP, tcp, TCP_HEADER);
	memcpy(tcp + 16, &sum, sizeof(sum));
}

static void send_segment(struct weir_worker *worker, const struct weir_config *config,
			 const struct segment *segment, uint32_t lb_id)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->engine->mbufs);
	bool v4 = weir_address_is_v4(&segment->tuple.source);

	if (mbuf == NULL)
		return; // the side learns of it by its next packet
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	put16(frame + 12, v4 ? 0x0800 : 0x86dd);
	uint16_t header = write_ip(frame + WEIR_ETHERNET_HEADER, &segment->tuple);
	write_tcp(frame + WEIR_ETHERNET_HEADER + header, segment);
	// Never NULL: it fits the first segment by far.
	(void)rte_pktmbuf_append(mbuf, (uint16_t)(WEIR_ETHERNET_HEADER + header + TCP_HEADER));
	weir_route_process(worker, config, mbuf, &segment->tuple.destination, lb_id);
}

static struct weir_tuple turned(const struct weir_tuple *tuple)
{
	return (struct weir_tuple){
		.source = tuple->destination,
		.destination = tuple->source,
		.source_port = tuple->destination_port,
		.destination_port = tuple->source_port,
		.protocol = tuple->protocol,
	};
}

static void ask(struct weir_worker *worker, const struct weir_config *config,
		const struct weir_flow *flow, enum weir_direction side, uint32_t lb_id)
{
	struct weir_tuple from_side = weir_flow_tuple(flow, side);
	struct segment segment = {
		.tuple = turned(&from_side),
		.sequence = weir_random32(worker),
		.acknowledgement = weir_random32(worker),
		.flags = WEIR_TCP_ACK,
	};

	send_segment(worker, config, &segment, lb_id);
}

bool weir_flow_condemn(struct weir_worker *worker, struct weir_flow *flow, enum weir_flow_end end)
{
	const struct weir_config *config =
		atomic_load_explicit(&worker->engine->config, memory_order_acquire);
	uint32_t lb_id = weir_flow_target(&worker->engine->file, flow)->lb_id;

	if (flow->protocol != WEIR_IP_TCP || weir_flow_state_over(flow->state) ||
	    (flow->flags & WEIR_FLOW_CONDEMNED) || config == NULL || config->node == NULL)
		return false;
	if (flow->state == WEIR_FLOW_SYN_SENT)
		weir_flow_answered(worker, flow);
	weir_flow_ended(worker, flow, end);
	flow->flags |= WEIR_FLOW_CONDEMNED;
	// A new SYN may take the tuple over; nothing revives the flow any more.
	atomic_store_explicit(&flow->state, WEIR_FLOW_RESET_CLIENT, memory_order_relaxed);
	flow->expires = worker->now + CONDEMNED_S * WEIR_TICKS_PER_SECOND;
	ask(worker, config, flow, WEIR_FROM_CLIENT, lb_id);
	// Direct members are not ours to speak to: their packets do not pass here.
	if (weir_flow_is_nat(flow->flow_class))
		ask(worker, config, flow, WEIR_FROM_MEMBER, lb_id);
	return true;
}

void weir_reset_process(struct weir_burst *burst, struct rte_mbuf *mbuf,
			const struct weir_packet *packet, const struct weir_flow *flow)
{
	const uint8_t *tcp = rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, packet->l4_offset);
	uint32_t lb_id = weir_flow_target(&burst->worker->engine->file, flow)->lb_id;
	weir_be32_t sequence;
	weir_be32_t acknowledgement;

	memcpy(&sequence, tcp + 4, sizeof(sequence));
	memcpy(&acknowledgement, tcp + 8, sizeof(acknowledgement));
	if (!(packet->tcp_flags & WEIR_TCP_RST)) {
		struct segment segment = {
			.tuple = {.source = packet->destination,
				  .destination = packet->source,
				  .source_port = packet->destination_port,
				  .destination_port = packet->source_port,
				  .protocol = WEIR_IP_TCP},
			.sequence = weir_host32(acknowledgement),
			.flags = WEIR_TCP_RST,
		};

		// RFC 9293, 3.10.7.1: what acknowledges nothing is itself acknowledged.
		if (!(packet->tcp_flags & WEIR_TCP_ACK)) {
			segment.sequence = 0;
			segment.acknowledgement = weir_host32(sequence) + packet->l4_length -
						  (uint32_t)(tcp[12] >> 4) * 4 +
						  !!(packet->tcp_flags & WEIR_TCP_SYN) +
						  !!(packet->tcp_flags & WEIR_TCP_FIN);
			segment.flags = WEIR_TCP_RST | WEIR_TCP_ACK;
		}
		send_segment(burst->worker, burst->config, &segment, lb_id);
	}
	weir_drop(burst->worker, mbuf, lb_id, WEIR_DROP_FLOW_RESET);
}
