// SPDX-License-Identifier: Apache-2.0

#include "tests/bench/lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_malloc.h>

#include "datapath/flow_records.h"
#include "lib/drop_reason.h"
#include "main/worker.h"

const char *const lab_mode_names[LAB_NB_MODES] = {"dnat", "snat", "dsr", "tunnel"};
const uint8_t lab_own_mac[6] = {2, 0, 0, 0, 0, 1};
const uint8_t lab_router_mac[6] = {2, 0, 0, 0, 0, 2};

enum {
	MAGLEV_SIZE = 1609, // a prime above 100 x members
	DATA_ADDRESS = 0x0a01000b,
	ROUTER_ADDRESS = 0x0a010001,
	SNAT_NETWORK = 0x0a020000,
	ANY_SWEEPS = 64,
};

static const Weir__V1__ForwardingMode modes[LAB_NB_MODES] = {
	WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_DNAT,
	WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_SNAT,
	WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_DSR,
	WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_TUNNEL,
};

uint32_t lab_vip(uint32_t lb)
{
	return UINT32_C(0xcb007110) + lb; // 203.0.113.16
}

static uint32_t member_address(uint32_t lb, uint32_t member)
{
	return UINT32_C(0x0a010100) + lb * LAB_MEMBERS + member; // 10.1.1.0
}

static ProtobufCBinaryData address_bytes(weir_be32_t *room, uint32_t address)
{
	*room = weir_be32(address);
	return (ProtobufCBinaryData){4, (uint8_t *)room};
}

static void know_neighbour(struct lab *lab, uint32_t host_order, const uint8_t *mac)
{
	struct weir_address address = weir_address_v4(weir_be32(host_order));
	struct weir_neighbour *slots = lab->engine.neighbours.slots;
	uint32_t at = weir_neighbour_hash(&address);
	uint64_t word = 0;

	while (slots[at].used_slot != 0)
		at = (at + 1) & (WEIR_NEIGHBOUR_SLOTS - 1);
	memcpy(&word, mac, RTE_ETHER_ADDR_LEN);
	slots[at].address = address;
	atomic_store(&slots[at].mac, word | WEIR_NEIGHBOUR_RESOLVED);
	atomic_store(&slots[at].used_slot, 1);
}

static int apply_node(struct lab *lab)
{
	Weir__V1__ApplyNodeRequest request = WEIR__V1__APPLY_NODE_REQUEST__INIT;
	Weir__V1__NodeConfig node = WEIR__V1__NODE_CONFIG__INIT;
	Weir__V1__Route route = WEIR__V1__ROUTE__INIT;
	Weir__V1__Prefix everything = WEIR__V1__PREFIX__INIT;
	Weir__V1__Prefix snat = WEIR__V1__PREFIX__INIT;
	Weir__V1__Prefix tunnel = WEIR__V1__PREFIX__INIT;
	Weir__V1__Route *routes[] = {&route};
	Weir__V1__Prefix *snat_ranges[] = {&snat};
	Weir__V1__Prefix *tunnel_sources[] = {&tunnel};
	weir_be32_t rooms[5];
	struct weir_reject reject = {0};
	uint8_t packed[512];

	node.data_address = address_bytes(&rooms[0], DATA_ADDRESS);
	node.data_prefix_length = 16;
	node.mtu = LAB_MTU;
	everything.address = address_bytes(&rooms[1], 0);
	route.prefix = &everything;
	route.next_hop = address_bytes(&rooms[2], ROUTER_ADDRESS);
	node.routes = routes;
	node.n_routes = 1;
	snat.address = address_bytes(&rooms[3], SNAT_NETWORK);
	snat.length = 28;
	node.snat_ranges = snat_ranges;
	node.n_snat_ranges = 1;
	tunnel.address = address_bytes(&rooms[4], SNAT_NETWORK + 256);
	tunnel.length = 24;
	node.tunnel_source_prefixes = tunnel_sources;
	node.n_tunnel_source_prefixes = 1;
	request.epoch = 1;
	request.sequence = 1;
	request.node = &node;
	struct weir_bytes raw = {packed, weir__v1__apply_node_request__pack(&request, packed)};
	int ret = weir_apply_node(&lab->control, raw, &reject);
	if (ret != 0)
		fprintf(stderr, "node refused: %s\n", reject.reason);
	return ret;
}

struct lb_rooms {
	weir_be32_t vip;
	weir_be32_t addresses[LAB_MEMBERS];
	char member_ids[LAB_MEMBERS][16];
	Weir__V1__Member members[LAB_MEMBERS];
	Weir__V1__MemberPort ports[LAB_MEMBERS];
	Weir__V1__Member *member_list[LAB_MEMBERS];
};

static void fill_members(struct lb_rooms *rooms, uint32_t lb, enum lab_mode mode)
{
	for (uint32_t i = 0; i < LAB_MEMBERS; i++) {
		Weir__V1__Member *member = &rooms->members[i];

		weir__v1__member__init(member);
		weir__v1__member_port__init(&rooms->ports[i]);
		snprintf(rooms->member_ids[i], sizeof(rooms->member_ids[i]), "mbr_%u", i);
		member->member_id = rooms->member_ids[i];
		member->address = address_bytes(&rooms->addresses[i], member_address(lb, i));
		member->weight = 1;
		member->enabled = true;
		if (mode == LAB_DNAT || mode == LAB_SNAT) {
			rooms->ports[i].mapping_case = WEIR__V1__MEMBER_PORT__MAPPING_FIXED;
			rooms->ports[i].fixed = LAB_MEMBER_PORT;
		} else {
			rooms->ports[i].mapping_case = WEIR__V1__MEMBER_PORT__MAPPING_KEEP;
			rooms->ports[i].keep = true;
		}
		member->port = &rooms->ports[i];
		rooms->member_list[i] = member;
	}
}

static int apply_lb(struct lab *lab, uint32_t lb, enum lab_mode mode)
{
	Weir__V1__LoadBalancerConfig config = WEIR__V1__LOAD_BALANCER_CONFIG__INIT;
	Weir__V1__VipAttachment vip = WEIR__V1__VIP_ATTACHMENT__INIT;
	Weir__V1__VipAttachment *vips[] = {&vip};
	Weir__V1__Listener listener = WEIR__V1__LISTENER__INIT;
	Weir__V1__Listener *listeners[] = {&listener};
	Weir__V1__ListenerLimits limits = WEIR__V1__LISTENER_LIMITS__INIT;
	Weir__V1__PortRange range = WEIR__V1__PORT_RANGE__INIT;
	Weir__V1__PortRange *ranges[] = {&range};
	Weir__V1__Pool pool = WEIR__V1__POOL__INIT;
	Weir__V1__Pool *pools[] = {&pool};
	struct weir_reject reject = {0};
	struct lb_rooms rooms;
	uint8_t packed[8192];
	char id[16];

	snprintf(id, sizeof(id), "lb_%u", lb);
	vip.vip_id = id;
	vip.address = address_bytes(&rooms.vip, lab_vip(lb));
	vip.claim_sequence = 1;
	range.first = LAB_VIP_PORT;
	range.last = LAB_VIP_PORT;
	listener.listener_id = (char *)"lst";
	listener.protocol = WEIR__V1__PROTOCOL__PROTOCOL_TCP;
	listener.port_ranges = ranges;
	listener.n_port_ranges = 1;
	listener.pool_id = (char *)"pool";
	listener.flow_tracking = WEIR__V1__FLOW_TRACKING__FLOW_TRACKING_STATEFUL;
	listener.enabled = true;
	// Asked about each new flow, reached by none.
	limits.new_flows_per_s = UINT32_MAX;
	limits.active_flows = UINT32_MAX;
	listener.limits = &limits;
	fill_members(&rooms, lb, mode);
	pool.pool_id = (char *)"pool";
	pool.algorithm = WEIR__V1__ALGORITHM__ALGORITHM_MAGLEV;
	pool.forwarding_mode = modes[mode];
	pool.maglev_table_size = MAGLEV_SIZE;
	pool.members = rooms.member_list;
	pool.n_members = LAB_MEMBERS;
	config.load_balancer_id = id;
	config.project_id = (char *)"prj";
	config.enabled = true;
	config.vips = vips;
	config.n_vips = 1;
	config.listeners = listeners;
	config.n_listeners = 1;
	config.pools = pools;
	config.n_pools = 1;
	struct weir_bytes raw = {packed, weir__v1__load_balancer_config__pack(&config, packed)};
	int ret = weir_apply_lb(&lab->control, 1, 1, raw, NULL, 0, &reject);
	if (ret != 0 && strcmp(reject.code, "UNSUPPORTED_FEATURE") == 0)
		return -ENOTSUP;
	if (ret != 0)
		fprintf(stderr, "%s refused: %s: %s\n", id, reject.code, reject.reason);
	return ret;
}

static int start_worker(struct lab *lab, uint32_t index, uint32_t flow_entries)
{
	struct weir_engine *engine = &lab->engine;
	struct weir_worker *worker = &engine->workers[index];
	char name[32];

	worker->engine = engine;
	worker->index = index;
	worker->rng = index + 1;
	worker->owns_port = true;
	worker->now = lab_now();
	snprintf(name, sizeof(name), "in%u%p", index, (void *)lab);
	worker->inbound = rte_ring_create(name, 1024, SOCKET_ID_ANY, RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "out%u%p", index, (void *)lab);
	worker->outbound = rte_ring_create(name, 1024, SOCKET_ID_ANY, RING_F_SC_DEQ);
	if (worker->inbound == NULL || worker->outbound == NULL)
		return -ENOMEM;
	struct weir_flow_ring *ring = rte_zmalloc("records", sizeof(*ring), RTE_CACHE_LINE_SIZE);
	if (ring == NULL)
		return -ENOMEM;
	atomic_store(&worker->flow_ring, ring);
	struct weir_flow_memory memory = weir_flow_file_memory(&engine->file, index);
	return weir_flow_table_init(&worker->table, &memory, flow_entries,
				    engine->file.header->flow_key);
}

static int start_engine(struct lab *lab, struct rte_mempool *mbufs, uint32_t nb_workers,
			uint32_t flow_entries)
{
	struct weir_engine *engine = &lab->engine;
	char name[32];

	engine->options = (struct weir_options){.state_dir = lab->dir,
						.shm_dir = lab->dir,
						.flow_entries = flow_entries,
						.flood_new_flows_per_s = LAB_FLOOD_NEW_FLOWS_PER_S};
	engine->nb_workers = nb_workers;
	engine->mbufs = mbufs;
	memcpy(&engine->mac, lab_own_mac, 6);
	snprintf(name, sizeof(name), "punts%p", (void *)lab);
	engine->punts = rte_ring_create(name, 1024, SOCKET_ID_ANY, 0);
	engine->qsbr = rte_zmalloc("qsbr", rte_rcu_qsbr_get_memsize(1), 64);
	if (engine->punts == NULL || engine->qsbr == NULL ||
	    rte_rcu_qsbr_init(engine->qsbr, 1) != 0)
		return -ENOMEM;
	int ret = weir_flow_file_open(&engine->file, lab->dir, nb_workers, flow_entries,
				      WEIR_KEEP_FLOWS);
	if (ret == 0)
		weir_rss_init(&engine->rss, engine->file.header->flow_key, nb_workers);
	for (uint32_t w = 0; ret == 0 && w < nb_workers; w++)
		ret = start_worker(lab, w, flow_entries);
	return ret;
}

// What the control thread sends, such as ARP requests, has nobody to answer it.
static void discard_outbound(struct weir_worker *worker)
{
	void *mbuf;

	while (rte_ring_dequeue(worker->outbound, &mbuf) == 0)
		rte_pktmbuf_free(mbuf);
}

static int configure(struct lab *lab, enum lab_mode mode)
{
	lab->control.engine = &lab->engine;
	lab->control.listen_fd = -1;
	know_neighbour(lab, ROUTER_ADDRESS, lab_router_mac);
	int ret = apply_node(lab);
	for (uint32_t lb = 0; ret == 0 && lb < LAB_LBS; lb++) {
		for (uint32_t i = 0; i < LAB_MEMBERS; i++) {
			const uint8_t mac[6] = {2, 0, 0, 1, (uint8_t)lb, (uint8_t)i};

			know_neighbour(lab, member_address(lb, i), mac);
		}
		ret = apply_lb(lab, lb, mode);
	}
	if (ret == 0)
		ret = weir_config_publish(&lab->control);
	if (ret != 0)
		return ret;
	for (uint32_t w = 0; w < lab->engine.nb_workers; w++) {
		discard_outbound(&lab->engine.workers[w]);
		weir_worker_adopt_snat(&lab->engine.workers[w],
				       &atomic_load(&lab->engine.config)->node->snat[w]);
	}
	return 0;
}

int lab_start(struct lab *lab, struct rte_mempool *mbufs, uint32_t nb_workers,
	      uint32_t flow_entries, enum lab_mode mode)
{
	memset(lab, 0, sizeof(*lab));
	snprintf(lab->dir, sizeof(lab->dir), "/dev/shm/weir-bench-XXXXXX");
	if (mkdtemp(lab->dir) == NULL)
		return -errno;
	int ret = start_engine(lab, mbufs, nb_workers, flow_entries);
	if (ret == 0)
		ret = configure(lab, mode);
	return ret;
}

void lab_stop(struct lab *lab)
{
	struct weir_engine *engine = &lab->engine;
	char command[96];

	for (uint32_t i = 0; i < lab->control.nb_lbs; i++)
		weir_lb_release(lab->control.lbs[i]);
	free(lab->control.lbs);
	if (lab->control.node != NULL)
		weir_node_release(lab->control.node);
	for (uint32_t w = 0; w < engine->nb_workers; w++) {
		weir_flow_table_destroy(&engine->workers[w].table);
		rte_free(atomic_load(&engine->workers[w].flow_ring));
		rte_ring_free(engine->workers[w].inbound);
		rte_ring_free(engine->workers[w].outbound);
	}
	rte_ring_free(engine->punts);
	rte_free(engine->qsbr);
	weir_flow_file_close(&engine->file);
	snprintf(command, sizeof(command), "rm -rf %s", lab->dir);
	if (system(command) != 0)
		fprintf(stderr, "%s stays\n", lab->dir);
}

struct weir_flow_counters lab_counters(const struct lab *lab, uint32_t worker)
{
	struct weir_flow_counters sum = {0};

	for (uint32_t id = 0; id < LAB_LBS * LAB_MEMBERS; id++) {
		const struct weir_flow_counters *one = &lab->engine.file.counters[worker][id];

		sum.in_packets += one->in_packets;
		sum.out_packets += one->out_packets;
		sum.new_flows += one->new_flows;
		sum.adopted_flows += one->adopted_flows;
		sum.active_flows += one->active_flows;
	}
	return sum;
}

static uint64_t drops_of(const struct lab *lab, uint32_t worker, enum weir_drop_reason reason)
{
	uint64_t sum = 0;

	for (uint32_t lb = 0; lb <= LAB_LBS; lb++)
		sum += *weir_drop_counter(&lab->engine.file, worker, lb, reason);
	return sum;
}

uint64_t lab_drops(const struct lab *lab, uint32_t worker)
{
	uint64_t sum = 0;

	for (int reason = 0; reason < WEIR_DROP_NB_REASONS; reason++)
		sum += drops_of(lab, worker, (enum weir_drop_reason)reason);
	return sum;
}

void lab_print_drops(const struct lab *lab, uint32_t worker)
{
	for (int reason = 0; reason < WEIR_DROP_NB_REASONS; reason++) {
		uint64_t packets = drops_of(lab, worker, (enum weir_drop_reason)reason);

		if (packets > 0)
			fprintf(stderr, "  dropped as %s: %lu\n",
				weir_drop_reason_name((enum weir_drop_reason)reason), packets);
	}
}

void lab_take_records(struct weir_worker *worker)
{
	struct weir_flow_ring *ring = atomic_load(&worker->flow_ring);

	atomic_store_explicit(&ring->tail, atomic_load_explicit(&ring->head, memory_order_acquire),
			      memory_order_release);
}

// How far the workers' clock runs ahead of the real one.
static uint32_t ahead;

uint32_t lab_now(void)
{
	return weir_tick_now() + ahead;
}

void lab_advance(uint32_t ticks)
{
	ahead += ticks;
}

void lab_expire_all(struct weir_worker *worker)
{
	// Past every timeout there is; then a sweep per tick until none is left.
	lab_advance(WEIR_TICKS_PER_SECOND * 24 * 3600);
	for (int turn = 0; turn < ANY_SWEEPS && weir_flow_table_used(&worker->table) > 0; turn++) {
		lab_advance(1);
		worker->now = lab_now();
		weir_flow_sweep(worker);
	}
}
