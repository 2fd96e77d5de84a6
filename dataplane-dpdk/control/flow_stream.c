// SPDX-License-Identifier: Apache-2.0
//
// Rings and sketches are made when somebody first asks and stay; while nobody asks, workers have
// no pointer to them. A connection that does not read gets nothing until it does: records are
// dropped and counted.

#include "control/flow_stream.h"

#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

#include "datapath/flow_records.h"
#include "lib/packet_parse.h"

enum {
	RECORDS_PER_MESSAGE = 512,
	MAX_UNSENT = 1 << 20,
	PERIOD_US = 50000,
	TOP_INTERVAL_US = 10000000,
	TOP_PER_LB = 20,
	TICK_US = 1000000 / WEIR_TICKS_PER_SECOND,
};

struct weir_flow_stream {
	struct weir_flow_ring *rings[WEIR_MAX_WORKERS];
	uint64_t lost[WEIR_MAX_WORKERS]; // of the rings, told already
	int64_t next_us;
	// Top sources
	int64_t interval_start_us; // Unix time
	int64_t interval_end_us;   // boot time
	uint32_t reading;          // turn that ended and waits for workers to leave it; 0: none
	int64_t read_start_us;     // its interval, Unix time
	int64_t read_end_us;
	struct weir_top_source *entries; // room for all workers'
};

// A message of records and what its pointers point to.
struct batch {
	Weir__V1__FlowRecords message;
	Weir__V1__FlowRecord records[RECORDS_PER_MESSAGE];
	Weir__V1__FlowRecord *list[RECORDS_PER_MESSAGE];
	struct weir_flow_event events[RECORDS_PER_MESSAGE];
};

static bool anybody(const struct weir_control *control, bool top)
{
	for (size_t i = 0; i < RTE_DIM(control->connections); i++) {
		const struct weir_connection *connection = &control->connections[i];

		if (connection->fd >= 0 &&
		    (top ? connection->top_sources : connection->flow_records))
			return true;
	}
	return false;
}

static void free_stream(struct weir_control *control, struct weir_flow_stream *stream)
{
	struct weir_engine *engine = control->engine;

	for (uint32_t w = 0; w < engine->nb_workers; w++) {
		rte_free(stream->rings[w]);
		for (int b = 0; b < 2; b++) {
			rte_free(engine->tops[w][b]);
			engine->tops[w][b] = NULL;
		}
	}
	free(stream->entries);
	free(stream);
}

static int make_stream(struct weir_control *control)
{
	struct weir_engine *engine = control->engine;
	struct weir_flow_stream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return -1;
	stream->entries =
		calloc((size_t)engine->nb_workers * WEIR_TOP_ENTRIES, sizeof(*stream->entries));
	for (uint32_t w = 0; w < engine->nb_workers; w++) {
		int socket = (int)rte_lcore_to_socket_id(engine->workers[w].lcore);

		stream->rings[w] = rte_zmalloc_socket(NULL, sizeof(struct weir_flow_ring),
						      RTE_CACHE_LINE_SIZE, socket);
		for (int b = 0; b < 2; b++)
			engine->tops[w][b] = rte_zmalloc_socket(
				NULL, sizeof(struct weir_top_sources), RTE_CACHE_LINE_SIZE, socket);
		if (stream->rings[w] == NULL || engine->tops[w][0] == NULL ||
		    engine->tops[w][1] == NULL || stream->entries == NULL) {
			free_stream(control, stream);
			return -1;
		}
	}
	control->flow_stream = stream;
	return 0;
}

static void set_rings(struct weir_control *control, bool wanted)
{
	struct weir_engine *engine = control->engine;

	for (uint32_t w = 0; w < engine->nb_workers; w++) {
		struct weir_flow_ring *ring = wanted ? control->flow_stream->rings[w] : NULL;

		if (atomic_load(&engine->workers[w].flow_ring) != ring)
			atomic_store(&engine->workers[w].flow_ring, ring);
	}
}

// records

static int64_t unix_of(int64_t now_us, uint32_t tick_now, uint32_t tick)
{
	return now_us - (int64_t)(int32_t)(tick_now - tick) * TICK_US;
}

static void fill_record(const struct weir_flow_file *file, struct weir_flow_event *event,
			Weir__V1__FlowRecord *out, int64_t now_us, uint32_t tick_now)
{
	static const Weir__V1__FlowEnd ends[WEIR_END_NB] = {
		[WEIR_END_FIN] = WEIR__V1__FLOW_END__FLOW_END_FIN,
		[WEIR_END_RST] = WEIR__V1__FLOW_END__FLOW_END_RST,
		[WEIR_END_TIMEOUT] = WEIR__V1__FLOW_END__FLOW_END_TIMEOUT,
		[WEIR_END_EVICTED] = WEIR__V1__FLOW_END__FLOW_END_EVICTED,
		[WEIR_END_DRAINED] = WEIR__V1__FLOW_END__FLOW_END_DRAINED,
	};
	struct weir_flow_spec *flow = &event->flow;
	struct weir_target *target = &file->targets[flow->binding_id];
	bool nat = weir_flow_is_nat(flow->flow_class);

	weir__v1__flow_record__init(out);
	out->project_id = file->lbs[target->lb_id].project_id;
	out->load_balancer_id = file->lbs[target->lb_id].lb_id;
	out->listener_id = file->bindings[flow->binding_id].listener_id;
	out->member_id = file->backends[target->backend_id].member_id;
	out->protocol = flow->protocol == WEIR_IP_UDP ? WEIR__V1__PROTOCOL__PROTOCOL_UDP
						      : WEIR__V1__PROTOCOL__PROTOCOL_TCP;
	out->client_address = weir_address_message(&flow->client_address);
	out->client_port = weir_host16(flow->client_port);
	out->vip_address = weir_address_message(&flow->vip_address);
	out->vip_port = weir_host16(flow->vip_port);
	out->member_address =
		weir_address_message(nat ? &flow->member_address : &target->member_address);
	out->member_port = weir_host16(nat ? flow->member_port : flow->vip_port);
	out->started_at_us = unix_of(now_us, tick_now, flow->started);
	out->end = WEIR__V1__FLOW_END__FLOW_END_NOT_ENDED;
	if (event->started)
		return;
	out->ended_at_us = unix_of(now_us, tick_now, event->tick);
	out->end = ends[event->end];
	out->in_packets = flow->in_packets;
	out->in_bytes = flow->in_bytes;
	out->out_packets = flow->out_packets;
	out->out_bytes = flow->out_bytes;
	out->estimated = !nat || !(flow->flags & WEIR_FLOW_MEMBER_SEEN);
}

static uint32_t take_events(struct weir_flow_ring *ring, struct weir_flow_event *events,
			    uint32_t room)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	uint32_t ready = atomic_load_explicit(&ring->head, memory_order_acquire) - tail;
	uint32_t nb = RTE_MIN(ready, room);

	for (uint32_t i = 0; i < nb; i++)
		events[i] = ring->events[(tail + i) & (WEIR_FLOW_EVENTS - 1)];
	atomic_store_explicit(&ring->tail, tail + nb, memory_order_release);
	return nb;
}

static void send_batch(struct weir_control *control, struct batch *batch, uint32_t nb)
{
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;

	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_FLOW_RECORDS;
	message.flow_records = &batch->message;
	weir__v1__flow_records__init(&batch->message);
	batch->message.records = batch->list;
	batch->message.n_records = nb;
	for (size_t i = 0; i < RTE_DIM(control->connections); i++) {
		struct weir_connection *connection = &control->connections[i];

		if (connection->fd < 0 || !connection->flow_records)
			continue;
		if (connection->out_length > MAX_UNSENT) {
			connection->flow_records_lost += nb;
			control->flow_records_lost += nb;
			continue;
		}
		batch->message.lost = connection->flow_records_lost;
		weir_api_send(connection, &message);
		control->flow_records_sent += nb;
	}
}

// What a ring had no room for is lost to everybody who listens.
static void count_ring_losses(struct weir_control *control, uint32_t worker)
{
	struct weir_flow_stream *stream = control->flow_stream;
	uint64_t lost = atomic_load(&stream->rings[worker]->lost);
	uint64_t more = lost - stream->lost[worker];

	stream->lost[worker] = lost;
	control->flow_records_lost += more;
	for (size_t i = 0; i < RTE_DIM(control->connections); i++)
		if (control->connections[i].flow_records)
			control->connections[i].flow_records_lost += more;
}

static void send_records(struct weir_control *control)
{
	static struct batch batch; // too large for the stack; the control thread alone is here
	const struct weir_flow_file *file = &control->engine->file;
	int64_t now_us = weir_unix_us();
	uint32_t tick_now = weir_tick_now();

	for (uint32_t w = 0; w < control->engine->nb_workers; w++) {
		struct weir_flow_ring *ring = control->flow_stream->rings[w];
		uint32_t left = WEIR_FLOW_EVENTS; // what comes meanwhile waits for the next time
		uint32_t nb;

		count_ring_losses(control, w);
		while (left > 0 &&
		       (nb = take_events(ring, batch.events,
					 RTE_MIN(left, (uint32_t)RECORDS_PER_MESSAGE))) > 0) {
			for (uint32_t i = 0; i < nb; i++) {
				fill_record(file, &batch.events[i], &batch.records[i], now_us,
					    tick_now);
				batch.list[i] = &batch.records[i];
			}
			send_batch(control, &batch, nb);
			left -= nb;
		}
	}
}

// top sources

static void send_top(struct weir_control *control, struct weir_top_source *entries, uint32_t nb,
		     uint64_t new_flows)
{
	struct weir_flow_stream *stream = control->flow_stream;
	struct weir_lb_record *lb = &control->engine->file.lbs[entries[0].lb_id];
	Weir__V1__TopSources top = WEIR__V1__TOP_SOURCES__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;
	Weir__V1__TopSource sources[TOP_PER_LB];
	Weir__V1__TopSource *list[TOP_PER_LB];

	for (uint32_t i = 0; i < nb && i < TOP_PER_LB; i++) {
		weir__v1__top_source__init(&sources[i]);
		sources[i].address = weir_address_message(&entries[i].address);
		sources[i].new_flows = entries[i].count;
		sources[i].error = entries[i].error;
		list[top.n_sources++] = &sources[i];
	}
	top.sources = list;
	top.project_id = lb->project_id;
	top.load_balancer_id = lb->lb_id;
	top.interval_start_us = stream->read_start_us;
	top.interval_end_us = stream->read_end_us;
	top.new_flows = new_flows;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_TOP_SOURCES;
	message.top_sources = &top;
	for (size_t i = 0; i < RTE_DIM(control->connections); i++) {
		struct weir_connection *connection = &control->connections[i];

		if (connection->fd >= 0 && connection->top_sources &&
		    connection->out_length <= MAX_UNSENT)
			weir_api_send(connection, &message);
	}
}

// Sends the interval that every worker has left, and clears it for the next but one.
static void send_tops(struct weir_control *control)
{
	struct weir_flow_stream *stream = control->flow_stream;
	struct weir_engine *engine = control->engine;
	uint32_t nb = 0;

	for (uint32_t w = 0; w < engine->nb_workers; w++) {
		struct weir_top_sources *top = engine->tops[w][stream->reading & 1];

		nb += weir_top_sources_read(top, stream->entries + nb);
		memset(top, 0, sizeof(*top));
	}
	nb = weir_top_sources_merge(stream->entries, nb);
	for (uint32_t first = 0, next; first < nb; first = next) {
		uint64_t new_flows = 0;

		for (next = first;
		     next < nb && stream->entries[next].lb_id == stream->entries[first].lb_id;
		     next++)
			new_flows += stream->entries[next].count;
		send_top(control, &stream->entries[first], next - first, new_flows);
	}
	stream->reading = 0;
}

static bool workers_follow(const struct weir_engine *engine, uint32_t turn)
{
	for (uint32_t w = 0; w < engine->nb_workers; w++)
		if (atomic_load(&engine->workers[w].top_turn) != turn)
			return false;
	return true;
}

static void turn_tops(struct weir_control *control)
{
	struct weir_flow_stream *stream = control->flow_stream;
	struct weir_engine *engine = control->engine;
	uint32_t turn = atomic_load(&engine->top_turn);
	int64_t now = weir_boot_us();
	bool wanted = anybody(control, true);

	if (!workers_follow(engine, turn))
		return;
	if (stream->reading != 0)
		send_tops(control);
	if (!wanted && turn == 0)
		return;
	if (wanted && turn != 0 && now < stream->interval_end_us)
		return;
	stream->reading = turn;
	stream->read_start_us = stream->interval_start_us;
	stream->read_end_us = weir_unix_us();
	stream->interval_start_us = stream->read_end_us;
	stream->interval_end_us = now + TOP_INTERVAL_US;
	// Turns go on from an even number, so that the one being read is the other buffer.
	atomic_store(&engine->top_turn, !wanted ? 0 : turn + 1 != 0 ? turn + 1 : 2);
}

void weir_flow_stream_ask(struct weir_control *control, struct weir_connection *connection,
			  uint64_t request_id, const Weir__V1__StreamFlowsRequest *request)
{
	Weir__V1__StreamFlowsReply reply = WEIR__V1__STREAM_FLOWS_REPLY__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;

	if (control->flow_stream == NULL && make_stream(control) != 0) {
		weir_api_error(connection, request_id, WEIR__V1__ERROR_CODE__ERROR_CODE_INTERNAL,
			       "no memory for flow records");
		return;
	}
	connection->flow_records = request->records;
	connection->top_sources = request->top_sources;
	connection->flow_records_lost = 0;
	message.request_id = request_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_STREAM_FLOWS;
	message.stream_flows = &reply;
	weir_api_send(connection, &message);
	control->flow_stream->next_us = 0;
}

int64_t weir_flow_stream_maintain(struct weir_control *control)
{
	struct weir_flow_stream *stream = control->flow_stream;
	int64_t now = weir_boot_us();

	if (stream == NULL)
		return INT64_MAX;
	if (now < stream->next_us)
		return stream->next_us - now;
	bool records = anybody(control, false);
	set_rings(control, records);
	send_records(control);
	turn_tops(control);
	if (!records && !anybody(control, true) && atomic_load(&control->engine->top_turn) == 0 &&
	    stream->reading == 0)
		return INT64_MAX;
	stream->next_us = now + PERIOD_US;
	return PERIOD_US;
}
