// SPDX-License-Identifier: Apache-2.0
//
// Probes, sent and answered by the engine itself along the data path: a SYN from the data address,
// and a RST once the member has answered, or a datagram. Under dsr and tunnel they go to the VIP,
// in a frame or a tunnel to the member, which answers from the VIP. Rise and fall are the agent's
// business.

#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "control/control.h"
#include "datapath/datapath.h"
#include "lib/checksum.h"
#include "main/log.h"

enum { TCP_HEADER = 20, TCP_HEADER_MSS = 24, PROBE_MSS = 1460, PROBE_TTL = 64, WINDOW = 64240 };

static void send_result(struct weir_connection *connection, uint64_t probe_id,
			Weir__V1__ProbeOutcome outcome, uint32_t rtt_us)
{
	Weir__V1__ProbeResult result = WEIR__V1__PROBE_RESULT__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;

	result.probe_id = probe_id;
	result.outcome = outcome;
	result.rtt_us = rtt_us;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_PROBE_RESULT;
	message.probe_result = &result;
	weir_api_send(connection, &message);
}

static void finish(struct weir_control *control, struct weir_probe *probe,
		   Weir__V1__ProbeOutcome outcome, uint32_t rtt_us)
{
	send_result(probe->connection, probe->probe_id, outcome, rtt_us);
	probe->used = false;
	control->nb_probes--;
}

static void fill_ip(uint8_t *ip, const struct weir_probe *probe, uint16_t l4_length)
{
	if (weir_address_is_v4(&probe->target_address)) {
		struct rte_ipv4_hdr *v4 = (void *)ip;

		*v4 = (struct rte_ipv4_hdr){
			.version_ihl = 0x45,
			.total_length = weir_be16((uint16_t)(sizeof(*v4) + l4_length)),
			.fragment_offset = weir_be16(RTE_IPV4_HDR_DF_FLAG),
			.time_to_live = PROBE_TTL,
			.next_proto_id = probe->protocol,
			.src_addr = weir_address_to_v4(&probe->own_address),
			.dst_addr = weir_address_to_v4(&probe->target_address),
		};
		v4->hdr_checksum = weir_checksum(v4, sizeof(*v4));
	} else {
		struct rte_ipv6_hdr *v6 = (void *)ip;

		v6->vtc_flow = weir_be32(UINT32_C(6) << 28);
		v6->payload_len = weir_be16(l4_length);
		v6->proto = probe->protocol;
		v6->hop_limits = PROBE_TTL;
		memcpy(v6->src_addr, &probe->own_address, sizeof(v6->src_addr));
		memcpy(v6->dst_addr, &probe->target_address, sizeof(v6->dst_addr));
	}
}

static uint16_t fill_tcp(uint8_t *l4, const struct weir_probe *probe, uint8_t flags,
			 uint32_t sequence)
{
	struct rte_tcp_hdr *tcp = (void *)l4;
	uint16_t length = flags & WEIR_TCP_SYN ? TCP_HEADER_MSS : TCP_HEADER;

	memset(tcp, 0, length);
	tcp->src_port = probe->source_port;
	tcp->dst_port = probe->member_port;
	tcp->sent_seq = weir_be32(sequence);
	tcp->data_off = (uint8_t)((length / 4) << 4);
	tcp->tcp_flags = flags;
	if (flags & WEIR_TCP_SYN) {
		uint8_t *option = (uint8_t *)(tcp + 1);

		tcp->rx_win = weir_be16(WINDOW);
		option[0] = 2;
		option[1] = 4;
		option[2] = PROBE_MSS >> 8;
		option[3] = PROBE_MSS & 0xff;
	}
	tcp->cksum = (uint16_t)~weir_checksum_transport(&probe->own_address, &probe->target_address,
							WEIR_IP_TCP, tcp, length);
	return length;
}

static uint16_t fill_udp(uint8_t *l4, const struct weir_probe *probe, const void *payload,
			 uint16_t payload_length)
{
	struct rte_udp_hdr *udp = (void *)l4;
	uint16_t length = (uint16_t)(sizeof(*udp) + payload_length);

	*udp = (struct rte_udp_hdr){.src_port = probe->source_port,
				    .dst_port = probe->member_port,
				    .dgram_len = weir_be16(length)};
	if (payload_length > 0)
		memcpy(udp + 1, payload, payload_length);
	uint16_t sum = (uint16_t)~weir_checksum_transport(
		&probe->own_address, &probe->target_address, WEIR_IP_UDP, udp, length);
	udp->dgram_cksum = sum != 0 ? sum : UINT16_MAX;
	return length;
}

static const struct weir_address *next_hop_of(const struct weir_control *control,
					      const struct weir_probe *probe)
{
	const struct weir_route *route = weir_config_route(control->node, &probe->member_address);

	if (route == NULL)
		return NULL;
	if (weir_address_is_none(&route->next_hop))
		return &probe->member_address;
	// Under dsr no router can bring it to the member.
	return probe->target.mode == WEIR_MODE_DSR ? NULL : &route->next_hop;
}

// Sends what fill_tcp() or fill_udp() wrote behind the room for the headers of `mbuf`.
static void send_packet(struct weir_control *control, const struct weir_probe *probe,
			struct rte_mbuf *mbuf, uint16_t l4_length)
{
	const struct weir_address *next_hop = next_hop_of(control, probe);
	bool v4 = weir_address_is_v4(&probe->target_address);
	uint16_t header = v4 ? WEIR_IPV4_HEADER : WEIR_IPV6_HEADER;
	weir_be16_t ethertype = weir_be16(v4 ? WEIR_ETHERTYPE_IPV4 : WEIR_ETHERTYPE_IPV6);
	uint8_t *frame = (uint8_t *)rte_pktmbuf_append(
		mbuf, (uint16_t)(WEIR_ETHERNET_HEADER + header + l4_length));
	struct weir_packet packet;

	memcpy(frame + 12, &ethertype, sizeof(ethertype));
	fill_ip(frame + WEIR_ETHERNET_HEADER, probe, l4_length);
	if (next_hop == NULL ||
	    weir_packet_parse(frame, rte_pktmbuf_data_len(mbuf), &packet) != WEIR_PARSE_L4) {
		rte_pktmbuf_free(mbuf);
		return;
	}
	if (probe->target.mode == WEIR_MODE_TUNNEL)
		weir_direct_wrap(control->node, mbuf, &packet, &probe->target);
	weir_arp_resolve(control, mbuf, next_hop, 0);
}

static uint8_t *l4_of(struct rte_mbuf *mbuf, const struct weir_probe *probe)
{
	return rte_pktmbuf_mtod_offset(mbuf, uint8_t *,
				       WEIR_ETHERNET_HEADER +
					       (weir_address_is_v4(&probe->target_address)
							? WEIR_IPV4_HEADER
							: WEIR_IPV6_HEADER));
}

static void send_segment(struct weir_control *control, const struct weir_probe *probe,
			 uint8_t flags, uint32_t sequence)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(control->engine->mbufs);

	if (mbuf != NULL)
		send_packet(control, probe, mbuf,
			    fill_tcp(l4_of(mbuf, probe), probe, flags, sequence));
}

static void send_datagram(struct weir_control *control, const struct weir_probe *probe,
			  const ProtobufCBinaryData *payload)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(control->engine->mbufs);

	if (mbuf != NULL)
		send_packet(
			control, probe, mbuf,
			fill_udp(l4_of(mbuf, probe), probe, payload->data, (uint16_t)payload->len));
}

static bool port_in_use(const struct weir_control *control, weir_be16_t port)
{
	for (uint32_t i = 0; i < WEIR_MAX_PROBES; i++)
		if (control->probes[i].used && control->probes[i].source_port == port)
			return true;
	return false;
}

static struct weir_probe *take_probe(struct weir_control *control)
{
	if (control->nb_probes == WEIR_MAX_PROBES)
		return NULL;
	weir_be16_t port;
	do {
		control->next_probe_port = (control->next_probe_port + 1) % WEIR_PROBE_PORTS;
		port = weir_be16((uint16_t)(WEIR_PROBE_FIRST_PORT + control->next_probe_port));
	} while (port_in_use(control, port));
	for (uint32_t i = 0; i < WEIR_MAX_PROBES; i++) {
		struct weir_probe *probe = &control->probes[i];

		if (probe->used)
			continue;
		*probe = (struct weir_probe){.used = true, .source_port = port};
		control->nb_probes++;
		return probe;
	}
	return NULL;
}

// How packets of the VIP's load balancer reach the member. Returns false if none does.
static bool find_tunnel(const struct weir_control *control, struct weir_probe *probe)
{
	const struct weir_config *config = atomic_load(&control->engine->config);
	const struct weir_vip_slot *vip = weir_config_vip(config, &probe->target_address);

	for (uint32_t p = 0; vip != NULL && vip->lb != NULL && p < vip->lb->nb_pools; p++) {
		const struct weir_pool *pool = &vip->lb->pools[p];

		for (uint32_t b = 0; pool->mode == WEIR_MODE_TUNNEL && b < pool->nb_backends; b++) {
			if (!weir_address_equal(&pool->backends[b].address, &probe->member_address))
				continue;
			probe->target.encapsulation = pool->encapsulation;
			probe->target.tunnel_port = pool->tunnel_port;
			return true;
		}
	}
	return false;
}

// Reads addresses and mode. Returns false for a request that can't be served.
static bool read_target(const struct weir_control *control, struct weir_probe *probe,
			const Weir__V1__ProbeRequest *request)
{
	struct weir_reject reject;
	bool direct = request->forwarding_mode == WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_DSR ||
		      request->forwarding_mode == WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_TUNNEL;

	if (weir_copy_address(&probe->member_address, &request->member_address, "a member",
			      &reject) != 0)
		return false;
	probe->target_address = probe->member_address;
	if (direct &&
	    weir_copy_address(&probe->target_address, &request->vip_address, "a VIP", &reject) != 0)
		return false;
	probe->own_address = weir_address_is_v4(&probe->target_address)
				     ? control->node->data_address
				     : control->node->data_address_v6;
	if (weir_address_is_none(&probe->own_address))
		return false;
	probe->target.member_address = probe->member_address;
	if (request->forwarding_mode == WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_DSR)
		probe->target.mode = WEIR_MODE_DSR;
	if (request->forwarding_mode != WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_TUNNEL)
		return true;
	probe->target.mode = WEIR_MODE_TUNNEL;
	bool reachable = weir_address_is_v4(&probe->member_address) ||
			 !weir_address_is_none(&control->node->data_address_v6);
	return reachable && find_tunnel(control, probe);
}

static bool sound(const Weir__V1__ProbeRequest *request)
{
	return (request->type == WEIR__V1__PROBE_TYPE__PROBE_TYPE_TCP_CONNECT ||
		request->type == WEIR__V1__PROBE_TYPE__PROBE_TYPE_UDP) &&
	       request->member_port >= 1 && request->member_port <= 65535 &&
	       request->udp_send.len <= WEIR_PROBE_PAYLOAD &&
	       request->udp_expect.len <= WEIR_PROBE_PAYLOAD;
}

void weir_probe_start(struct weir_control *control, struct weir_connection *connection,
		      const Weir__V1__ProbeRequest *request)
{
	bool udp = request->type == WEIR__V1__PROBE_TYPE__PROBE_TYPE_UDP;
	struct weir_probe *probe =
		control->node != NULL && sound(request) ? take_probe(control) : NULL;

	if (probe == NULL) {
		send_result(connection, request->probe_id,
			    WEIR__V1__PROBE_OUTCOME__PROBE_OUTCOME_BUSY, 0);
		return;
	}
	probe->probe_id = request->probe_id;
	probe->connection = connection;
	probe->protocol = udp ? WEIR_IP_UDP : WEIR_IP_TCP;
	probe->member_port = weir_be16((uint16_t)request->member_port);
	probe->sequence = (uint32_t)random() << 1;
	probe->expect_length = (uint16_t)request->udp_expect.len;
	if (udp && probe->expect_length > 0)
		memcpy(probe->expect, request->udp_expect.data, probe->expect_length);
	uint32_t timeout_ms = request->timeout_ms != 0 ? request->timeout_ms : 1000;
	probe->deadline_us = weir_boot_us() + (int64_t)timeout_ms * 1000;
	if (!read_target(control, probe, request)) {
		finish(control, probe, WEIR__V1__PROBE_OUTCOME__PROBE_OUTCOME_BUSY, 0);
		return;
	}
	if (next_hop_of(control, probe) == NULL) {
		finish(control, probe, WEIR__V1__PROBE_OUTCOME__PROBE_OUTCOME_UNREACHABLE, 0);
		return;
	}
	probe->sent_tsc = rte_rdtsc();
	if (udp)
		send_datagram(control, probe, &request->udp_send);
	else
		send_segment(control, probe, WEIR_TCP_SYN, probe->sequence);
}

// The probe of an answer: from where it was sent to, be that the member or the VIP.
static struct weir_probe *find_probe(struct weir_control *control,
				     const struct weir_address *target, uint8_t protocol,
				     weir_be16_t member_port, weir_be16_t own_port)
{
	for (uint32_t i = 0; i < WEIR_MAX_PROBES; i++) {
		struct weir_probe *probe = &control->probes[i];

		if (probe->used && probe->source_port == own_port &&
		    probe->member_port == member_port && probe->protocol == protocol &&
		    weir_address_equal(&probe->target_address, target))
			return probe;
	}
	return NULL;
}

static uint32_t rtt_of(const struct weir_probe *probe, uint64_t received_tsc)
{
	uint64_t cycles = received_tsc > probe->sent_tsc ? received_tsc - probe->sent_tsc : 0;

	return (uint32_t)(cycles * 1000000 / rte_get_tsc_hz());
}

static void tcp_input(struct weir_control *control, const uint8_t *frame,
		      const struct weir_packet *packet, uint64_t received_tsc)
{
	struct rte_tcp_hdr tcp;
	struct weir_probe *probe = find_probe(control, &packet->source, WEIR_IP_TCP,
					      packet->source_port, packet->destination_port);

	memcpy(&tcp, frame + packet->l4_offset, sizeof(tcp));
	if (probe == NULL || !weir_packet_checksum_ok(frame, packet) ||
	    weir_host32(tcp.recv_ack) != probe->sequence + 1)
		return;
	const uint8_t syn_ack = WEIR_TCP_SYN | WEIR_TCP_ACK;
	if (tcp.tcp_flags & WEIR_TCP_RST) {
		finish(control, probe, WEIR__V1__PROBE_OUTCOME__PROBE_OUTCOME_REFUSED,
		       rtt_of(probe, received_tsc));
	} else if ((tcp.tcp_flags & syn_ack) == syn_ack) {
		send_segment(control, probe, WEIR_TCP_RST, probe->sequence + 1);
		finish(control, probe, WEIR__V1__PROBE_OUTCOME__PROBE_OUTCOME_CONNECTED,
		       rtt_of(probe, received_tsc));
	}
}

static void udp_input(struct weir_control *control, const uint8_t *frame,
		      const struct weir_packet *packet, uint64_t received_tsc)
{
	const uint8_t *payload = frame + packet->l4_offset + sizeof(struct rte_udp_hdr);
	struct weir_probe *probe = find_probe(control, &packet->source, WEIR_IP_UDP,
					      packet->source_port, packet->destination_port);
	struct rte_udp_hdr udp;

	memcpy(&udp, frame + packet->l4_offset, sizeof(udp));
	if (probe == NULL || !weir_packet_checksum_ok(frame, packet))
		return;
	uint32_t length = weir_host16(udp.dgram_len) - (uint32_t)sizeof(udp);
	if (length < probe->expect_length ||
	    memcmp(payload, probe->expect, probe->expect_length) != 0)
		return; // another answer may come yet
	finish(control, probe, WEIR__V1__PROBE_OUTCOME__PROBE_OUTCOME_CONNECTED,
	       rtt_of(probe, received_tsc));
}

// What an ICMP error is about: the packet's destination, protocol and ports.
static bool read_quoted(const uint8_t *inner, uint32_t left, bool v4, struct weir_address *target,
			uint8_t *protocol, weir_be16_t ports[2])
{
	uint32_t header = WEIR_IPV6_HEADER;
	weir_be32_t v4_target;

	if (left < (v4 ? WEIR_IPV4_HEADER : WEIR_IPV6_HEADER))
		return false;
	if (v4) {
		header = (uint32_t)(inner[0] & 0x0f) * 4;
		memcpy(&v4_target, inner + 16, sizeof(v4_target));
		*target = weir_address_v4(v4_target);
		*protocol = inner[9];
	} else {
		*target = weir_address_v6(inner + 24);
		*protocol = inner[6];
	}
	if (header < WEIR_IPV4_HEADER || left < header + 2 * sizeof(*ports))
		return false;
	memcpy(ports, inner + header, 2 * sizeof(*ports));
	return true;
}

// An ICMP error quotes the header and at least 8 bytes of the packet that could not be delivered.
static void icmp_input(struct weir_control *control, const uint8_t *frame,
		       const struct weir_packet *packet)
{
	const uint8_t *icmp = frame + packet->l4_offset;
	bool v4 = packet->family == 4;
	struct weir_address target;
	weir_be16_t ports[2];
	uint8_t protocol;

	if (packet->l4_length < sizeof(struct rte_icmp_hdr) ||
	    !read_quoted(icmp + sizeof(struct rte_icmp_hdr),
			 packet->l4_length - (uint32_t)sizeof(struct rte_icmp_hdr), v4, &target,
			 &protocol, ports))
		return;
	struct weir_probe *probe = find_probe(control, &target, protocol, ports[1], ports[0]);
	if (probe == NULL)
		return;
	// Nobody listens there: for UDP what a reset is for TCP.
	bool refused = protocol == WEIR_IP_UDP &&
		       (v4 ? icmp[0] == 3 && icmp[1] == 3 : icmp[0] == 1 && icmp[1] == 4);
	finish(control, probe,
	       refused ? WEIR__V1__PROBE_OUTCOME__PROBE_OUTCOME_REFUSED
		       : WEIR__V1__PROBE_OUTCOME__PROBE_OUTCOME_UNREACHABLE,
	       0);
}

void weir_probe_input(struct weir_control *control, struct rte_mbuf *mbuf)
{
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	struct weir_packet packet;
	enum weir_parse_result result =
		weir_packet_parse(frame, rte_pktmbuf_data_len(mbuf), &packet);

	if (control->node != NULL && result == WEIR_PARSE_L4 && packet.protocol == WEIR_IP_TCP)
		tcp_input(control, frame, &packet, weir_punt_of(mbuf)->received_tsc);
	else if (control->node != NULL && result == WEIR_PARSE_L4)
		udp_input(control, frame, &packet, weir_punt_of(mbuf)->received_tsc);
	else if (control->node != NULL && result == WEIR_PARSE_ICMP)
		icmp_input(control, frame, &packet);
	rte_pktmbuf_free(mbuf);
}

void weir_probe_forget(struct weir_control *control, const struct weir_connection *connection)
{
	for (uint32_t i = 0; i < WEIR_MAX_PROBES && control->nb_probes > 0; i++) {
		if (control->probes[i].used && control->probes[i].connection == connection) {
			control->probes[i].used = false;
			control->nb_probes--;
		}
	}
}

static Weir__V1__ProbeOutcome timeout_outcome(const struct weir_control *control,
					      const struct weir_probe *probe)
{
	const struct weir_address *next_hop =
		control->node != NULL ? next_hop_of(control, probe) : NULL;
	const struct weir_arp_entry *entry =
		next_hop != NULL ? weir_arp_entry(control, next_hop) : NULL;

	if (entry == NULL || entry->state == WEIR_ARP_INCOMPLETE)
		return WEIR__V1__PROBE_OUTCOME__PROBE_OUTCOME_UNREACHABLE;
	return WEIR__V1__PROBE_OUTCOME__PROBE_OUTCOME_TIMEOUT;
}

int64_t weir_probe_maintain(struct weir_control *control)
{
	int64_t now = weir_boot_us();
	int64_t next = INT64_MAX;

	for (uint32_t i = 0; i < WEIR_MAX_PROBES && control->nb_probes > 0; i++) {
		struct weir_probe *probe = &control->probes[i];

		if (!probe->used)
			continue;
		if (probe->deadline_us <= now)
			finish(control, probe, timeout_outcome(control, probe), 0);
		else if (probe->deadline_us < next)
			next = probe->deadline_us;
	}
	return next == INT64_MAX ? INT64_MAX : next - now;
}
