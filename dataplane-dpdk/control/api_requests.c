// SPDX-License-Identifier: Apache-2.0

#include <stdlib.h>
#include <string.h>

#include "control/capture.h"
#include "control/control.h"
#include "control/flow_stream.h"
#include "main/log.h"

enum {
	FIELD_APPLY_NODE = 11,
	FIELD_APPLY = 12,
	FIELD_UPSERTS = 1,
	FIELD_CONFIG = 3,
};

void weir_api_error(struct weir_connection *connection, uint64_t request_id,
		    Weir__V1__ErrorCode code, const char *text)
{
	Weir__V1__ErrorReply error = WEIR__V1__ERROR_REPLY__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;

	error.code = code;
	error.message = (char *)(uintptr_t)text;
	message.request_id = request_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_ERROR;
	message.error = &error;
	weir_api_send(connection, &message);
}

static uint32_t count_role(const struct weir_control *control, bool controller)
{
	uint32_t nb = 0;

	for (size_t i = 0; i < RTE_DIM(control->connections); i++)
		nb += control->connections[i].fd >= 0 && control->connections[i].greeted &&
		      control->connections[i].controller == controller;
	return nb;
}

static void handle_hello(struct weir_control *control, struct weir_connection *connection,
			 const Weir__V1__EngineRequest *request)
{
	Weir__V1__HelloReply reply = WEIR__V1__HELLO_REPLY__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;
	bool controller = request->hello->role == WEIR__V1__ENGINE_ROLE__ENGINE_ROLE_CONTROLLER;

	if (request->hello->protocol_version != 1) {
		weir_api_error(connection, request->request_id,
			       WEIR__V1__ERROR_CODE__ERROR_CODE_UNSUPPORTED,
			       "this engine speaks protocol version 1");
		return;
	}
	connection->greeted = false;
	if (controller && count_role(control, true) > 0) {
		weir_api_error(connection, request->request_id,
			       WEIR__V1__ERROR_CODE__ERROR_CODE_CONTROLLER_PRESENT,
			       "another connection is the controller");
		return;
	}
	if (!controller && count_role(control, false) >= WEIR_MAX_READERS) {
		weir_api_error(connection, request->request_id,
			       WEIR__V1__ERROR_CODE__ERROR_CODE_TOO_MANY_READERS,
			       "8 readers are connected");
		return;
	}
	connection->greeted = true;
	connection->controller = controller;
	reply.protocol_version = 1;
	reply.engine_start_id = control->engine->start_id;
	reply.version = (char *)WEIR_VERSION;
	reply.features = (char **)(uintptr_t)weir_features;
	while (weir_features[reply.n_features] != NULL)
		reply.n_features++;
	reply.worker_lcores = control->engine->nb_workers;
	message.request_id = request->request_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_HELLO;
	message.hello = &reply;
	weir_api_send(connection, &message);
}

static void handle_apply_node(struct weir_control *control, struct weir_connection *connection,
			      const Weir__V1__EngineRequest *request, struct weir_bytes raw)
{
	Weir__V1__ApplyNodeReply reply = WEIR__V1__APPLY_NODE_REPLY__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;
	struct weir_reject reject = {.code = ""};
	struct weir_bytes node;

	if (weir_wire_field(raw, FIELD_APPLY_NODE, 0, &node) != 0)
		node = (struct weir_bytes){0};
	if (weir_apply_node(control, node, &reject) != 0) {
		weir_warn("node configuration refused: code=%s reason=%s", reject.code,
			  reject.reason);
		reply.rejected_code = (char *)(uintptr_t)reject.code;
		reply.rejected_reason = reject.reason;
	} else {
		weir_info("node configuration applied: epoch=%lu sequence=%lu",
			  control->node->epoch, control->node->sequence);
	}
	message.request_id = request->request_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_APPLY_NODE;
	message.apply_node = &reply;
	weir_api_send(connection, &message);
}

static void apply_one(struct weir_control *control, const Weir__V1__EngineLoadBalancer *upsert,
		      struct weir_bytes apply_raw, uint32_t index, Weir__V1__ApplyResult *result,
		      struct weir_reject *reject)
{
	struct weir_bytes upsert_raw;
	struct weir_bytes config_raw;

	weir__v1__apply_result__init(result);
	if (upsert->config == NULL ||
	    weir_wire_field(apply_raw, FIELD_UPSERTS, index, &upsert_raw) != 0 ||
	    weir_wire_field(upsert_raw, FIELD_CONFIG, 0, &config_raw) != 0) {
		weir_refuse(reject, "INVALID_CONFIG", "an upsert carries no configuration");
	} else {
		result->load_balancer_id = upsert->config->load_balancer_id;
		if (weir_apply_lb(control, upsert->epoch, upsert->sequence, config_raw,
				  upsert->unhealthy_member_ids,
				  (uint32_t)upsert->n_unhealthy_member_ids, reject) == 0)
			return;
	}
	weir_warn("load balancer refused: lb=%s code=%s reason=%s", result->load_balancer_id,
		  reject->code, reject->reason);
	result->rejected_code = (char *)(uintptr_t)reject->code;
	result->rejected_reason = reject->reason;
}

// What the reply says of a load balancer's flows that drain.
static void fill_draining(struct weir_control *control, Weir__V1__ApplyResult *result)
{
	uint32_t lb_id = weir_registry_find_lb(&control->engine->file, result->load_balancer_id);
	struct weir_draining *draining =
		lb_id != WEIR_ID_NONE ? weir_draining_of(control, lb_id) : NULL;

	if (draining == NULL)
		return;
	draining->told = true;
	result->drain_id = draining->drain_id;
	result->drain_deadline_us = draining->deadline_us;
}

static void handle_apply(struct weir_control *control, struct weir_connection *connection,
			 const Weir__V1__EngineRequest *request, struct weir_bytes raw)
{
	const Weir__V1__ApplyRequest *apply = request->apply;
	size_t nb = apply->n_upserts + apply->n_delete_load_balancer_ids;
	Weir__V1__ApplyReply reply = WEIR__V1__APPLY_REPLY__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;
	Weir__V1__ApplyResult *results = calloc(nb + 1, sizeof(*results));
	struct weir_reject *rejects = calloc(nb + 1, sizeof(*rejects));
	reply.results = calloc(nb + 1, sizeof(Weir__V1__ApplyResult *));
	struct weir_bytes apply_raw = {0};

	if (results == NULL || rejects == NULL || reply.results == NULL) {
		weir_api_error(connection, request->request_id,
			       WEIR__V1__ERROR_CODE__ERROR_CODE_INTERNAL, "out of memory");
		goto out;
	}
	(void)weir_wire_field(raw, FIELD_APPLY, 0, &apply_raw);
	for (size_t i = 0; i < apply->n_upserts; i++)
		apply_one(control, apply->upserts[i], apply_raw, (uint32_t)i, &results[i],
			  &rejects[i]);
	for (size_t i = 0; i < apply->n_delete_load_balancer_ids; i++) {
		Weir__V1__ApplyResult *result = &results[apply->n_upserts + i];

		weir__v1__apply_result__init(result);
		result->load_balancer_id = apply->delete_load_balancer_ids[i];
		weir_delete_lb(control, apply->delete_load_balancer_ids[i]);
	}
	if (weir_config_publish(control) != 0) {
		weir_api_error(connection, request->request_id,
			       WEIR__V1__ERROR_CODE__ERROR_CODE_INTERNAL, "out of memory");
		goto out;
	}
	weir_store_commit(control, true);
	(void)weir_drain_maintain(control); // without flows there is nothing to wait for
	for (size_t i = 0; i < nb; i++) {
		reply.results[i] = &results[i];
		fill_draining(control, &results[i]);
	}
	reply.n_results = nb;
	reply.applied_at_us = weir_unix_us();
	message.request_id = request->request_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_APPLY;
	message.apply = &reply;
	weir_api_send(connection, &message);
	weir_info("load balancers applied: upserts=%zu deletes=%zu running=%u", apply->n_upserts,
		  apply->n_delete_load_balancer_ids, control->nb_lbs);
out:
	free(results);
	free(rejects);
	free(reply.results);
}

static bool has_member(const struct weir_lb *lb, const char *member_id)
{
	for (uint32_t p = 0; p < lb->nb_pools; p++)
		for (uint32_t b = 0; b < lb->pools[p].nb_configured; b++)
			if (strcmp(lb->pools[p].backends[b].member_id, member_id) == 0)
				return true;
	return false;
}

// Returns false when no load balancer has the member.
static bool set_verdict(struct weir_control *control, const Weir__V1__MemberVerdict *verdict)
{
	struct weir_lb *lb = weir_find_lb(control, verdict->load_balancer_id);

	if (lb == NULL || !has_member(lb, verdict->member_id))
		return false;
	if (weir_apply_verdict(control, lb, verdict->member_id, verdict->healthy,
			       verdict->since_us) == 0)
		weir_info("member verdict: lb=%s member=%s healthy=%d", verdict->load_balancer_id,
			  verdict->member_id, verdict->healthy);
	return true;
}

static void handle_set_health(struct weir_control *control, struct weir_connection *connection,
			      const Weir__V1__EngineRequest *request)
{
	Weir__V1__SetHealthReply reply = WEIR__V1__SET_HEALTH_REPLY__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;

	for (size_t i = 0; i < request->set_health->n_verdicts; i++)
		if (!set_verdict(control, request->set_health->verdicts[i]))
			reply.unknown_members++;
	if (weir_config_publish(control) != 0) {
		weir_api_error(connection, request->request_id,
			       WEIR__V1__ERROR_CODE__ERROR_CODE_INTERNAL, "out of memory");
		return;
	}
	weir_store_commit(control, false); // verdicts are told again
	message.request_id = request->request_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_SET_HEALTH;
	message.set_health = &reply;
	weir_api_send(connection, &message);
}

static void dispatch_read(struct weir_control *control, struct weir_connection *connection,
			  const Weir__V1__EngineRequest *request)
{
	uint64_t id = request->request_id;

	switch (request->request_case) {
	case WEIR__V1__ENGINE_REQUEST__REQUEST_GET_STATE:
		weir_reply_state(control, connection, id);
		return;
	case WEIR__V1__ENGINE_REQUEST__REQUEST_GET_COUNTERS:
		weir_reply_counters(control, connection, id);
		return;
	case WEIR__V1__ENGINE_REQUEST__REQUEST_GET_STATUS:
		weir_reply_status(control, connection, id);
		return;
	case WEIR__V1__ENGINE_REQUEST__REQUEST_LIST_FLOWS:
		weir_reply_flows(control, connection, id, request->list_flows);
		return;
	case WEIR__V1__ENGINE_REQUEST__REQUEST_EXPLAIN:
		weir_reply_explain(control, connection, id, request->explain);
		return;
	case WEIR__V1__ENGINE_REQUEST__REQUEST_LIST_MEMBERS:
		weir_reply_members(control, connection, id, request->list_members);
		return;
	case WEIR__V1__ENGINE_REQUEST__REQUEST_STREAM_FLOWS:
		weir_flow_stream_ask(control, connection, id, request->stream_flows);
		return;
	case WEIR__V1__ENGINE_REQUEST__REQUEST_START_CAPTURE:
		weir_capture_start(control, connection, id, request->start_capture);
		return;
	case WEIR__V1__ENGINE_REQUEST__REQUEST_STOP_CAPTURE:
		weir_capture_stop(control, connection, id);
		return;
	default:
		weir_api_error(connection, id, WEIR__V1__ERROR_CODE__ERROR_CODE_UNSUPPORTED,
			       "this engine does not know the request");
	}
}

static void dispatch(struct weir_control *control, struct weir_connection *connection,
		     const Weir__V1__EngineRequest *request, struct weir_bytes raw)
{
	bool writes =
		request->request_case == WEIR__V1__ENGINE_REQUEST__REQUEST_APPLY_NODE ||
		request->request_case == WEIR__V1__ENGINE_REQUEST__REQUEST_APPLY ||
		request->request_case == WEIR__V1__ENGINE_REQUEST__REQUEST_SET_HEALTH ||
		request->request_case == WEIR__V1__ENGINE_REQUEST__REQUEST_APPLY_PREFIX_LISTS ||
		request->request_case == WEIR__V1__ENGINE_REQUEST__REQUEST_PROBE;

	if (request->request_case == WEIR__V1__ENGINE_REQUEST__REQUEST_HELLO) {
		handle_hello(control, connection, request);
	} else if (!connection->greeted) {
		weir_api_error(connection, request->request_id,
			       WEIR__V1__ERROR_CODE__ERROR_CODE_MALFORMED,
			       "the first request must be hello");
	} else if (writes && !connection->controller) {
		weir_api_error(connection, request->request_id,
			       WEIR__V1__ERROR_CODE__ERROR_CODE_NOT_CONTROLLER,
			       "only the controller may ask for this");
	} else if (request->request_case == WEIR__V1__ENGINE_REQUEST__REQUEST_APPLY_NODE) {
		handle_apply_node(control, connection, request, raw);
	} else if (request->request_case == WEIR__V1__ENGINE_REQUEST__REQUEST_APPLY) {
		handle_apply(control, connection, request, raw);
	} else if (request->request_case == WEIR__V1__ENGINE_REQUEST__REQUEST_APPLY_PREFIX_LISTS) {
		weir_api_apply_prefix_lists(control, connection, request, raw);
	} else if (request->request_case == WEIR__V1__ENGINE_REQUEST__REQUEST_SET_HEALTH) {
		handle_set_health(control, connection, request);
	} else if (request->request_case == WEIR__V1__ENGINE_REQUEST__REQUEST_PROBE) {
		weir_probe_start(control, connection, request->probe);
	} else {
		dispatch_read(control, connection, request);
	}
}

void weir_api_request(struct weir_control *control, struct weir_connection *connection,
		      struct weir_bytes raw)
{
	Weir__V1__EngineRequest *request =
		weir__v1__engine_request__unpack(NULL, raw.length, raw.data);

	if (request == NULL) {
		weir_api_error(connection, 0, WEIR__V1__ERROR_CODE__ERROR_CODE_MALFORMED,
			       "the request can't be decoded");
		return;
	}
	dispatch(control, connection, request, raw);
	weir__v1__engine_request__free_unpacked(request, NULL);
}
