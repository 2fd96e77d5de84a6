// SPDX-License-Identifier: Apache-2.0

#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "lib/packet_parse.h"

// Memory of one reply, freed at once when it has been sent.
struct arena {
	void **blocks;
	size_t nb;
};

static void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
	void **grown = realloc(arena->blocks, (arena->nb + 1) * sizeof(void *));

	if (grown == NULL)
		return NULL;
	arena->blocks = grown;
	void *block = calloc(count > 0 ? count : 1, size);
	if (block != NULL)
		arena->blocks[arena->nb++] = block;
	return block;
}

static void arena_free(struct arena *arena)
{
	for (size_t i = 0; i < arena->nb; i++)
		free(arena->blocks[i]);
	free(arena->blocks);
}

static void send_out_of_memory(struct weir_connection *connection, uint64_t request_id)
{
	weir_api_error(connection, request_id, WEIR__V1__ERROR_CODE__ERROR_CODE_INTERNAL,
		       "out of memory");
}

// An address in its family's own bytes; `address` must outlive the reply.
ProtobufCBinaryData weir_address_message(const struct weir_address *address)
{
	uint8_t *bytes = (uint8_t *)(uintptr_t)address->bytes;

	if (weir_address_is_v4(address))
		return (ProtobufCBinaryData){4, bytes + 12};
	return (ProtobufCBinaryData){16, bytes};
}

// counters

static struct weir_flow_counters sum_counters(const struct weir_flow_file *file, uint32_t id)
{
	struct weir_flow_counters sum = {0};

	for (uint32_t w = 0; w < file->header->nb_workers; w++) {
		const struct weir_flow_counters *c = &file->counters[w][id];

		sum.in_packets += c->in_packets;
		sum.in_bytes += c->in_bytes;
		sum.out_packets += c->out_packets;
		sum.out_bytes += c->out_bytes;
		sum.new_flows += c->new_flows;
		sum.active_flows += c->active_flows;
		sum.adopted_flows += c->adopted_flows;
		sum.half_open_flows += c->half_open_flows;
		for (int e = 0; e < WEIR_END_NB; e++)
			sum.ended[e] += c->ended[e];
	}
	return sum;
}

static void fill_counters(Weir__V1__FlowCounters *out, const struct weir_flow_file *file,
			  uint32_t id)
{
	const struct weir_binding_record *binding = &file->bindings[id];
	struct weir_flow_counters sum = sum_counters(file, id);

	weir__v1__flow_counters__init(out);
	out->project_id = file->lbs[binding->lb_id].project_id;
	out->load_balancer_id = file->lbs[binding->lb_id].lb_id;
	out->listener_id = (char *)(uintptr_t)binding->listener_id;
	out->member_id = file->backends[binding->backend_id].member_id;
	out->in_packets = sum.in_packets;
	out->in_bytes = sum.in_bytes;
	out->out_packets = sum.out_packets;
	out->out_bytes = sum.out_bytes;
	out->new_flows = sum.new_flows;
	out->active_flows = sum.active_flows > 0 ? (uint64_t)sum.active_flows : 0;
	out->ended_fin = sum.ended[WEIR_END_FIN];
	out->ended_rst = sum.ended[WEIR_END_RST];
	out->ended_timeout = sum.ended[WEIR_END_TIMEOUT];
	out->ended_evicted = sum.ended[WEIR_END_EVICTED];
	out->ended_drained = sum.ended[WEIR_END_DRAINED];
	out->half_open_flows = sum.half_open_flows > 0 ? (uint64_t)sum.half_open_flows : 0;
	out->adopted_flows = sum.adopted_flows;
}

static uint64_t sum_drops(const struct weir_flow_file *file, uint32_t lb_id, uint32_t reason)
{
	uint64_t sum = 0;

	for (uint32_t w = 0; w <= file->header->nb_workers; w++)
		sum += *weir_drop_counter(file, w, lb_id, reason);
	return sum;
}

static int fill_drops(struct arena *arena, const struct weir_flow_file *file,
		      Weir__V1__GetCountersReply *reply)
{
	size_t nb = 0;

	for (uint32_t lb = 0; lb < file->header->nb_lbs; lb++)
		for (uint32_t r = 1; file->lbs[lb].used && r < WEIR_DROP_NB_REASONS; r++)
			nb += sum_drops(file, lb, r) != 0;
	Weir__V1__DropCounter *drops = arena_alloc(arena, nb, sizeof(*drops));
	reply->drops = arena_alloc(arena, nb, sizeof(*reply->drops));
	if (drops == NULL || reply->drops == NULL)
		return -1;
	for (uint32_t lb = 0; lb < file->header->nb_lbs; lb++) {
		for (uint32_t r = 1; file->lbs[lb].used && r < WEIR_DROP_NB_REASONS; r++) {
			uint64_t sum = sum_drops(file, lb, r);

			if (sum == 0 || reply->n_drops == nb)
				continue;
			Weir__V1__DropCounter *drop = &drops[reply->n_drops];
			weir__v1__drop_counter__init(drop);
			drop->load_balancer_id = (char *)(uintptr_t)file->lbs[lb].lb_id;
			drop->reason = (char *)(uintptr_t)weir_drop_reason_name(r);
			drop->packets = sum;
			reply->drops[reply->n_drops++] = drop;
		}
	}
	return 0;
}

void weir_reply_counters(struct weir_control *control, struct weir_connection *connection,
			 uint64_t request_id)
{
	const struct weir_flow_file *file = &control->engine->file;
	Weir__V1__GetCountersReply reply = WEIR__V1__GET_COUNTERS_REPLY__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;
	struct arena arena = {0};
	size_t nb = 0;

	for (uint32_t id = 0; id < file->header->nb_bindings; id++)
		nb += file->bindings[id].used;
	Weir__V1__FlowCounters *counters = arena_alloc(&arena, nb, sizeof(*counters));
	reply.counters = arena_alloc(&arena, nb, sizeof(*reply.counters));
	if (counters == NULL || reply.counters == NULL || fill_drops(&arena, file, &reply) != 0) {
		send_out_of_memory(connection, request_id);
		arena_free(&arena);
		return;
	}
	for (uint32_t id = 0; id < file->header->nb_bindings; id++) {
		if (!file->bindings[id].used)
			continue;
		fill_counters(&counters[reply.n_counters], file, id);
		reply.counters[reply.n_counters] = &counters[reply.n_counters];
		reply.n_counters++;
	}
	reply.counters_id = file->header->counters_id;
	reply.taken_at_us = weir_unix_us();
	message.request_id = request_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_GET_COUNTERS;
	message.get_counters = &reply;
	weir_api_send(connection, &message);
	arena_free(&arena);
}

// status

static void fill_neighbours(struct weir_control *control, Weir__V1__NeighbourStatus *out,
			    Weir__V1__NeighbourStatus **list)
{
	static const char *const names[] = {"incomplete", "reachable", "stale"};

	for (uint32_t i = 0; i < control->nb_arp; i++) {
		struct weir_arp_entry *entry = &control->arp[i];
		struct weir_neighbour *slot =
			weir_neighbour_find(&control->engine->neighbours, &entry->address);

		weir__v1__neighbour_status__init(&out[i]);
		out[i].address = weir_address_message(&entry->address);
		if (slot != NULL && (atomic_load(&slot->mac) & WEIR_NEIGHBOUR_RESOLVED)) {
			out[i].mac.data = (uint8_t *)(uintptr_t)&slot->mac;
			out[i].mac.len = RTE_ETHER_ADDR_LEN;
		}
		out[i].state = (char *)(uintptr_t)names[entry->state];
		list[i] = &out[i];
	}
}

struct lcore_reply {
	Weir__V1__LcoreStatus lcore;
	Weir__V1__FlowTableClass classes[WEIR_FLOW_NB_CLASSES];
	Weir__V1__FlowTableClass *class_list[WEIR_FLOW_NB_CLASSES];
};

static void fill_classes(const struct weir_flow_table *table, struct lcore_reply *out)
{
	static const char *const names[WEIR_FLOW_NB_CLASSES] = {
		[WEIR_FLOW_DIRECT4] = "direct4",
		[WEIR_FLOW_NAT4] = "nat4",
		[WEIR_FLOW_DIRECT6] = "direct6",
		[WEIR_FLOW_NAT6] = "nat6",
	};

	for (enum weir_flow_class c = 0; c < WEIR_FLOW_NB_CLASSES; c++) {
		weir__v1__flow_table_class__init(&out->classes[c]);
		out->classes[c].name = (char *)(uintptr_t)names[c];
		out->classes[c].used = table->arenas[c].used;
		out->classes[c].entry_bytes = (uint32_t)weir_flow_size(c);
		out->class_list[c] = &out->classes[c];
	}
	out->lcore.classes = out->class_list;
	out->lcore.n_classes = WEIR_FLOW_NB_CLASSES;
}

static void fill_lcores(struct weir_engine *engine, struct lcore_reply *replies,
			Weir__V1__LcoreStatus **list, Weir__V1__GetStatusReply *reply)
{
	for (uint32_t w = 0; w < engine->nb_workers; w++) {
		struct weir_worker *worker = &engine->workers[w];
		Weir__V1__LcoreStatus *out = &replies[w].lcore;

		weir__v1__lcore_status__init(out);
		fill_classes(&worker->table, &replies[w]);
		out->flood_forwarded = worker->flood_forwarded;
		out->numa_socket = (int32_t)rte_lcore_to_socket_id(worker->lcore);
		out->residence_us_log2 = worker->residence;
		out->n_residence_us_log2 = WEIR_RESIDENCE_BUCKETS;
		out->flow_table_capacity = worker->table.nb_flows;
		out->lcore = worker->lcore;
		out->rx_packets = worker->rx_packets;
		out->tx_packets = worker->tx_packets;
		out->tx_dropped = worker->tx_dropped;
		out->flow_table_used = weir_flow_table_used(&worker->table);
		out->idle_sleeps = worker->idle_sleeps;
		reply->flow_table_used += out->flow_table_used;
		reply->flow_table_capacity += worker->table.nb_flows;
		list[w] = out;
	}
}

void weir_reply_status(struct weir_control *control, struct weir_connection *connection,
		       uint64_t request_id)
{
	struct weir_engine *engine = control->engine;
	Weir__V1__GetStatusReply reply = WEIR__V1__GET_STATUS_REPLY__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;
	struct lcore_reply lcores[WEIR_MAX_WORKERS];
	Weir__V1__LcoreStatus *lcore_list[WEIR_MAX_WORKERS];
	struct arena arena = {0};
	Weir__V1__NeighbourStatus *neighbours =
		arena_alloc(&arena, control->nb_arp, sizeof(*neighbours));

	reply.neighbours = arena_alloc(&arena, control->nb_arp, sizeof(*reply.neighbours));
	if (neighbours == NULL || reply.neighbours == NULL) {
		send_out_of_memory(connection, request_id);
		arena_free(&arena);
		return;
	}
	fill_neighbours(control, neighbours, reply.neighbours);
	fill_lcores(engine, lcores, lcore_list, &reply);
	reply.n_neighbours = control->nb_arp;
	reply.lcores = lcore_list;
	reply.n_lcores = engine->nb_workers;
	reply.engine_start_id = engine->start_id;
	reply.version = (char *)WEIR_VERSION;
	reply.uptime_us = weir_boot_us() - engine->started_us;
	reply.ready = engine->ready;
	reply.flows_recovered = engine->flows_recovered;
	reply.flow_table_discarded = engine->file.discarded;
	reply.flow_records_sent = control->flow_records_sent;
	reply.flow_records_lost = control->flow_records_lost;
	reply.packet_buffers = engine->mbufs->size;
	reply.packet_buffers_free = rte_mempool_avail_count(engine->mbufs);
	message.request_id = request_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_GET_STATUS;
	message.get_status = &reply;
	weir_api_send(connection, &message);
	arena_free(&arena);
}

// state

static int fill_applied(struct arena *arena, Weir__V1__AppliedLoadBalancer *out,
			const struct weir_lb *lb)
{
	weir__v1__applied_load_balancer__init(out);
	out->load_balancer_id = (char *)(uintptr_t)lb->id;
	out->epoch = lb->epoch;
	out->sequence = lb->sequence;
	out->generation = lb->generation;
	out->config_sha256.data = (uint8_t *)(uintptr_t)lb->config_sha256;
	out->config_sha256.len = sizeof(lb->config_sha256);
	out->unhealthy_member_ids = arena_alloc(arena, lb->nb_unhealthy, sizeof(char *));
	if (out->unhealthy_member_ids == NULL)
		return -1;
	for (uint32_t i = 0; i < lb->nb_unhealthy; i++)
		out->unhealthy_member_ids[out->n_unhealthy_member_ids++] = lb->unhealthy[i];
	return 0;
}

static int fill_lists(struct arena *arena, const struct weir_prefix_lists *lists,
		      Weir__V1__GetStateReply *reply)
{
	Weir__V1__AppliedPrefixList *applied = arena_alloc(arena, lists->nb, sizeof(*applied));

	reply->prefix_lists = arena_alloc(arena, lists->nb, sizeof(*reply->prefix_lists));
	if (applied == NULL || reply->prefix_lists == NULL)
		return -1;
	for (uint32_t i = 0; i < lists->nb; i++) {
		const struct weir_prefix_list *list = lists->lists[i];

		weir__v1__applied_prefix_list__init(&applied[i]);
		applied[i].prefix_list_id = (char *)(uintptr_t)list->id;
		applied[i].epoch = list->epoch;
		applied[i].sequence = list->sequence;
		applied[i].content_sha256.data = (uint8_t *)(uintptr_t)list->sha256;
		applied[i].content_sha256.len = sizeof(list->sha256);
		reply->prefix_lists[reply->n_prefix_lists++] = &applied[i];
	}
	return 0;
}

static int fill_drainings(struct arena *arena, struct weir_control *control,
			  Weir__V1__GetStateReply *reply)
{
	uint32_t nb = control->nb_drainings;
	Weir__V1__DrainingLoadBalancer *drainings = arena_alloc(arena, nb, sizeof(*drainings));

	reply->draining = arena_alloc(arena, nb, sizeof(*reply->draining));
	if (drainings == NULL || reply->draining == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < nb; i++) {
		struct weir_draining *draining = &control->drainings[i];

		weir__v1__draining_load_balancer__init(&drainings[i]);
		draining->told = true;
		drainings[i].load_balancer_id = control->engine->file.lbs[draining->lb_id].lb_id;
		drainings[i].drain_id = draining->drain_id;
		drainings[i].drain_deadline_us = draining->deadline_us;
		reply->draining[reply->n_draining++] = &drainings[i];
	}
	return 0;
}

void weir_reply_state(struct weir_control *control, struct weir_connection *connection,
		      uint64_t request_id)
{
	Weir__V1__GetStateReply reply = WEIR__V1__GET_STATE_REPLY__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;
	struct arena arena = {0};
	Weir__V1__AppliedLoadBalancer *applied =
		arena_alloc(&arena, control->nb_lbs, sizeof(*applied));
	bool failed = applied == NULL;

	reply.load_balancers = arena_alloc(&arena, control->nb_lbs, sizeof(*reply.load_balancers));
	failed = failed || reply.load_balancers == NULL;
	for (uint32_t i = 0; !failed && i < control->nb_lbs; i++) {
		failed = fill_applied(&arena, &applied[i], control->lbs[i]) != 0;
		reply.load_balancers[reply.n_load_balancers++] = &applied[i];
	}
	failed = failed || fill_drainings(&arena, control, &reply) != 0;
	failed = failed || fill_lists(&arena, &control->prefix_lists, &reply) != 0;
	if (failed) {
		send_out_of_memory(connection, request_id);
		arena_free(&arena);
		return;
	}
	if (control->node != NULL) {
		reply.node_epoch = control->node->epoch;
		reply.node_sequence = control->node->sequence;
	}
	message.request_id = request_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_GET_STATE;
	message.get_state = &reply;
	weir_api_send(connection, &message);
	arena_free(&arena);
}

// members

static const struct weir_backend *find_backend(const struct weir_control *control, uint32_t id)
{
	uint32_t at = control->lb_places[control->engine->file.backends[id].lb_id];
	const struct weir_lb *lb = at != 0 ? control->lbs[at - 1] : NULL;

	for (uint32_t p = 0; lb != NULL && p < lb->nb_pools; p++)
		for (uint32_t b = 0; b < lb->pools[p].nb_backends; b++)
			if (lb->pools[p].backends[b].backend_id == id)
				return &lb->pools[p].backends[b];
	return NULL;
}

static void fill_member(Weir__V1__EngineMember *out, const struct weir_control *control,
			uint32_t id, const struct weir_backend *backend)
{
	const struct weir_flow_file *file = &control->engine->file;
	const struct weir_backend_record *record = &file->backends[id];

	weir__v1__engine_member__init(out);
	out->load_balancer_id = (char *)(uintptr_t)file->lbs[record->lb_id].lb_id;
	out->pool_id = (char *)(uintptr_t)record->pool_id;
	out->member_id = (char *)(uintptr_t)record->member_id;
	out->backend_id = id;
	out->weight = backend != NULL && backend->enabled ? backend->weight : 0;
	out->healthy = backend != NULL && backend->healthy;
	out->drain_deadline_us = record->drain_deadline_us;
	out->draining = record->drain_deadline_us != 0;
	out->active_flows = weir_backend_active(file, id);
}

void weir_reply_members(struct weir_control *control, struct weir_connection *connection,
			uint64_t request_id, const Weir__V1__ListMembersRequest *request)
{
	const struct weir_flow_file *file = &control->engine->file;
	Weir__V1__ListMembersReply reply = WEIR__V1__LIST_MEMBERS_REPLY__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;
	struct arena arena = {0};
	size_t nb = 0;

	for (uint32_t id = 0; id < file->header->nb_backends; id++)
		nb += file->backends[id].used;
	Weir__V1__EngineMember *members = arena_alloc(&arena, nb, sizeof(*members));
	reply.members = arena_alloc(&arena, nb, sizeof(*reply.members));
	if (members == NULL || reply.members == NULL) {
		send_out_of_memory(connection, request_id);
		arena_free(&arena);
		return;
	}
	for (uint32_t id = 0; id < file->header->nb_backends; id++) {
		const struct weir_backend_record *record = &file->backends[id];

		if (!record->used ||
		    (request->load_balancer_id[0] != '\0' &&
		     strcmp(file->lbs[record->lb_id].lb_id, request->load_balancer_id) != 0))
			continue;
		const struct weir_backend *backend = find_backend(control, id);
		// A removed member is listed for as long as it holds flows.
		if (backend == NULL && weir_backend_active(file, id) == 0)
			continue;
		fill_member(&members[reply.n_members], control, id, backend);
		reply.members[reply.n_members] = &members[reply.n_members];
		reply.n_members++;
	}
	message.request_id = request_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_LIST_MEMBERS;
	message.list_members = &reply;
	weir_api_send(connection, &message);
	arena_free(&arena);
}
