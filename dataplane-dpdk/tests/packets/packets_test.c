// SPDX-License-Identifier: Apache-2.0
//
// The data path packet by packet: a table of (description, packet in, verdict, packet out) against
// a real engine configuration, without a port. Every packet out has its checksums summed anew.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <rte_eal.h>
#include <rte_malloc.h>

#include "control/control.h"
#include "datapath/datapath.h"
#include "datapath/exceptions.h"
#include "lib/checksum.h"
#include "main/worker.h"
#include "tests/cmocka_all.h"

enum { FRAME_SIZE = 128 };

static struct weir_engine engine;
static struct weir_control control;
static char dir[] = "/tmp/weir-packets-XXXXXX";
static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t router_mac[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t member_mac[6] = {2, 0, 0, 0, 0, 3};

// configuration

static struct weir_address address_of(const char *text)
{
	struct weir_address address = weir_address_v4(inet_addr(text));

	if (strchr(text, ':') != NULL)
		assert_int_equal(inet_pton(AF_INET6, text, address.bytes), 1);
	return address;
}

static ProtobufCBinaryData address_bytes(weir_be32_t *address, const char *text)
{
	*address = inet_addr(text);
	return (ProtobufCBinaryData){4, (uint8_t *)address};
}

static void apply_node(void)
{
	Weir__V1__ApplyNodeRequest request = WEIR__V1__APPLY_NODE_REQUEST__INIT;
	Weir__V1__NodeConfig node = WEIR__V1__NODE_CONFIG__INIT;
	Weir__V1__Route route = WEIR__V1__ROUTE__INIT;
	Weir__V1__Prefix everything = WEIR__V1__PREFIX__INIT;
	Weir__V1__Prefix snat = WEIR__V1__PREFIX__INIT;
	Weir__V1__Route *routes[] = {&route};
	Weir__V1__Prefix *ranges[] = {&snat};
	weir_be32_t addresses[4];
	struct weir_reject reject = {0};
	uint8_t packed[512];

	node.data_address = address_bytes(&addresses[0], "10.1.0.11");
	node.data_prefix_length = 24;
	everything.address = address_bytes(&addresses[1], "0.0.0.0");
	route.prefix = &everything;
	route.next_hop = address_bytes(&addresses[2], "10.1.0.1");
	node.routes = routes;
	node.n_routes = 1;
	snat.address = address_bytes(&addresses[3], "10.1.31.0");
	snat.length = 32;
	node.snat_ranges = ranges;
	node.n_snat_ranges = 1;
	request.epoch = 1;
	request.sequence = 1;
	request.node = &node;
	struct weir_bytes raw = {packed, weir__v1__apply_node_request__pack(&request, packed)};
	assert_int_equal(weir_apply_node(&control, raw, &reject), 0);
}

// What a load balancer of the table looks like; one member unless said otherwise.
struct lb_spec {
	const char *id;
	const char *vip;
	const char *member;
	Weir__V1__ForwardingMode mode;
	const char *denied; // a /24
	uint32_t member_weight;
	bool listener_enabled;
	uint16_t port;
	uint64_t claim;
	const char *feature;   // required
	uint32_t active_flows; // limit; 0: none
};

static int try_lb(const struct lb_spec *spec, uint64_t sequence, struct weir_reject *reject)
{
	static const Weir__V1__Protocol protocols[2] = {WEIR__V1__PROTOCOL__PROTOCOL_TCP,
							WEIR__V1__PROTOCOL__PROTOCOL_UDP};
	Weir__V1__LoadBalancerConfig config = WEIR__V1__LOAD_BALANCER_CONFIG__INIT;
	Weir__V1__VipAttachment vip = WEIR__V1__VIP_ATTACHMENT__INIT;
	Weir__V1__VipAttachment *vips[] = {&vip};
	Weir__V1__Listener listeners[2];
	Weir__V1__Listener *listener_list[2];
	Weir__V1__PortRange range = WEIR__V1__PORT_RANGE__INIT;
	Weir__V1__PortRange *ranges[] = {&range};
	Weir__V1__Prefix denied = WEIR__V1__PREFIX__INIT;
	Weir__V1__Prefix *denied_list[] = {&denied};
	Weir__V1__Pool pool = WEIR__V1__POOL__INIT;
	Weir__V1__Pool *pools[] = {&pool};
	Weir__V1__Member member = WEIR__V1__MEMBER__INIT;
	Weir__V1__Member *members[] = {&member};
	Weir__V1__MemberPort port = WEIR__V1__MEMBER_PORT__INIT;
	Weir__V1__ListenerLimits limits = WEIR__V1__LISTENER_LIMITS__INIT;
	char *features[1] = {(char *)(uintptr_t)spec->feature};
	weir_be32_t addresses[3];
	uint8_t packed[2048];

	vip.vip_id = (char *)"vip_1";
	vip.address = address_bytes(&addresses[0], spec->vip);
	vip.claim_sequence = spec->claim;
	range.first = spec->port;
	range.last = spec->port;
	if (spec->denied != NULL)
		denied.address = address_bytes(&addresses[1], spec->denied);
	denied.length = 24;
	for (int i = 0; i < 2; i++) {
		weir__v1__listener__init(&listeners[i]);
		listeners[i].listener_id = (char *)(uintptr_t)(i == 0 ? "lst_tcp" : "lst_udp");
		listeners[i].protocol = protocols[i];
		listeners[i].port_ranges = ranges;
		listeners[i].n_port_ranges = 1;
		listeners[i].pool_id = (char *)"pool_1";
		listeners[i].enabled = spec->listener_enabled;
		limits.active_flows = spec->active_flows;
		limits.active_flows_per_source = spec->active_flows / 2;
		listeners[i].limits = spec->active_flows > 0 ? &limits : NULL;
		listeners[i].denied_cidrs = denied_list;
		listeners[i].n_denied_cidrs = spec->denied != NULL;
		listener_list[i] = &listeners[i];
	}
	member.member_id = (char *)"mbr_1";
	member.address = address_bytes(&addresses[2], spec->member);
	member.weight = spec->member_weight;
	member.enabled = true;
	port.mapping_case = WEIR__V1__MEMBER_PORT__MAPPING_FIXED;
	port.fixed = 8080;
	member.port = &port;
	pool.pool_id = (char *)"pool_1";
	pool.algorithm = WEIR__V1__ALGORITHM__ALGORITHM_MAGLEV;
	pool.forwarding_mode = spec->mode;
	pool.maglev_table_size = 101;
	pool.drain_timeout_s = 60;
	pool.members = members;
	pool.n_members = 1;
	config.load_balancer_id = (char *)(uintptr_t)spec->id;
	config.project_id = (char *)"prj_1";
	config.enabled = true;
	config.vips = vips;
	config.n_vips = 1;
	config.listeners = listener_list;
	config.n_listeners = 2;
	config.pools = pools;
	config.n_pools = 1;
	config.required_features = features;
	config.n_required_features = spec->feature != NULL;
	struct weir_bytes raw = {packed, weir__v1__load_balancer_config__pack(&config, packed)};
	return weir_apply_lb(&control, 1, sequence, raw, NULL, 0, reject);
}

static void apply_lb(const struct lb_spec *spec, uint64_t sequence)
{
	struct weir_reject reject = {0};

	if (try_lb(spec, sequence, &reject) != 0)
		fail_msg("%s refused: %s", spec->id, reject.reason);
}

static const struct lb_spec specs[] = {
	{"lb_dnat", "203.0.113.10", "10.1.0.51", WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_DNAT,
	 "198.51.100.0", 1, true, 80, 5, NULL},
	{"lb_snat", "203.0.113.11", "10.1.0.52", WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_SNAT,
	 NULL, 1, true, 80, 1, NULL},
	{"lb_empty", "203.0.113.12", "10.1.0.53", WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_DNAT,
	 NULL, 0, true, 80, 1, NULL},
	{"lb_off", "203.0.113.13", "10.1.0.54", WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_DNAT,
	 NULL, 1, false, 80, 1, NULL},
	// Claims the first one's VIP with a lower sequence: shadowed.
	{"lb_shadowed", "203.0.113.10", "10.1.0.55",
	 WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_DNAT, NULL, 1, true, 81, 4, NULL},
	// Another project's mapping of the same member and port: the way back is ambiguous.
	{"lb_twin_a", "203.0.113.14", "10.1.0.56", WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_DNAT,
	 NULL, 1, true, 80, 1, NULL},
	{"lb_twin_b", "203.0.113.15", "10.1.0.56", WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_DNAT,
	 NULL, 1, true, 80, 1, NULL},
};

// packets

struct endpoint {
	const char *address;
	uint16_t port;
};

enum verdict { FORWARDED, DROPPED, ANSWERED, PUNTED };

enum flaw {
	SOUND,
	BAD_L4_CHECKSUM,
	NO_UDP_CHECKSUM,
	WITH_IP_OPTIONS,
	FOREIGN_MAC,
	LAST_HOP,
};

struct row {
	const char *description;
	uint8_t protocol;
	struct endpoint from;
	struct endpoint to;
	uint8_t flags;
	enum flaw flaw;
	enum verdict verdict;
	enum weir_drop_reason reason;
	struct endpoint new_from;
	struct endpoint new_to;
	const uint8_t *new_mac;
};

#define TCP WEIR_IP_TCP
#define UDP WEIR_IP_UDP
#define CLIENT                                                                                     \
	{                                                                                          \
		"192.0.2.7", 40000                                                                 \
	}

static uint16_t fill_l4(uint8_t *l4, const struct row *row)
{
	uint16_t from = htons(row->from.port);
	uint16_t to = htons(row->to.port);
	uint16_t length = row->protocol == TCP ? 26 : 14; // with 6 bytes of payload
	uint16_t udp_length = htons(length);

	memset(l4, 0, length);
	memcpy(l4, &from, 2);
	memcpy(l4 + 2, &to, 2);
	if (row->protocol == TCP) {
		l4[12] = 5 << 4;
		l4[13] = row->flags;
	} else {
		memcpy(l4 + 4, &udp_length, 2);
	}
	memcpy(l4 + length - 6, "abcdef", 6);
	return length;
}

static struct rte_mbuf *make_packet(const struct row *row)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(engine.mbufs);
	uint8_t *frame = (uint8_t *)rte_pktmbuf_append(mbuf, FRAME_SIZE);
	uint16_t header = row->flaw == WITH_IP_OPTIONS ? 28 : 20;
	uint8_t *ip = frame + 14;
	weir_be32_t source = inet_addr(row->from.address);
	weir_be32_t destination = inet_addr(row->to.address);
	uint16_t sum;

	memset(frame, 0, FRAME_SIZE);
	memcpy(frame, row->flaw == FOREIGN_MAC ? router_mac : own_mac, 6);
	memcpy(frame + 6, router_mac, 6);
	frame[12] = 0x08;
	uint16_t l4_length = fill_l4(ip + header, row);
	uint16_t total = htons((uint16_t)(header + l4_length));
	ip[0] = (uint8_t)(0x40 | header / 4);
	memcpy(ip + 2, &total, 2);
	ip[8] = row->flaw == LAST_HOP ? 1 : 64;
	ip[9] = row->protocol;
	memcpy(ip + 12, &source, 4);
	memcpy(ip + 16, &destination, 4);
	sum = weir_checksum(ip, header);
	memcpy(ip + 10, &sum, 2);
	sum = (uint16_t)~weir_checksum_l4(source, destination, row->protocol, ip + header,
					  l4_length);
	if (row->flaw == BAD_L4_CHECKSUM)
		sum ^= 0x1234;
	if (row->flaw != NO_UDP_CHECKSUM)
		memcpy(ip + header + (row->protocol == TCP ? 16 : 6), &sum, 2);
	return mbuf;
}

static uint64_t drops_of(enum weir_drop_reason reason)
{
	uint64_t sum = 0;

	for (uint32_t lb = 0; lb < engine.file.header->nb_lbs; lb++)
		sum += *weir_drop_counter(&engine.file, 0, lb, reason);
	return sum;
}

static uint64_t all_drops(void)
{
	uint64_t sum = 0;

	for (int reason = 0; reason < WEIR_DROP_NB_REASONS; reason++)
		sum += drops_of((enum weir_drop_reason)reason);
	return sum;
}

// One packet through the worker's steps.
static void run(struct rte_mbuf *mbuf)
{
	struct weir_worker *worker = &engine.workers[0];
	struct weir_burst burst = {
		.worker = worker, .config = atomic_load(&engine.config), .nb = 1, .mbufs = {mbuf}};

	worker->now = weir_tick_now();
	if (worker->snat != &burst.config->node->snat[0])
		weir_worker_adopt_snat(worker, &burst.config->node->snat[0]);
	weir_burst_process(&burst, true);
}

static void check_endpoint(const struct row *row, const char *which, const struct endpoint *want,
			   const struct weir_address *address, weir_be16_t port)
{
	char text[WEIR_ADDRESS_TEXT];

	if (want->address == NULL)
		return;
	struct weir_address wanted = address_of(want->address);
	if (!weir_address_equal(&wanted, address) ||
	    (want->port != 0 && want->port != weir_host16(port)))
		fail_msg("%s: %s is %s:%u", row->description, which,
			 weir_address_text(address, text), weir_host16(port));
}

static void check_forwarded(const struct row *row)
{
	struct weir_worker *worker = &engine.workers[0];
	struct weir_packet packet;

	if (worker->nb_tx != 1)
		fail_msg("%s: not forwarded", row->description);
	struct rte_mbuf *mbuf = worker->tx[--worker->nb_tx];
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	if (weir_packet_parse(frame, rte_pktmbuf_data_len(mbuf), &packet) != WEIR_PARSE_L4 ||
	    !weir_packet_checksum_ok(frame, &packet))
		fail_msg("%s: wrong checksum", row->description);
	if (row->flaw == NO_UDP_CHECKSUM && (frame[14 + 26] | frame[14 + 27]) != 0)
		fail_msg("%s: a checksum appeared", row->description);
	check_endpoint(row, "source", &row->new_from, &packet.source, packet.source_port);
	check_endpoint(row, "destination", &row->new_to, &packet.destination,
		       packet.destination_port);
	if (packet.ttl != 63)
		fail_msg("%s: TTL %u", row->description, packet.ttl);
	assert_memory_equal(frame, row->new_mac, 6);
	assert_memory_equal(frame + 6, own_mac, 6);
	assert_memory_equal(frame + packet.l4_offset + packet.l4_length - 6, "abcdef", 6);
	rte_pktmbuf_free(mbuf);
}

static void run_row(const struct row *row)
{
	uint64_t drops = all_drops();
	uint64_t reason = drops_of(row->reason);
	void *punted = NULL;

	run(make_packet(row));
	switch (row->verdict) {
	case FORWARDED:
		if (all_drops() != drops)
			fail_msg("%s: dropped", row->description);
		check_forwarded(row);
		break;
	case DROPPED:
		if (drops_of(row->reason) != reason + 1 || all_drops() != drops + 1 ||
		    engine.workers[0].nb_tx != 0)
			fail_msg("%s: not dropped as %s", row->description,
				 weir_drop_reason_name(row->reason));
		break;
	case PUNTED:
		if (rte_ring_dequeue(engine.punts, &punted) != 0)
			fail_msg("%s: not handed to the control thread", row->description);
		rte_pktmbuf_free(punted);
		break;
	case ANSWERED:
		fail_msg("%s: answers have their own tests", row->description);
	}
	assert_int_equal(engine.workers[0].nb_tx, 0);
}

// set-up

static void know_neighbour(const char *text, const uint8_t *mac)
{
	struct weir_address address = address_of(text);
	uint32_t at = weir_neighbour_hash(&address);
	uint64_t word = 0;

	while (engine.neighbours.slots[at].used_slot != 0)
		at = (at + 1) & (WEIR_NEIGHBOUR_SLOTS - 1);
	memcpy(&word, mac, 6);
	atomic_store(&engine.neighbours.slots[at].mac, word | WEIR_NEIGHBOUR_RESOLVED);
	engine.neighbours.slots[at].address = address;
	atomic_store(&engine.neighbours.slots[at].used_slot, 1);
}

static int start_engine(void **state)
{
	static char *arguments[] = {"packets",     "--no-huge",   "-m",   "64",
				    "--no-pci",    "-l",          "0",    "--no-telemetry",
				    "--no-shconf", "--log-level", "error"};
	struct weir_worker *worker = &engine.workers[0];

	(void)state;
	if (rte_eal_init(RTE_DIM(arguments), arguments) < 0 || mkdtemp(dir) == NULL)
		return -1;
	engine.options = (struct weir_options){.state_dir = dir, .shm_dir = dir};
	engine.nb_workers = 1;
	engine.mbufs = rte_pktmbuf_pool_create("mbufs", 1023, 0, WEIR_MBUF_PRIVATE_SIZE,
					       RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	engine.punts = rte_ring_create("punts", 64, 0, 0);
	memcpy(&engine.mac, own_mac, 6);
	engine.qsbr = rte_zmalloc("qsbr", rte_rcu_qsbr_get_memsize(1), 64);
	worker->engine = &engine;
	worker->rng = 1;
	worker->owns_port = true;
	worker->outbound = rte_ring_create("outbound", 64, 0, 0);
	if (engine.mbufs == NULL || engine.punts == NULL || worker->outbound == NULL ||
	    rte_rcu_qsbr_init(engine.qsbr, 1) != 0 ||
	    weir_flow_file_open(&engine.file, dir, 1, 1024, WEIR_KEEP_FLOWS) != 0)
		return -1;
	struct weir_flow_memory memory = weir_flow_file_memory(&engine.file, 0);
	if (weir_flow_table_init(&worker->table, &memory, 1024, engine.file.header->flow_key) != 0)
		return -1;
	weir_rss_init(&engine.rss, engine.file.header->flow_key, 1);
	control.engine = &engine;
	engine.limits_of = calloc(WEIR_MAX_BINDINGS, sizeof(*engine.limits_of));
	control.listen_fd = -1;
	know_neighbour("10.1.0.1", router_mac);
	for (int last = 51; last <= 56; last++) {
		char text[16];

		snprintf(text, sizeof(text), "10.1.0.%d", last);
		know_neighbour(text, member_mac);
	}
	apply_node();
	for (size_t i = 0; i < RTE_DIM(specs); i++)
		apply_lb(&specs[i], 1);
	return weir_config_publish(&control);
}

static int stop_engine(void **state)
{
	char command[64];

	(void)state;
	weir_flow_file_close(&engine.file);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

// tests

static void packets_of_the_table(void **state)
{
	static const struct endpoint vip = {"203.0.113.10", 80};
	const struct row rows[] = {
		{"SYN to a dnat listener",
		 TCP,
		 CLIENT,
		 vip,
		 WEIR_TCP_SYN,
		 SOUND,
		 FORWARDED,
		 0,
		 CLIENT,
		 {"10.1.0.51", 8080},
		 member_mac},
		{"SYN-ACK of its member",
		 TCP,
		 {"10.1.0.51", 8080},
		 CLIENT,
		 WEIR_TCP_SYN | WEIR_TCP_ACK,
		 SOUND,
		 FORWARDED,
		 0,
		 vip,
		 CLIENT,
		 router_mac},
		{"ACK of the client",
		 TCP,
		 CLIENT,
		 vip,
		 WEIR_TCP_ACK,
		 SOUND,
		 FORWARDED,
		 0,
		 CLIENT,
		 {"10.1.0.51", 8080},
		 member_mac},
		{"IP options are carried along",
		 TCP,
		 CLIENT,
		 vip,
		 WEIR_TCP_ACK,
		 WITH_IP_OPTIONS,
		 FORWARDED,
		 0,
		 CLIENT,
		 {"10.1.0.51", 8080},
		 member_mac},
		{"first datagram to a dnat listener",
		 UDP,
		 CLIENT,
		 vip,
		 0,
		 SOUND,
		 FORWARDED,
		 0,
		 CLIENT,
		 {"10.1.0.51", 8080},
		 member_mac},
		{"datagram without a checksum",
		 UDP,
		 CLIENT,
		 vip,
		 0,
		 NO_UDP_CHECKSUM,
		 FORWARDED,
		 0,
		 CLIENT,
		 {"10.1.0.51", 8080},
		 member_mac},
		{"reply without a flow, by the configured mapping",
		 TCP,
		 {"10.1.0.51", 8080},
		 {"192.0.2.99", 1234},
		 WEIR_TCP_ACK,
		 SOUND,
		 FORWARDED,
		 0,
		 vip,
		 {"192.0.2.99", 1234},
		 router_mac},
		{"mid-flow packet of another node's dnat flow",
		 TCP,
		 {"192.0.2.8", 5},
		 vip,
		 WEIR_TCP_ACK,
		 SOUND,
		 FORWARDED,
		 0,
		 {"192.0.2.8", 5},
		 {"10.1.0.51", 8080},
		 member_mac},
		{"SYN to a snat listener",
		 TCP,
		 CLIENT,
		 {"203.0.113.11", 80},
		 WEIR_TCP_SYN,
		 SOUND,
		 FORWARDED,
		 0,
		 {"10.1.31.0", 0},
		 {"10.1.0.52", 8080},
		 member_mac},
		{"mid-flow packet to a snat listener",
		 TCP,
		 {"192.0.2.8", 6},
		 {"203.0.113.11", 80},
		 WEIR_TCP_ACK,
		 SOUND,
		 DROPPED,
		 WEIR_DROP_NO_FLOW},
		{"packet to a free SNAT port",
		 TCP,
		 {"10.1.0.52", 8080},
		 {"10.1.31.0", 65000},
		 WEIR_TCP_ACK,
		 SOUND,
		 DROPPED,
		 WEIR_DROP_NO_FLOW},
		{"RST without a flow",
		 TCP,
		 {"192.0.2.8", 7},
		 vip,
		 WEIR_TCP_RST,
		 SOUND,
		 DROPPED,
		 WEIR_DROP_NO_FLOW},
		{"SYN with a bad checksum",
		 TCP,
		 {"192.0.2.8", 8},
		 vip,
		 WEIR_TCP_SYN,
		 BAD_L4_CHECKSUM,
		 DROPPED,
		 WEIR_DROP_BAD_CHECKSUM},
		{"last hop, flow known", TCP, CLIENT, vip, WEIR_TCP_ACK, LAST_HOP, DROPPED,
		 WEIR_DROP_TTL_EXPIRED},
		{"last hop, no flow",
		 TCP,
		 {"192.0.2.8", 9},
		 vip,
		 WEIR_TCP_SYN,
		 LAST_HOP,
		 DROPPED,
		 WEIR_DROP_TTL_EXPIRED},
		{"frame for somebody else", TCP, CLIENT, vip, WEIR_TCP_SYN, FOREIGN_MAC, DROPPED,
		 WEIR_DROP_NOT_FOR_US},
		{"port without a listener",
		 TCP,
		 CLIENT,
		 {"203.0.113.10", 443},
		 WEIR_TCP_SYN,
		 SOUND,
		 DROPPED,
		 WEIR_DROP_NO_LISTENER},
		{"port of the shadowed load balancer",
		 TCP,
		 CLIENT,
		 {"203.0.113.10", 81},
		 WEIR_TCP_SYN,
		 SOUND,
		 DROPPED,
		 WEIR_DROP_NO_LISTENER},
		{"denied source",
		 TCP,
		 {"198.51.100.9", 9},
		 vip,
		 WEIR_TCP_SYN,
		 SOUND,
		 DROPPED,
		 WEIR_DROP_SOURCE_DENIED},
		{"pool without an eligible member",
		 TCP,
		 CLIENT,
		 {"203.0.113.12", 80},
		 WEIR_TCP_SYN,
		 SOUND,
		 DROPPED,
		 WEIR_DROP_NO_HEALTHY_MEMBER},
		{"disabled listener",
		 TCP,
		 CLIENT,
		 {"203.0.113.13", 80},
		 WEIR_TCP_SYN,
		 SOUND,
		 DROPPED,
		 WEIR_DROP_LISTENER_DISABLED},
		{"packet from nowhere to nowhere",
		 UDP,
		 {"10.1.0.99", 1},
		 {"192.0.2.1", 1},
		 0,
		 SOUND,
		 DROPPED,
		 WEIR_DROP_NO_REVERSE},
		{"reply with an ambiguous mapping",
		 TCP,
		 {"10.1.0.56", 8080},
		 {"192.0.2.1", 1},
		 WEIR_TCP_ACK,
		 SOUND,
		 DROPPED,
		 WEIR_DROP_REVERSE_TUPLE_IN_USE},
		{"SYN to the first of two VIPs with one member",
		 TCP,
		 CLIENT,
		 {"203.0.113.14", 80},
		 WEIR_TCP_SYN,
		 SOUND,
		 FORWARDED,
		 0,
		 CLIENT,
		 {"10.1.0.56", 8080},
		 member_mac},
		{"the same client endpoint to the second: its replies could not be told apart",
		 TCP,
		 CLIENT,
		 {"203.0.113.15", 80},
		 WEIR_TCP_SYN,
		 SOUND,
		 DROPPED,
		 WEIR_DROP_REVERSE_TUPLE_IN_USE},
		{"answer to a probe",
		 TCP,
		 {"10.1.0.51", 8080},
		 {"10.1.0.11", 20000},
		 WEIR_TCP_ACK,
		 SOUND,
		 PUNTED},
		{"UDP to the data address",
		 UDP,
		 {"10.1.0.51", 8080},
		 {"10.1.0.11", 2000},
		 0,
		 SOUND,
		 DROPPED,
		 WEIR_DROP_UNEXPECTED},
		{"SCTP", 132, CLIENT, vip, 0, SOUND, DROPPED, WEIR_DROP_PROTOCOL_UNSUPPORTED},
	};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(rows); i++)
		run_row(&rows[i]);
}

static uint64_t counted(uint64_t struct_offset)
{
	uint64_t sum = 0;

	for (uint32_t id = 0; id < engine.file.header->nb_bindings; id++)
		sum += *(const uint64_t *)(const void *)((const uint8_t *)&engine.file
								 .counters[0][id] +
							 struct_offset);
	return sum;
}

#define COUNTED(field) counted(offsetof(struct weir_flow_counters, field))

static void snat_replies_come_back_to_the_client(void **state)
{
	struct row out = {
		"SYN",     TCP, {"192.0.2.20", 1000}, {"203.0.113.11", 80}, WEIR_TCP_SYN, SOUND,
		FORWARDED, 0,   {"10.1.31.0", 0},     {"10.1.0.52", 8080},  member_mac};
	struct weir_worker *worker = &engine.workers[0];
	struct weir_packet packet;

	(void)state;
	run(make_packet(&out));
	assert_int_equal(worker->nb_tx, 1);
	struct rte_mbuf *mbuf = worker->tx[--worker->nb_tx];
	assert_int_equal(weir_packet_parse(rte_pktmbuf_mtod(mbuf, uint8_t *),
					   rte_pktmbuf_data_len(mbuf), &packet),
			 WEIR_PARSE_L4);
	rte_pktmbuf_free(mbuf);
	struct row back = {"SYN-ACK",
			   TCP,
			   {"10.1.0.52", 8080},
			   {"10.1.31.0", weir_host16(packet.source_port)},
			   WEIR_TCP_SYN | WEIR_TCP_ACK,
			   SOUND,
			   FORWARDED,
			   0,
			   {"203.0.113.11", 80},
			   {"192.0.2.20", 1000},
			   router_mac};
	run_row(&back);
	back.to.port++;
	back.verdict = DROPPED;
	back.reason = WEIR_DROP_NO_FLOW;
	run_row(&back);
}

static void counters_tell_flows_packets_and_ends(void **state)
{
	struct row row = {
		"SYN",     TCP, {"192.0.2.30", 1}, {"203.0.113.10", 80}, WEIR_TCP_SYN, SOUND,
		FORWARDED, 0,   {"192.0.2.30", 1}, {"10.1.0.51", 8080},  member_mac};
	uint64_t new_flows = COUNTED(new_flows);
	uint64_t in_packets = COUNTED(in_packets);
	uint64_t in_bytes = COUNTED(in_bytes);
	uint64_t active = COUNTED(active_flows);
	uint64_t reset = COUNTED(ended[WEIR_END_RST]);

	(void)state;
	run_row(&row);
	run_row(&row); // the SYN again is no new flow
	assert_int_equal(COUNTED(new_flows), new_flows + 1);
	assert_int_equal(COUNTED(active_flows), active + 1);
	row.flags = WEIR_TCP_RST;
	run_row(&row);
	assert_int_equal(COUNTED(active_flows), active);
	assert_int_equal(COUNTED(ended[WEIR_END_RST]), reset + 1);
	row.flags = WEIR_TCP_SYN; // the tuple is used again
	run_row(&row);
	assert_int_equal(COUNTED(new_flows), new_flows + 2);
	assert_int_equal(COUNTED(in_packets), in_packets + 4);
	assert_int_equal(COUNTED(in_bytes), in_bytes + 4 * 46);
}

static void a_flow_in_mid_flow_is_not_counted_as_new(void **state)
{
	struct row row = {
		"ACK",     TCP, {"192.0.2.31", 1}, {"203.0.113.10", 80}, WEIR_TCP_ACK, SOUND,
		FORWARDED, 0,   {"192.0.2.31", 1}, {"10.1.0.51", 8080},  member_mac};
	uint64_t new_flows = COUNTED(new_flows);
	uint64_t active = COUNTED(active_flows);

	(void)state;
	run_row(&row);
	assert_int_equal(COUNTED(new_flows), new_flows);
	assert_int_equal(COUNTED(active_flows), active + 1);
}

static void an_idle_flow_expires_and_is_counted(void **state)
{
	struct row row = {
		"datagram", UDP, {"192.0.2.32", 1}, {"203.0.113.10", 80}, 0,         SOUND,
		FORWARDED,  0,   {"192.0.2.32", 1}, {"10.1.0.51", 8080},  member_mac};
	struct weir_worker *worker = &engine.workers[0];
	uint64_t timeouts = COUNTED(ended[WEIR_END_TIMEOUT]);
	uint32_t used = weir_flow_table_used(&worker->table);

	(void)state;
	run_row(&row);
	assert_int_equal(weir_flow_table_used(&worker->table), used + 1);
	for (int tick = 0; tick < 20; tick++) { // not before its time
		worker->now++;
		weir_flow_sweep(worker);
	}
	assert_int_equal(weir_flow_table_used(&worker->table), used + 1);
	worker->now += 61 * WEIR_TICKS_PER_SECOND;
	for (int tick = 0; tick < 20; tick++) {
		worker->now++;
		weir_flow_sweep(worker);
	}
	assert_true(COUNTED(ended[WEIR_END_TIMEOUT]) > timeouts);
	assert_true(weir_flow_table_used(&worker->table) <= used);
}

static void the_flood_rule_spares_entries_not_packets(void **state)
{
	struct weir_worker *worker = &engine.workers[0];
	uint32_t used = weir_flow_table_used(&worker->table);
	uint64_t forwarded = worker->flood_forwarded;
	uint32_t tick = weir_tick_now();
	char text[16];
	struct row row = {"SYN",     TCP, {text, 2}, {"203.0.113.10", 80}, WEIR_TCP_SYN, SOUND,
			  FORWARDED, 0,   {text, 2}, {"10.1.0.51", 8080},  member_mac};

	(void)state;
	engine.options.flood_new_flows_per_s = 50; // five in a tick
	worker->flood_tick = 0;
	for (int n = 0; n < 20; n++) {
		snprintf(text, sizeof(text), "192.90.0.%d", n);
		run_row(&row);
	}
	uint32_t ticks = weir_tick_now() - tick + 1;
	assert_in_range(weir_flow_table_used(&worker->table) - used, 5, 5 * ticks);
	assert_int_equal(worker->flood_forwarded - forwarded,
			 20 - (weir_flow_table_used(&worker->table) - used));
	row.to.address = "203.0.113.11";
	row.verdict = DROPPED;
	row.reason = WEIR_DROP_FLOOD;
	worker->flood_tick = 0;
	engine.options.flood_new_flows_per_s = 1; // less than one in a tick
	run_row(&row);
	engine.options.flood_new_flows_per_s = 0;
	worker->flood_tick = 0;
}

static void active_flows_of_a_listener_and_a_source_are_limited(void **state)
{
	struct lb_spec spec = specs[0];
	char text[16] = "192.91.0.1";
	struct row row = {"SYN",     TCP, {text, 1}, {"203.0.113.16", 80}, WEIR_TCP_SYN, SOUND,
			  FORWARDED, 0,   {text, 1}, {"10.1.0.51", 8080},  member_mac};

	(void)state;
	spec.id = "lb_limited";
	spec.vip = "203.0.113.16";
	spec.active_flows = 4;
	apply_lb(&spec, 1);
	assert_int_equal(weir_config_publish(&control), 0);
	for (uint16_t port = 1; port <= 3; port++) { // two of a source
		row.from.port = row.new_from.port = port;
		row.verdict = port <= 2 ? FORWARDED : DROPPED;
		row.reason = WEIR_DROP_LIMIT_SOURCE_FLOWS;
		run_row(&row);
	}
	for (int n = 2; n <= 4; n++) { // four of all
		snprintf(text, sizeof(text), "192.91.0.%d", n);
		row.verdict = n <= 3 ? FORWARDED : DROPPED;
		row.reason = WEIR_DROP_LIMIT_ACTIVE_FLOWS;
		run_row(&row);
	}
	// One ends: another may begin, of the source whose count it lowers, too.
	snprintf(text, sizeof(text), "192.91.0.1");
	row.from.port = row.new_from.port = 1;
	row.verdict = FORWARDED;
	row.flags = WEIR_TCP_RST;
	run_row(&row);
	// The configuration applied again does not forget what is counted.
	spec.denied = NULL;
	apply_lb(&spec, 2);
	assert_int_equal(weir_config_publish(&control), 0);
	row.flags = WEIR_TCP_SYN;
	row.from.port = row.new_from.port = 9;
	run_row(&row);
	row.from.port = row.new_from.port = 10;
	row.verdict = DROPPED;
	run_row(&row);
	weir_delete_lb(&control, "lb_limited");
	assert_int_equal(weir_config_publish(&control), 0);
}

static struct weir_flow *flow_of(const struct row *row)
{
	struct weir_tuple tuple = {
		.source = weir_address_v4(inet_addr(row->from.address)),
		.destination = weir_address_v4(inet_addr(row->to.address)),
		.source_port = weir_be16(row->from.port),
		.destination_port = weir_be16(row->to.port),
		.protocol = row->protocol,
	};
	const struct weir_flow_table *table = &engine.workers[0].table;
	enum weir_direction direction;

	return weir_flow_lookup(table, weir_flow_hash(table, &tuple), &tuple, &direction);
}

// Takes the next frame to be sent and checks what it is.
static void check_segment(const char *from, uint16_t from_port, const char *to, uint16_t to_port,
			  uint8_t flags, uint32_t sequence)
{
	struct weir_worker *worker = &engine.workers[0];
	struct weir_packet packet;
	weir_be32_t seen;

	assert_true(worker->nb_tx > 0);
	struct rte_mbuf *mbuf = worker->tx[0];
	memmove(&worker->tx[0], &worker->tx[1], sizeof(worker->tx[0]) * --worker->nb_tx);
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	assert_int_equal(weir_packet_parse(frame, rte_pktmbuf_data_len(mbuf), &packet),
			 WEIR_PARSE_L4);
	assert_true(weir_packet_checksum_ok(frame, &packet));
	assert_int_equal(weir_address_to_v4(&packet.source), inet_addr(from));
	assert_int_equal(weir_address_to_v4(&packet.destination), inet_addr(to));
	assert_int_equal(weir_host16(packet.source_port), from_port);
	assert_int_equal(weir_host16(packet.destination_port), to_port);
	assert_int_equal(packet.tcp_flags, flags);
	memcpy(&seen, frame + packet.l4_offset + 4, sizeof(seen));
	if (flags & WEIR_TCP_RST)
		assert_int_equal(weir_host32(seen), sequence);
	rte_pktmbuf_free(mbuf);
}

// Both sides of a condemned flow are asked for their numbers and reset by their answers.
static void a_condemned_flow_is_reset_on_both_sides(void **state)
{
	struct weir_worker *worker = &engine.workers[0];
	struct row row = {
		"SYN",     TCP, {"192.0.2.60", 7}, {"203.0.113.10", 80}, WEIR_TCP_SYN, SOUND,
		FORWARDED, 0,   {"192.0.2.60", 7}, {"10.1.0.51", 8080},  member_mac};
	uint64_t drained = COUNTED(ended[WEIR_END_DRAINED]);
	uint64_t resets = drops_of(WEIR_DROP_FLOW_RESET);

	(void)state;
	run_row(&row);
	row.flags = WEIR_TCP_ACK;
	run_row(&row);
	assert_true(weir_flow_condemn(worker, flow_of(&row), WEIR_END_DRAINED));
	assert_false(weir_flow_condemn(worker, flow_of(&row), WEIR_END_DRAINED));
	assert_int_equal(COUNTED(ended[WEIR_END_DRAINED]), drained + 1);
	check_segment("203.0.113.10", 80, "192.0.2.60", 7, WEIR_TCP_ACK, 0);
	check_segment("192.0.2.60", 7, "10.1.0.51", 8080, WEIR_TCP_ACK, 0);
	for (int side = 0; side < 2; side++) {
		struct row answer = row;

		if (side == 1) {
			answer.from = (struct endpoint){"10.1.0.51", 8080};
			answer.to = (struct endpoint){"192.0.2.60", 7};
		}
		struct rte_mbuf *mbuf = make_packet(&answer);
		uint8_t *tcp = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, 34);
		weir_be32_t acknowledged = weir_be32(0x12345678);
		memcpy(tcp + 8, &acknowledged, sizeof(acknowledged));
		run(mbuf);
		check_segment(answer.to.address, answer.to.port, answer.from.address,
			      answer.from.port, WEIR_TCP_RST, 0x12345678);
	}
	assert_int_equal(drops_of(WEIR_DROP_FLOW_RESET), resets + 2);
	// A RST is never answered; a new SYN takes the tuple over.
	row.flags = WEIR_TCP_RST;
	run(make_packet(&row));
	assert_int_equal(worker->nb_tx, 0);
	row.flags = WEIR_TCP_SYN;
	run_row(&row);
	assert_int_equal(flow_of(&row)->state, WEIR_FLOW_SYN_SENT);
}

static void a_full_table_forwards_dnat_by_maglev_and_drops_snat(void **state)
{
	struct weir_worker *worker = &engine.workers[0];
	uint64_t in_packets = COUNTED(in_packets);
	char text[16];
	int n = 0;

	(void)state;
	struct row row = {"SYN",     TCP, {text, 1}, {"203.0.113.10", 80}, WEIR_TCP_SYN, SOUND,
			  FORWARDED, 0,   {text, 1}, {"10.1.0.51", 8080},  member_mac};
	for (; n < 1100; n++) {
		snprintf(text, sizeof(text), "192.88.%d.%d", n / 250, n % 250);
		run_row(&row);
	}
	// Beyond nine tenths the flood rule is in force.
	assert_in_range(weir_flow_table_used(&worker->table), 1024 * 89 / 100, 1024 * 91 / 100);
	assert_int_equal(COUNTED(in_packets), in_packets + 1100);
	row.to.address = "203.0.113.11";
	row.verdict = DROPPED;
	row.reason = WEIR_DROP_FLOOD;
	snprintf(text, sizeof(text), "192.88.99.1");
	run_row(&row);
	assert_true(worker->flood_forwarded >= 1100 - 1024);
}

static void configurations_are_refused_by_name(void **state)
{
	struct lb_spec spec = specs[0];
	struct weir_reject reject = {0};

	(void)state;
	spec.id = "lb_refused";
	spec.feature = "teleport";
	assert_int_equal(try_lb(&spec, 2, &reject), -EINVAL);
	assert_string_equal(reject.code, "UNSUPPORTED_FEATURE");
	assert_non_null(strstr(reject.reason, "teleport"));
	spec.feature = NULL;
	spec.mode = WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_DSR; // with a fixed member port
	assert_int_equal(try_lb(&spec, 2, &reject), -EINVAL);
	assert_string_equal(reject.code, "INVALID_CONFIG");
	assert_non_null(strstr(reject.reason, "mapped"));
	spec.mode = specs[0].mode;
	spec.port = 0;
	assert_int_equal(try_lb(&spec, 2, &reject), -EINVAL);
	assert_string_equal(reject.code, "INVALID_CONFIG");
	assert_null(weir_find_lb(&control, "lb_refused"));
}

static void an_older_configuration_changes_nothing(void **state)
{
	struct lb_spec spec = specs[1];

	(void)state;
	apply_lb(&spec, 5);
	spec.member = "10.1.0.77";
	apply_lb(&spec, 4);
	struct weir_lb *lb = weir_find_lb(&control, "lb_snat");
	assert_int_equal(lb->sequence, 5);
	assert_int_equal(weir_address_to_v4(&lb->pools[0].backends[0].address),
			 inet_addr("10.1.0.52"));
	apply_lb(&spec, 5); // the same order with an overlay ended: other content
	lb = weir_find_lb(&control, "lb_snat");
	assert_int_equal(weir_address_to_v4(&lb->pools[0].backends[0].address),
			 inet_addr("10.1.0.77"));
}

static void echo_requests_are_answered_for_vips_and_the_data_address(void **state)
{
	static const char *const targets[] = {"203.0.113.10", "10.1.0.11"};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(targets); i++) {
		struct row row = {"echo", WEIR_IP_ICMP, {"192.0.2.1", 0}, {targets[i], 0},
				  0,      SOUND,        ANSWERED};
		struct weir_worker *worker = &engine.workers[0];
		struct rte_mbuf *mbuf = make_packet(&row);
		uint8_t *icmp = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, 34);
		uint16_t sum;

		memset(icmp, 0, 14);
		icmp[0] = 8;
		icmp[7] = 3; // sequence
		sum = weir_checksum(icmp, 14);
		memcpy(icmp + 2, &sum, 2);
		run(mbuf);
		assert_int_equal(worker->nb_tx, 1);
		mbuf = worker->tx[--worker->nb_tx];
		const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
		weir_be32_t source = inet_addr(targets[i]);
		assert_memory_equal(frame, router_mac, 6);
		assert_memory_equal(frame + 26, &source, 4);
		assert_int_equal(weir_checksum(frame + 14, 20), 0);
		assert_int_equal(frame[34], 0);
		assert_int_equal(weir_checksum(frame + 34, 14), 0);
		rte_pktmbuf_free(mbuf);
	}
}

// A datagram's fragment to a dnat listener; offset in units of 8 bytes.
static struct rte_mbuf *make_fragment(uint16_t id, uint16_t offset, bool more)
{
	const struct row row = {"fragment", UDP, {"192.0.2.20", 4000}, {"203.0.113.10", 80}};
	struct rte_mbuf *mbuf = make_packet(&row);
	uint8_t *ip = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, 14);
	uint16_t word = htons((uint16_t)((more ? 0x2000 : 0) | offset));
	uint16_t sum = 0;

	id = htons(id);
	memcpy(ip + 4, &id, 2);
	memcpy(ip + 6, &word, 2);
	memcpy(ip + 10, &sum, 2);
	sum = weir_checksum(ip, 20);
	memcpy(ip + 10, &sum, 2);
	return mbuf;
}

static void poll_fragments(void)
{
	(void)weir_fragment_poll(&engine.workers[0], atomic_load(&engine.config));
}

static void early_fragments_follow_their_first(void **state)
{
	struct weir_worker *worker = &engine.workers[0];
	weir_be32_t member = inet_addr("10.1.0.51");

	(void)state;
	weir_fragment_cache_init(&worker->fragments, rte_get_tsc_hz() * 60, rte_get_tsc_hz() * 60);
	run(make_fragment(7, 3, false));
	run(make_fragment(7, 2, true));
	assert_int_equal(worker->nb_tx, 0);
	run(make_fragment(7, 0, true));
	assert_int_equal(worker->nb_tx, 1);
	poll_fragments();
	assert_int_equal(worker->nb_tx, 3);
	for (uint16_t i = 0; i < 3; i++) {
		const uint8_t *ip = rte_pktmbuf_mtod_offset(worker->tx[i], const uint8_t *, 14);
		const uint8_t *first = rte_pktmbuf_mtod_offset(worker->tx[0], const uint8_t *, 14);
		static const uint8_t offsets[3] = {0, 3, 2}; // the others as they came

		assert_int_equal(ip[7], offsets[i]);
		assert_memory_equal(ip + 4, first + 4, 2);
		assert_memory_equal(ip + 16, &member, 4);
		assert_int_equal(weir_checksum(ip, 20), 0);
	}
	while (worker->nb_tx > 0)
		rte_pktmbuf_free(worker->tx[--worker->nb_tx]);
}

// Makes a frame that went to the peer one that comes from it.
static void turn_around(uint8_t *frame)
{
	uint8_t *ip = frame + 14;
	uint8_t address[4];

	memcpy(frame, own_mac, 6);
	memcpy(address, ip + 12, 4);
	memcpy(ip + 12, ip + 16, 4);
	memcpy(ip + 16, address, 4);
}

static void fragments_without_a_first_are_passed_once(void **state)
{
	struct weir_worker *worker = &engine.workers[0];
	struct weir_node *node = atomic_load(&engine.config)->node;
	uint64_t drops = drops_of(WEIR_DROP_FRAGMENT_NO_FIRST);
	struct weir_packet packet;

	(void)state;
	weir_fragment_cache_init(&worker->fragments, 1, 1);
	run(make_fragment(8, 2, false));
	poll_fragments();
	assert_int_equal(drops_of(WEIR_DROP_FRAGMENT_NO_FIRST), drops + 1);
	assert_int_equal(worker->nb_tx, 0);

	node->peers[0] = weir_address_v4(inet_addr("10.1.0.52"));
	node->nb_peers = 1;
	run(make_fragment(9, 2, false));
	poll_fragments();
	assert_int_equal(drops_of(WEIR_DROP_FRAGMENT_NO_FIRST), drops + 1);
	assert_int_equal(worker->nb_tx, 1);
	struct rte_mbuf *mbuf = worker->tx[--worker->nb_tx];
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	assert_int_equal(weir_packet_parse(frame, rte_pktmbuf_data_len(mbuf), &packet),
			 WEIR_PARSE_L4);
	assert_int_equal(packet.destination_port, htons(6081));
	assert_true(weir_address_equal(&packet.destination, &node->peers[0]));
	assert_int_equal(packet.l3_length, 28 + 34);

	// As it is at the peer that it reaches, which has no first fragment either.
	turn_around(frame);
	run(mbuf);
	poll_fragments();
	assert_int_equal(worker->nb_tx, 0);
	assert_int_equal(drops_of(WEIR_DROP_FRAGMENT_NO_FIRST), drops + 2);
	node->nb_peers = 0;
	weir_fragment_cache_init(&worker->fragments, 0, 0);
}

static struct rte_mbuf *make_icmp_error(void)
{
	const struct row row = {"unreachable", WEIR_IP_ICMP, {"192.0.2.1", 0}, {"203.0.113.11", 0}};
	struct rte_mbuf *mbuf = make_packet(&row);
	uint8_t *ip = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, 14);
	uint8_t *quoted = ip + 28;
	uint16_t sum = 0;

	memset(ip + 20, 0, 8);
	ip[20] = 3;
	ip[3] = 56;
	memcpy(ip + 10, &sum, 2);
	sum = weir_checksum(ip, 20);
	memcpy(ip + 10, &sum, 2);
	memset(quoted, 0, 28);
	quoted[0] = 0x45;
	quoted[3] = 40;
	quoted[9] = TCP;
	memcpy(quoted + 12, ip + 16, 4); // sent by the VIP of a snat listener, which has no flow
	memcpy(quoted + 16, ip + 12, 4);
	quoted[21] = 80;
	return mbuf;
}

static void what_peers_get_is_limited(void **state)
{
	struct weir_worker *worker = &engine.workers[0];
	struct weir_node *node = atomic_load(&engine.config)->node;
	uint64_t drops = drops_of(WEIR_DROP_ICMP_NO_FLOW);
	uint32_t passed = 0;

	(void)state;
	node->peers[0] = weir_address_v4(inet_addr("10.1.0.52"));
	node->nb_peers = 1;
	weir_token_bucket_init(&worker->peer_passes, rte_get_tsc_hz(), 1, 10);
	for (int i = 0; i < 100; i++) {
		run(make_icmp_error());
		while (worker->nb_tx > 0) {
			rte_pktmbuf_free(worker->tx[--worker->nb_tx]);
			passed++;
		}
	}
	assert_in_range(passed, 10, 20);
	assert_int_equal(drops_of(WEIR_DROP_ICMP_NO_FLOW) - drops, 100 - passed);
	node->nb_peers = 0;
}

static void nothing_leaked(void **state)
{
	void *announcement; // of the data address, by apply_node()

	(void)state;
	while (rte_ring_dequeue(engine.workers[0].outbound, &announcement) == 0)
		rte_pktmbuf_free(announcement);
	assert_int_equal(rte_mempool_in_use_count(engine.mbufs), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_of_the_table),
		cmocka_unit_test(snat_replies_come_back_to_the_client),
		cmocka_unit_test(counters_tell_flows_packets_and_ends),
		cmocka_unit_test(a_flow_in_mid_flow_is_not_counted_as_new),
		cmocka_unit_test(an_idle_flow_expires_and_is_counted),
		cmocka_unit_test(echo_requests_are_answered_for_vips_and_the_data_address),
		cmocka_unit_test(early_fragments_follow_their_first),
		cmocka_unit_test(fragments_without_a_first_are_passed_once),
		cmocka_unit_test(what_peers_get_is_limited),
		cmocka_unit_test(configurations_are_refused_by_name),
		cmocka_unit_test(an_older_configuration_changes_nothing),
		cmocka_unit_test(the_flood_rule_spares_entries_not_packets),
		cmocka_unit_test(active_flows_of_a_listener_and_a_source_are_limited),
		cmocka_unit_test(a_condemned_flow_is_reset_on_both_sides),
		cmocka_unit_test(a_full_table_forwards_dnat_by_maglev_and_drops_snat),
		cmocka_unit_test(nothing_leaked),
	};

	return cmocka_run_group_tests(tests, start_engine, stop_engine);
}
