// SPDX-License-Identifier: Apache-2.0
//
// TCP connect probes, sent and answered by the engine itself along the data path: a SYN from the
// data address, and a RST once the member has answered. Rise and fall are the agent's business.

#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>

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

static void fill_ip(struct rte_ipv4_hdr *ip, const struct weir_control *control,
		    const struct weir_probe *probe, uint16_t tcp_length)
{
	memset(ip, 0, sizeof(*ip));
	ip->version_ihl = 0x45;
	ip->total_length = weir_be16((uint16_t)(sizeof(*ip) + tcp_length));
	ip->fragment_offset = weir_be16(RTE_IPV4_HDR_DF_FLAG);
	ip->time_to_live = PROBE_TTL;
	ip->next_proto_id = WEIR_IP_TCP;
	ip->src_addr = weir_address_to_v4(&control->node->data_address);
	ip->dst_addr = weir_address_to_v4(&probe->member_address);
	ip->hdr_checksum = weir_checksum(ip, sizeof(*ip));
}

static void send_segment(struct weir_control *control, const struct weir_probe *probe,
			 uint8_t flags, uint32_t sequence)
{
	const struct weir_route *route = weir_config_route(control->node, &probe->member_address);
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(control->engine->mbufs);
	uint16_t length = flags & WEIR_TCP_SYN ? TCP_HEADER_MSS : TCP_HEADER;

	if (mbuf == NULL || route == NULL) {
		rte_pktmbuf_free(mbuf);
		return;
	}
	struct rte_ether_hdr *ethernet = (void *)rte_pktmbuf_append(
		mbuf, (uint16_t)(sizeof(*ethernet) + sizeof(struct rte_ipv4_hdr) + length));
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(ethernet + 1);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	ethernet->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	fill_ip(ip, control, probe, length);
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
	tcp->cksum =
		(uint16_t)~weir_checksum_l4(ip->src_addr, ip->dst_addr, WEIR_IP_TCP, tcp, length);
	weir_arp_resolve(control, mbuf,
			 weir_address_is_none(&route->next_hop) ? &probe->member_address
								: &route->next_hop,
			 0);
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

void weir_probe_start(struct weir_control *control, struct weir_connection *connection,
		      const Weir__V1__ProbeRequest *request)
{
	bool supported = request->type == WEIR__V1__PROBE_TYPE__PROBE_TYPE_TCP_CONNECT &&
			 request->member_address.len == 4 && request->member_port >= 1 &&
			 request->member_port <= 65535;
	struct weir_probe *probe = supported && control->node != NULL ? take_probe(control) : NULL;

	if (probe == NULL) {
		send_result(connection, request->probe_id,
			    WEIR__V1__PROBE_OUTCOME__PROBE_OUTCOME_BUSY, 0);
		return;
	}
	probe->probe_id = request->probe_id;
	probe->connection = connection;
	weir_be32_t member;
	memcpy(&member, request->member_address.data, 4);
	probe->member_address = weir_address_v4(member);
	probe->member_port = weir_be16((uint16_t)request->member_port);
	probe->sequence = (uint32_t)random() << 1;
	uint32_t timeout_ms = request->timeout_ms != 0 ? request->timeout_ms : 1000;
	probe->deadline_us = weir_boot_us() + (int64_t)timeout_ms * 1000;
	if (weir_config_route(control->node, &probe->member_address) == NULL) {
		finish(control, probe, WEIR__V1__PROBE_OUTCOME__PROBE_OUTCOME_UNREACHABLE, 0);
		return;
	}
	probe->sent_tsc = rte_rdtsc();
	send_segment(control, probe, WEIR_TCP_SYN, probe->sequence);
}

static struct weir_probe *find_probe(struct weir_control *control,
				     const struct weir_address *member, weir_be16_t member_port,
				     weir_be16_t own_port)
{
	for (uint32_t i = 0; i < WEIR_MAX_PROBES; i++) {
		struct weir_probe *probe = &control->probes[i];

		if (probe->used && probe->source_port == own_port &&
		    probe->member_port == member_port &&
		    weir_address_equal(&probe->member_address, member))
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
	struct weir_probe *probe =
		find_probe(control, &packet->source, packet->source_port, packet->destination_port);

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

// An ICMP error carries the header and 8 bytes of the packet that could not be delivered.
static void icmp_input(struct weir_control *control, const uint8_t *frame,
		       const struct weir_packet *packet)
{
	const uint8_t *inner = frame + packet->l4_offset + sizeof(struct rte_icmp_hdr);
	uint32_t left = packet->l4_length - (uint32_t)sizeof(struct rte_icmp_hdr);
	struct rte_ipv4_hdr ip;
	weir_be16_t ports[2];

	if (left < sizeof(ip))
		return;
	memcpy(&ip, inner, sizeof(ip));
	uint32_t header = (uint32_t)(ip.version_ihl & 0x0f) * 4;
	if (header < sizeof(ip) || left < header + sizeof(ports) ||
	    ip.next_proto_id != WEIR_IP_TCP ||
	    ip.src_addr != weir_address_to_v4(&control->node->data_address))
		return;
	memcpy(ports, inner + header, sizeof(ports));
	struct weir_address member = weir_address_v4(ip.dst_addr);
	struct weir_probe *probe = find_probe(control, &member, ports[1], ports[0]);
	if (probe != NULL)
		finish(control, probe, WEIR__V1__PROBE_OUTCOME__PROBE_OUTCOME_UNREACHABLE, 0);
}

void weir_probe_input(struct weir_control *control, struct rte_mbuf *mbuf)
{
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	struct weir_packet packet;
	enum weir_parse_result result =
		weir_packet_parse(frame, rte_pktmbuf_data_len(mbuf), &packet);

	if (control->node != NULL && result == WEIR_PARSE_L4 && packet.protocol == WEIR_IP_TCP)
		tcp_input(control, frame, &packet, weir_punt_of(mbuf)->received_tsc);
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
	const struct weir_route *route =
		control->node != NULL ? weir_config_route(control->node, &probe->member_address)
				      : NULL;
	const struct weir_address *next_hop =
		route != NULL && !weir_address_is_none(&route->next_hop) ? &route->next_hop
									 : &probe->member_address;
	const struct weir_arp_entry *entry = weir_arp_entry(control, next_hop);

	if (route == NULL || entry == NULL || entry->state == WEIR_ARP_INCOMPLETE)
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
