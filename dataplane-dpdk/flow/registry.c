// SPDX-License-Identifier: Apache-2.0
//
// Stable ids for load balancers, backends and bindings. Linear searches: they run on the control
// thread, and only when a configuration is applied.

#include <string.h>

#include "flow/flow_file.h"

// The free or longest released id among `nb` records; `released` answers the tick of release + 1,
// 0 for a record that must stay, UINT32_MAX for a free one.
static uint32_t choose(uint32_t first, uint32_t nb,
		       uint32_t (*released)(const struct weir_flow_file *file, uint32_t id),
		       const struct weir_flow_file *file)
{
	uint32_t best = WEIR_ID_NONE;
	uint32_t best_age = UINT32_MAX;

	for (uint32_t id = first; id < nb; id++) {
		uint32_t at = released(file, id);

		if (at == UINT32_MAX)
			return id;
		if (at != 0 && at < best_age) {
			best = id;
			best_age = at;
		}
	}
	return best;
}

static bool binding_held(const struct weir_flow_file *file, uint32_t id)
{
	for (uint32_t w = 0; w < file->header->nb_workers; w++)
		if (file->counters[w][id].held_flows != 0)
			return true;
	return false;
}

static uint32_t released_lb(const struct weir_flow_file *file, uint32_t id)
{
	const struct weir_lb_record *record = &file->lbs[id];

	if (!record->used)
		return UINT32_MAX;
	if (record->released_at == 0)
		return 0;
	for (uint32_t b = 0; b < WEIR_MAX_BINDINGS; b++)
		if (file->bindings[b].used && file->bindings[b].lb_id == id &&
		    binding_held(file, b))
			return 0;
	return record->released_at;
}

static uint32_t released_backend(const struct weir_flow_file *file, uint32_t id)
{
	const struct weir_backend_record *record = &file->backends[id];

	if (!record->used)
		return UINT32_MAX;
	if (record->released_at == 0)
		return 0;
	for (uint32_t b = 0; b < WEIR_MAX_BINDINGS; b++)
		if (file->bindings[b].used && file->bindings[b].backend_id == id &&
		    binding_held(file, b))
			return 0;
	return record->released_at;
}

static uint32_t released_binding(const struct weir_flow_file *file, uint32_t id)
{
	const struct weir_binding_record *record = &file->bindings[id];

	if (!record->used)
		return UINT32_MAX;
	return binding_held(file, id) ? 0 : record->released_at;
}

static void zero_binding(struct weir_flow_file *file, uint32_t id)
{
	for (uint32_t w = 0; w < file->header->nb_workers; w++)
		memset(&file->counters[w][id], 0, sizeof(struct weir_flow_counters));
}

uint32_t weir_registry_lb(struct weir_flow_file *file, const char *lb_id, const char *project_id)
{
	for (uint32_t id = 1; id < WEIR_MAX_LBS; id++) {
		struct weir_lb_record *record = &file->lbs[id];

		if (record->used && strcmp(record->lb_id, lb_id) == 0) {
			record->released_at = 0;
			return id;
		}
	}
	uint32_t id = choose(1, WEIR_MAX_LBS, released_lb, file);
	if (id == WEIR_ID_NONE)
		return id;
	// What belonged to the load balancer that had this id before means nothing any more.
	for (uint32_t b = 0; b < WEIR_MAX_BACKENDS; b++)
		if (file->backends[b].lb_id == id)
			file->backends[b].used = 0;
	for (uint32_t b = 0; b < WEIR_MAX_BINDINGS; b++)
		if (file->bindings[b].lb_id == id)
			file->bindings[b].used = 0;
	struct weir_lb_record *record = &file->lbs[id];
	memset(record, 0, sizeof(*record));
	strncpy(record->lb_id, lb_id, WEIR_ID_SIZE - 1);
	strncpy(record->project_id, project_id, WEIR_ID_SIZE - 1);
	for (uint32_t w = 0; w <= file->header->nb_workers; w++)
		memset(weir_drop_counter(file, w, id, WEIR_DROP_NONE), 0,
		       sizeof(uint64_t) * WEIR_DROP_SLOTS);
	atomic_thread_fence(memory_order_release);
	record->used = 1;
	return id;
}

uint32_t weir_registry_backend(struct weir_flow_file *file, uint32_t lb_id, const char *pool_id,
			       const char *member_id)
{
	for (uint32_t id = 0; id < WEIR_MAX_BACKENDS; id++) {
		struct weir_backend_record *record = &file->backends[id];

		if (record->used && record->lb_id == lb_id &&
		    strcmp(record->member_id, member_id) == 0 &&
		    strcmp(record->pool_id, pool_id) == 0) {
			record->released_at = 0;
			return id;
		}
	}
	uint32_t id = choose(0, WEIR_MAX_BACKENDS, released_backend, file);
	if (id == WEIR_ID_NONE)
		return id;
	// Bindings of the backend that had this id before mean nothing any more.
	for (uint32_t b = 0; b < WEIR_MAX_BINDINGS; b++)
		if (file->bindings[b].used && file->bindings[b].backend_id == id)
			file->bindings[b].used = 0;
	struct weir_backend_record *record = &file->backends[id];
	memset(record, 0, sizeof(*record));
	record->lb_id = lb_id;
	strncpy(record->pool_id, pool_id, WEIR_ID_SIZE - 1);
	strncpy(record->member_id, member_id, WEIR_ID_SIZE - 1);
	atomic_thread_fence(memory_order_release);
	record->used = 1;
	return id;
}

uint32_t weir_registry_binding(struct weir_flow_file *file, uint32_t lb_id, uint32_t backend_id,
			       const char *listener_id)
{
	for (uint32_t id = 0; id < WEIR_MAX_BINDINGS; id++) {
		struct weir_binding_record *record = &file->bindings[id];

		if (record->used && record->backend_id == backend_id && record->lb_id == lb_id &&
		    strcmp(record->listener_id, listener_id) == 0) {
			record->released_at = 0;
			return id;
		}
	}
	uint32_t id = choose(0, WEIR_MAX_BINDINGS, released_binding, file);
	if (id == WEIR_ID_NONE)
		return id;
	struct weir_binding_record *record = &file->bindings[id];
	memset(record, 0, sizeof(*record));
	zero_binding(file, id);
	record->lb_id = lb_id;
	record->backend_id = backend_id;
	strncpy(record->listener_id, listener_id, WEIR_ID_SIZE - 1);
	atomic_thread_fence(memory_order_release);
	record->used = 1;
	return id;
}
