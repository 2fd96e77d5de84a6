// SPDX-License-Identifier: Apache-2.0

#include "main/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

#include "datapath/datapath.h"
#include "main/log.h"
#include "main/placement.h"
#include "main/port.h"
#include "main/steering.h"

enum { NB_MBUFS = 8191, MBUF_CACHE = 128, RING_SIZE = 1024 };

int weir_start_heartbeat(struct weir_engine *engine)
{
	const char *path = engine->options.heartbeat_path;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || ftruncate(fd, sizeof(struct weir_heartbeat)) != 0) {
		int error = errno;

		weir_error("heartbeat file can't be made: path=%s error=%s", path, strerror(error));
		if (fd >= 0)
			close(fd);
		return -error;
	}
	void *memory = mmap(NULL, sizeof(struct weir_heartbeat), PROT_READ | PROT_WRITE, MAP_SHARED,
			    fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		return -errno;
	engine->heartbeat = memory;
	atomic_store(&engine->heartbeat->state, WEIR_ENGINE_STARTING);
	engine->heartbeat->nb_lcores = engine->nb_workers;
	engine->heartbeat->magic = WEIR_HEARTBEAT_MAGIC;
	atomic_store(&engine->heartbeat->engine_start_id, engine->start_id);
	return 0;
}

// What the port and all workers touch lies beside the port; workers elsewhere pay for every packet.
static int shared_socket(uint16_t port)
{
	unsigned int lcores[RTE_MAX_LCORE];
	int sockets[RTE_MAX_LCORE];
	struct weir_placement placement = {.port_socket = rte_eth_dev_socket_id(port),
					   .lcores = lcores,
					   .lcore_sockets = sockets};
	char remote[128];
	unsigned int lcore;

	RTE_LCORE_FOREACH_WORKER (lcore) {
		lcores[placement.nb_workers] = lcore;
		sockets[placement.nb_workers++] = (int)rte_lcore_to_socket_id(lcore);
	}
	if (weir_placement_remote(&placement, remote, sizeof(remote)) > 0)
		weir_warn("workers are on another NUMA socket than their port: port=%u socket=%d "
			  "lcores=%s (choose lcores of that socket in --lcores)",
			  port, weir_placement_shared(&placement), remote);
	return weir_placement_shared(&placement);
}

static int keep_for_kernel(const struct weir_engine *engine)
{
	const struct weir_options *options = &engine->options;
	struct rte_eth_dev_info info;

	if (options->nb_kernel_addresses == 0)
		return 0;
	int ret = rte_eth_dev_info_get(engine->port, &info);
	if (ret == 0)
		ret = weir_steering_keep(info.if_index, options->kernel_addresses,
					 options->nb_kernel_addresses);
	if (ret != 0)
		weir_error("--kernel-address needs the steering program on the port: give EAL "
			   "--vdev net_af_xdp0,iface=DEV,xdp_prog=PATH/steer.bpf.o: error=%s",
			   strerror(-ret));
	return ret;
}

int weir_start_port(struct weir_engine *engine)
{
	engine->port = engine->options.port;
	engine->us_per_tsc = (UINT64_C(1000000) << 32) / rte_get_tsc_hz();
	if (!rte_eth_dev_is_valid_port(engine->port)) {
		weir_error("DPDK has no port %u: give EAL a device, such as "
			   "--vdev net_af_packet0,iface=data0",
			   engine->port);
		return -ENODEV;
	}
	int socket = shared_socket(engine->port);
	weir_port_plan(engine);
	engine->mbufs = rte_pktmbuf_pool_create("mbufs", engine->nb_queues * (NB_MBUFS + 1U) - 1,
						MBUF_CACHE, WEIR_MBUF_PRIVATE_SIZE,
						RTE_MBUF_DEFAULT_BUF_SIZE, socket);
	engine->punts = rte_ring_create("punts", RING_SIZE, socket, RING_F_SC_DEQ);
	if (engine->mbufs == NULL || engine->punts == NULL) {
		weir_error("no memory for packets: give EAL more, such as -m 192: error=%s",
			   rte_strerror(rte_errno));
		return -ENOMEM;
	}
	engine->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (engine->wake_fd < 0)
		return -errno;
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(engine->port, &info);
	if (ret == 0 && info.if_index != 0)
		weir_steering_clear(info.if_index);
	if (ret == 0)
		ret = weir_port_start(engine);
	if (ret != 0)
		weir_error("port %u does not start: error=%s", engine->port, rte_strerror(-ret));
	return ret != 0 ? ret : keep_for_kernel(engine);
}

int weir_start_workers(struct weir_engine *engine)
{
	size_t size = rte_rcu_qsbr_get_memsize(WEIR_MAX_WORKERS);
	uint32_t index = 0;
	unsigned int lcore;
	char name[32];

	engine->qsbr = rte_zmalloc("qsbr", size, RTE_CACHE_LINE_SIZE);
	if (engine->qsbr == NULL || rte_rcu_qsbr_init(engine->qsbr, WEIR_MAX_WORKERS) != 0)
		return -ENOMEM;
	RTE_LCORE_FOREACH_WORKER (lcore) {
		struct weir_worker *worker = &engine->workers[index];

		worker->engine = engine;
		worker->index = index;
		worker->lcore = lcore;
		worker->rng = (uint32_t)random() | 1;
		snprintf(name, sizeof(name), "inbound%u", index);
		int socket = (int)rte_lcore_to_socket_id(lcore);
		worker->inbound = rte_ring_create(name, RING_SIZE, socket, RING_F_SC_DEQ);
		// The ring is the first worker's, others without a queue of the port write to it.
		snprintf(name, sizeof(name), "outbound%u", index);
		worker->outbound = index == 0 ? rte_ring_create(name, RING_SIZE,
								(int)rte_socket_id(), RING_F_SC_DEQ)
					      : engine->workers[0].outbound;
		if (worker->inbound == NULL || worker->outbound == NULL ||
		    rte_rcu_qsbr_thread_register(engine->qsbr, index) != 0)
			return -ENOMEM;
		index++;
	}
	return 0;
}

static bool keep_flow(const struct weir_flow *flow, void *arg)
{
	const struct weir_flow_file *file = arg;

	if (flow->binding_id >= file->header->nb_bindings || !file->bindings[flow->binding_id].used)
		return false;
	const struct weir_target *target = weir_flow_target(file, flow);
	return target->backend_id < file->header->nb_backends &&
	       file->backends[target->backend_id].used && target->lb_id < file->header->nb_lbs &&
	       file->lbs[target->lb_id].used &&
	       (flow->protocol == WEIR_IP_TCP || flow->protocol == WEIR_IP_UDP);
}

// Gauges are counted anew: a kill may have come between an entry and its count.
static void count_flows(struct weir_worker *worker)
{
	struct weir_flow_file *file = &worker->engine->file;
	struct weir_flow_counters *counters = file->counters[worker->index];
	struct weir_flow *flow;
	uint32_t cursor = 0;

	for (uint32_t id = 0; id < file->header->nb_bindings; id++) {
		if (!file->bindings[id].used)
			continue;
		counters[id].active_flows = 0;
		counters[id].held_flows = 0;
		counters[id].half_open_flows = 0;
	}
	for (uint32_t id = 0; id < file->header->nb_backends; id++)
		if (file->backends[id].used)
			file->backend_active[worker->index][id] = 0;
	while ((flow = weir_flow_next(&worker->table, &cursor)) != NULL) {
		if (flow->state == WEIR_FLOW_FREE)
			continue;
		// Counts of sources began anew with the process.
		flow->flags &= (uint8_t)~WEIR_FLOW_COUNTED;
		counters[flow->binding_id].held_flows++;
		counters[flow->binding_id].half_open_flows += flow->state == WEIR_FLOW_SYN_SENT;
		if (flow->flags & WEIR_FLOW_ENDED)
			continue;
		counters[flow->binding_id].active_flows++;
		file->backend_active[worker->index][weir_flow_target(file, flow)->backend_id]++;
	}
}

int weir_start_flows(struct weir_engine *engine)
{
	struct weir_flow_file *file = &engine->file;
	int ret = weir_flow_file_open(file, engine->options.shm_dir, engine->nb_workers,
				      engine->options.flow_entries, engine->options.flow_wish);

	if (ret == -EBUSY)
		weir_error(
			"the flow table in %s was made by another version or for other "
			"--flow-entries or lcores, and holds flows: drain the node with the engine "
			"that made it, or start with --discard-flows and cut them off",
			engine->options.shm_dir);
	if (ret != 0) {
		weir_error("flow table can't be mapped: dir=%s error=%s%s", engine->options.shm_dir,
			   strerror(-ret),
			   ret == -EWOULDBLOCK ? " (another engine of this node runs)" : "");
		return ret;
	}
	// By the key of the mapping: recovered flows stay with their workers.
	weir_rss_init(&engine->rss, file->header->flow_key, engine->nb_workers);
	for (uint32_t w = 0; w < engine->nb_workers; w++) {
		struct weir_worker *worker = &engine->workers[w];
		struct weir_flow_memory memory = weir_flow_file_memory(file, w);

		weir_placement_prefer((int)rte_lcore_to_socket_id(worker->lcore));
		ret = weir_flow_table_init(&worker->table, &memory, engine->options.flow_entries,
					   file->header->flow_key);
		if (ret != 0)
			return ret;
		if (file->recovered)
			engine->flows_recovered +=
				weir_flow_table_recover(&worker->table, keep_flow, file);
		count_flows(worker);
	}
	if (file->discarded)
		weir_warn("a flow table that held flows was discarded, they are cut off: dir=%s",
			  engine->options.shm_dir);
	weir_placement_prefer(-1);
	// Without them persistence holds by the Maglev table alone, and sums of flows take longer.
	ret = weir_pins_open(&engine->pins, engine->options.shm_dir, file->header->counters_id,
			     file->header->flow_key);
	if (ret != 0)
		weir_error("sources can't be pinned to members: dir=%s error=%s",
			   engine->options.shm_dir, strerror(-ret));
	engine->limits_of = calloc(WEIR_MAX_BINDINGS, sizeof(*engine->limits_of));
	if (engine->limits_of == NULL)
		return -ENOMEM;
	for (uint32_t w = 0; w < engine->nb_workers; w++)
		engine->workers[w].loads = calloc(WEIR_MAX_BACKENDS, sizeof(struct weir_load));
	weir_info("flow table mapped: recovered=%d flows=%lu capacity=%u", file->recovered,
		  engine->flows_recovered, engine->options.flow_entries * engine->nb_workers);
	return 0;
}
