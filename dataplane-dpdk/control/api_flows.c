// SPDX-License-Identifier: Apache-2.0
//
// Lists of flows. A table may hold millions: each turn of the control thread looks at a piece of it
// and sends a message, as fast as the peer reads.

#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "lib/packet_parse.h"

enum {
	DEFAULT_LIMIT = 1000,
	FLOWS_PER_MESSAGE = 512,
	ENTRIES_PER_TURN = 65536,
	MAX_UNSENT = 1 << 18,
};

struct weir_flow_scan {
	uint64_t request_id;
	Weir__V1__ListFlowsRequest *request; // a copy
	uint32_t left;                       // flows that may still be sent
	uint32_t worker;
	uint32_t cursor;
};

struct piece {
	Weir__V1__ListFlowsReply reply;
	Weir__V1__FlowEntry entries[FLOWS_PER_MESSAGE];
	Weir__V1__FlowEntry *list[FLOWS_PER_MESSAGE];
	struct weir_flow_spec flows[FLOWS_PER_MESSAGE + 1];
};

static void fill_flow(Weir__V1__FlowEntry *out, const struct weir_flow_file *file,
		      struct weir_flow_spec *flow, uint32_t lcore)
{
	struct weir_target *target = &file->targets[flow->binding_id];
	bool nat = weir_flow_is_nat(flow->flow_class);
	uint32_t now = weir_tick_now();
	uint32_t left = (int32_t)(flow->expires - now) > 0 ? flow->expires - now : 0;

	weir__v1__flow_entry__init(out);
	out->protocol = flow->protocol == WEIR_IP_TCP ? WEIR__V1__PROTOCOL__PROTOCOL_TCP
						      : WEIR__V1__PROTOCOL__PROTOCOL_UDP;
	out->client_address = weir_address_message(&flow->client_address);
	out->client_port = weir_host16(flow->client_port);
	out->vip_address = weir_address_message(&flow->vip_address);
	out->vip_port = weir_host16(flow->vip_port);
	out->load_balancer_id = file->lbs[target->lb_id].lb_id;
	out->listener_id = file->bindings[flow->binding_id].listener_id;
	out->member_id = file->backends[target->backend_id].member_id;
	out->member_address =
		weir_address_message(nat ? &flow->member_address : &target->member_address);
	out->member_port = weir_host16(nat ? flow->member_port : flow->vip_port);
	if (!weir_address_is_none(&flow->snat_address)) {
		out->snat_address = weir_address_message(&flow->snat_address);
		out->snat_port = weir_host16(flow->snat_port);
	}
	out->state = (char *)(uintptr_t)weir_flow_state_name(flow->state);
	out->expires_in_s = left / WEIR_TICKS_PER_SECOND;
	out->age_s = (now - flow->started) / WEIR_TICKS_PER_SECOND;
	out->in_packets = flow->in_packets;
	out->in_bytes = flow->in_bytes;
	out->out_packets = flow->out_packets;
	out->out_bytes = flow->out_bytes;
	out->lcore = lcore;
}

// filters

static bool in_prefix(const Weir__V1__Prefix *prefix, const struct weir_address *address)
{
	size_t skipped = prefix->address.len == 4 ? 12 : 0;
	const uint8_t *bytes = address->bytes + skipped;

	if (weir_address_is_v4(address) != (prefix->address.len == 4) ||
	    prefix->length > prefix->address.len * 8)
		return false;
	for (uint32_t bit = 0; bit < prefix->length; bit += 8) {
		uint32_t kept = RTE_MIN(prefix->length - bit, 8U);
		uint8_t mask = (uint8_t)(0xff00 >> kept);

		if ((bytes[bit / 8] ^ prefix->address.data[bit / 8]) & mask)
			return false;
	}
	return true;
}

static bool is_address(const ProtobufCBinaryData *wanted, const struct weir_address *address)
{
	size_t skipped = wanted->len == 4 ? 12 : 0;

	return weir_address_is_v4(address) == (wanted->len == 4) && wanted->len + skipped == 16 &&
	       memcmp(address->bytes + skipped, wanted->data, wanted->len) == 0;
}

static bool is_named(const char *wanted, const char *name)
{
	return wanted[0] == '\0' || strcmp(wanted, name) == 0;
}

static bool names_match(const struct weir_flow_file *file, const struct weir_flow_spec *flow,
			const Weir__V1__ListFlowsRequest *request)
{
	const struct weir_target *target = &file->targets[flow->binding_id];

	return is_named(request->load_balancer_id, file->lbs[target->lb_id].lb_id) &&
	       is_named(request->listener_id, file->bindings[flow->binding_id].listener_id) &&
	       is_named(request->member_id, file->backends[target->backend_id].member_id) &&
	       is_named(request->state, weir_flow_state_name(flow->state));
}

static bool wanted(const struct weir_flow_file *file, const struct weir_flow_spec *flow,
		   const Weir__V1__ListFlowsRequest *request)
{
	uint8_t protocol =
		request->protocol == WEIR__V1__PROTOCOL__PROTOCOL_UDP ? WEIR_IP_UDP : WEIR_IP_TCP;
	uint32_t age = (weir_tick_now() - flow->started) / WEIR_TICKS_PER_SECOND;

	if (flow->binding_id >= file->header->nb_bindings || !names_match(file, flow, request))
		return false;
	if (request->protocol != WEIR__V1__PROTOCOL__PROTOCOL_UNSPECIFIED &&
	    flow->protocol != protocol)
		return false;
	if (request->client_prefix != NULL &&
	    !in_prefix(request->client_prefix, &flow->client_address))
		return false;
	if (request->vip_address.len != 0 && !is_address(&request->vip_address, &flow->vip_address))
		return false;
	return (request->vip_port == 0 || request->vip_port == weir_host16(flow->vip_port)) &&
	       age >= request->min_age_s;
}

// pieces

// The next flow that is wanted, or false: `budget` is used up or there is none.
static bool next_flow(const struct weir_engine *engine, struct weir_flow_scan *scan,
		      uint32_t *budget, struct weir_flow_spec *out)
{
	while (scan->worker<engine->nb_workers && * budget> 0) {
		const struct weir_flow *flow =
			weir_flow_next(&engine->workers[scan->worker].table, &scan->cursor);

		--*budget;
		if (flow == NULL) {
			scan->worker++;
			scan->cursor = 0;
		} else if (weir_flow_copy(flow, out) && wanted(&engine->file, out, scan->request)) {
			return true;
		}
	}
	return false;
}

static void send_piece(struct weir_control *control, struct weir_connection *connection)
{
	static struct piece piece; // too large for the stack; the control thread alone is here
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;
	const struct weir_engine *engine = control->engine;
	struct weir_flow_scan *scan = connection->flow_scan;
	Weir__V1__ListFlowsReply *reply = &piece.reply;
	uint32_t budget = ENTRIES_PER_TURN;

	weir__v1__list_flows_reply__init(reply);
	reply->flows = piece.list;
	while (reply->n_flows < FLOWS_PER_MESSAGE && !reply->truncated) {
		size_t n = reply->n_flows;
		uint32_t worker;

		if (!next_flow(engine, scan, &budget, &piece.flows[n]))
			break;
		worker = scan->worker;
		if (scan->left == 0) {
			reply->truncated = true;
			break;
		}
		scan->left--;
		fill_flow(&piece.entries[n], &engine->file, &piece.flows[n],
			  engine->workers[worker].lcore);
		piece.list[reply->n_flows++] = &piece.entries[n];
	}
	reply->last = reply->truncated || scan->worker == engine->nb_workers;
	message.request_id = scan->request_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_LIST_FLOWS;
	message.list_flows = reply;
	if (reply->last)
		weir_flow_scan_forget(connection);
	else if (reply->n_flows == 0)
		return;
	weir_api_send(connection, &message);
}

static Weir__V1__ListFlowsRequest *copy_request(const Weir__V1__ListFlowsRequest *request)
{
	size_t length = weir__v1__list_flows_request__get_packed_size(request);
	uint8_t *packed = malloc(length + 1);
	Weir__V1__ListFlowsRequest *copy = NULL;

	if (packed != NULL) {
		weir__v1__list_flows_request__pack(request, packed);
		copy = weir__v1__list_flows_request__unpack(NULL, length, packed);
	}
	free(packed);
	return copy;
}

void weir_reply_flows(struct weir_control *control, struct weir_connection *connection,
		      uint64_t request_id, const Weir__V1__ListFlowsRequest *request)
{
	if (connection->flow_scan != NULL) {
		weir_api_error(connection, request_id, WEIR__V1__ERROR_CODE__ERROR_CODE_UNSUPPORTED,
			       "another list of flows is still being sent");
		return;
	}
	struct weir_flow_scan *scan = calloc(1, sizeof(*scan));
	if (scan != NULL)
		scan->request = copy_request(request);
	if (scan == NULL || scan->request == NULL) {
		free(scan);
		weir_api_error(connection, request_id, WEIR__V1__ERROR_CODE__ERROR_CODE_INTERNAL,
			       "out of memory");
		return;
	}
	scan->request_id = request_id;
	scan->left = request->limit != 0 ? request->limit : DEFAULT_LIMIT;
	connection->flow_scan = scan;
	send_piece(control, connection);
}

void weir_flow_scan_forget(struct weir_connection *connection)
{
	if (connection->flow_scan == NULL)
		return;
	weir__v1__list_flows_request__free_unpacked(connection->flow_scan->request, NULL);
	free(connection->flow_scan);
	connection->flow_scan = NULL;
}

int64_t weir_flow_scan_maintain(struct weir_control *control)
{
	int64_t next_us = INT64_MAX;

	for (size_t i = 0; i < RTE_DIM(control->connections); i++) {
		struct weir_connection *connection = &control->connections[i];

		// A peer that does not read wakes the thread when it does.
		if (connection->fd < 0 || connection->flow_scan == NULL ||
		    connection->out_length > MAX_UNSENT)
			continue;
		send_piece(control, connection);
		next_us = connection->flow_scan != NULL ? 0 : next_us;
	}
	return next_us;
}
