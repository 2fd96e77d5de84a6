// SPDX-License-Identifier: Apache-2.0
//
// Stable ids for load balancers, backends and bindings. Records lie in the mapping; a hash index of
// their names, and lists of free ids, in ordinary memory, made when the mapping is opened. It all
// runs on the control thread when a configuration is applied.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flow/flow_file.h"
#include "lib/flow_hash.h"

enum table_kind { LBS, BACKENDS, BINDINGS, NB_TABLES };

// One kind of record: names by open addressing (id + 1; 0: empty), free ids as a stack.
struct names {
	uint32_t *slots;
	uint32_t mask;
	uint32_t *free_ids;
	uint32_t nb_free;
};

struct weir_registry {
	struct names names[NB_TABLES];
};

static const uint32_t limits[NB_TABLES] = {WEIR_MAX_LBS, WEIR_MAX_BACKENDS, WEIR_MAX_BINDINGS};
static const uint32_t first_ids[NB_TABLES] = {1, 0, 0}; // load balancer 0: "not attributable"

static uint32_t *high_water(const struct weir_flow_file *file, enum table_kind kind)
{
	if (kind == LBS)
		return &file->header->nb_lbs;
	return kind == BACKENDS ? &file->header->nb_backends : &file->header->nb_bindings;
}

static bool record_used(const struct weir_flow_file *file, enum table_kind kind, uint32_t id)
{
	if (kind == LBS)
		return file->lbs[id].used != 0;
	return (kind == BACKENDS ? file->backends[id].used : file->bindings[id].used) != 0;
}

static uint32_t released_at(const struct weir_flow_file *file, enum table_kind kind, uint32_t id)
{
	if (kind == LBS)
		return file->lbs[id].released_at;
	return kind == BACKENDS ? file->backends[id].released_at : file->bindings[id].released_at;
}

// names

static uint64_t hash_lb(const char *lb_id)
{
	return weir_xxh64(lb_id, strlen(lb_id), LBS);
}

static uint64_t hash_backend(uint32_t lb_id, const char *pool_id, const char *member_id)
{
	uint64_t h = weir_xxh64(pool_id, strlen(pool_id), lb_id);

	return weir_xxh64(member_id, strlen(member_id), h);
}

static uint64_t hash_binding(const char *listener_id, const struct weir_target *target)
{
	uint64_t h = weir_xxh64(target, sizeof(*target), BINDINGS);

	return weir_xxh64(listener_id, strlen(listener_id), h);
}

static uint64_t hash_record(const struct weir_flow_file *file, enum table_kind kind, uint32_t id)
{
	const struct weir_backend_record *backend = &file->backends[id];

	if (kind == LBS)
		return hash_lb(file->lbs[id].lb_id);
	if (kind == BACKENDS)
		return hash_backend(backend->lb_id, backend->pool_id, backend->member_id);
	return hash_binding(file->bindings[id].listener_id, &file->targets[id]);
}

static void add_slot(struct names *names, uint64_t hash, uint32_t id)
{
	uint32_t at = (uint32_t)(hash >> 32) & names->mask;

	while (names->slots[at] != 0)
		at = (at + 1) & names->mask;
	names->slots[at] = id + 1;
}

// Fills the slots from the records that are in use.
static void index_names(struct weir_flow_file *file, enum table_kind kind)
{
	struct names *names = &file->registry->names[kind];

	memset(names->slots, 0, (names->mask + 1) * sizeof(*names->slots));
	names->nb_free = 0;
	for (uint32_t id = *high_water(file, kind); id-- > first_ids[kind];) {
		if (record_used(file, kind, id))
			add_slot(names, hash_record(file, kind, id), id);
		else
			names->free_ids[names->nb_free++] = id;
	}
}

int weir_registry_init(struct weir_flow_file *file)
{
	file->registry = calloc(1, sizeof(*file->registry));
	if (file->registry == NULL)
		return -ENOMEM;
	for (int kind = 0; kind < NB_TABLES; kind++) {
		struct names *names = &file->registry->names[kind];

		names->mask = limits[kind] * 4 - 1; // limits are powers of two
		names->slots = malloc((names->mask + 1) * sizeof(*names->slots));
		names->free_ids = malloc(limits[kind] * sizeof(*names->free_ids));
		if (names->slots == NULL || names->free_ids == NULL) {
			weir_registry_destroy(file);
			return -ENOMEM;
		}
		if (*high_water(file, kind) > limits[kind]) // damaged
			*high_water(file, kind) = limits[kind];
		index_names(file, kind);
	}
	return 0;
}

void weir_registry_destroy(struct weir_flow_file *file)
{
	for (int kind = 0; file->registry != NULL && kind < NB_TABLES; kind++) {
		free(file->registry->names[kind].slots);
		free(file->registry->names[kind].free_ids);
	}
	free(file->registry);
	file->registry = NULL;
}

// ids that can be had again

static bool binding_held(const struct weir_flow_file *file, uint32_t id)
{
	for (uint32_t w = 0; w < file->header->nb_workers; w++)
		if (file->counters[w][id].held_flows != 0)
			return true;
	return false;
}

// Marks what flows still need: of load balancers and backends through the bindings they hold.
static void mark_held(const struct weir_flow_file *file, enum table_kind kind, uint8_t *held)
{
	for (uint32_t id = 0; id < file->header->nb_bindings; id++) {
		if (!file->bindings[id].used || !binding_held(file, id))
			continue;
		if (kind == LBS)
			held[file->targets[id].lb_id] = 1;
		else
			held[kind == BACKENDS ? file->targets[id].backend_id : id] = 1;
	}
}

struct candidate {
	uint32_t id;
	uint32_t released_at;
};

static int compare_candidates(const void *left, const void *right)
{
	const struct candidate *a = left;
	const struct candidate *b = right;

	return (a->released_at > b->released_at) - (a->released_at < b->released_at);
}

static void forget(struct weir_flow_file *file, enum table_kind kind, uint32_t id)
{
	if (kind == BACKENDS) {
		file->backends[id].used = 0;
	} else if (kind == BINDINGS) {
		file->bindings[id].used = 0;
	} else {
		file->lbs[id].used = 0;
	}
}

// What belongs to a forgotten load balancer or backend means nothing any more.
static void forget_orphans(struct weir_flow_file *file)
{
	for (uint32_t id = 0; id < file->header->nb_backends; id++)
		if (file->backends[id].used && !file->lbs[file->backends[id].lb_id].used)
			file->backends[id].used = 0;
	for (uint32_t id = 0; id < file->header->nb_bindings; id++)
		if (file->bindings[id].used && (!file->lbs[file->targets[id].lb_id].used ||
						!file->backends[file->targets[id].backend_id].used))
			file->bindings[id].used = 0;
}

// No id is free: takes back a quarter of those that no configuration names and no flow holds, the
// longest released first, so that this is rare.
static void reclaim(struct weir_flow_file *file, enum table_kind kind)
{
	uint32_t nb = *high_water(file, kind);
	uint8_t *held = calloc(1, limits[kind]);
	struct candidate *candidates = calloc(nb, sizeof(*candidates));
	uint32_t nb_candidates = 0;

	if (held == NULL || candidates == NULL)
		goto out;
	mark_held(file, kind, held);
	for (uint32_t id = first_ids[kind]; id < nb; id++)
		if (record_used(file, kind, id) && released_at(file, kind, id) != 0 && !held[id])
			candidates[nb_candidates++] =
				(struct candidate){id, released_at(file, kind, id)};
	qsort(candidates, nb_candidates, sizeof(*candidates), compare_candidates);
	for (uint32_t i = 0; i < (nb_candidates + 3) / 4; i++)
		forget(file, kind, candidates[i].id);
	forget_orphans(file);
	for (int every = 0; every < NB_TABLES; every++)
		index_names(file, (enum table_kind)every);
out:
	free(held);
	free(candidates);
}

static uint32_t take_id(struct weir_flow_file *file, enum table_kind kind)
{
	struct names *names = &file->registry->names[kind];

	if (names->nb_free == 0 && *high_water(file, kind) == limits[kind])
		reclaim(file, kind);
	if (names->nb_free > 0)
		return names->free_ids[--names->nb_free];
	if (*high_water(file, kind) == limits[kind])
		return WEIR_ID_NONE;
	return (*high_water(file, kind))++;
}

// The record is whole but for `used`.
static void publish(struct weir_flow_file *file, enum table_kind kind, uint32_t id)
{
	struct names *names = &file->registry->names[kind];

	atomic_thread_fence(memory_order_release);
	if (kind == LBS)
		file->lbs[id].used = 1;
	else if (kind == BACKENDS)
		file->backends[id].used = 1;
	else
		file->bindings[id].used = 1;
	add_slot(names, hash_record(file, kind, id), id);
}

uint32_t weir_registry_find_lb(const struct weir_flow_file *file, const char *lb_id)
{
	const struct names *names = &file->registry->names[LBS];
	uint32_t at = (uint32_t)(hash_lb(lb_id) >> 32) & names->mask;

	for (; names->slots[at] != 0; at = (at + 1) & names->mask) {
		const struct weir_lb_record *record = &file->lbs[names->slots[at] - 1];

		if (record->used && strcmp(record->lb_id, lb_id) == 0)
			return names->slots[at] - 1;
	}
	return WEIR_ID_NONE;
}

uint32_t weir_registry_lb(struct weir_flow_file *file, const char *lb_id, const char *project_id)
{
	uint32_t known = weir_registry_find_lb(file, lb_id);

	if (known != WEIR_ID_NONE) {
		file->lbs[known].released_at = 0;
		return known;
	}
	uint32_t id = take_id(file, LBS);
	if (id == WEIR_ID_NONE)
		return id;
	struct weir_lb_record *record = &file->lbs[id];
	memset(record, 0, sizeof(*record));
	strncpy(record->lb_id, lb_id, WEIR_ID_SIZE - 1);
	strncpy(record->project_id, project_id, WEIR_ID_SIZE - 1);
	for (uint32_t w = 0; w <= file->header->nb_workers; w++)
		memset(weir_drop_counter(file, w, id, WEIR_DROP_NONE), 0,
		       sizeof(uint64_t) * WEIR_DROP_SLOTS);
	publish(file, LBS, id);
	return id;
}

uint32_t weir_registry_backend(struct weir_flow_file *file, uint32_t lb_id, const char *pool_id,
			       const char *member_id)
{
	const struct names *names = &file->registry->names[BACKENDS];
	uint64_t hash = hash_backend(lb_id, pool_id, member_id);
	uint32_t at = (uint32_t)(hash >> 32) & names->mask;

	for (; names->slots[at] != 0; at = (at + 1) & names->mask) {
		struct weir_backend_record *record = &file->backends[names->slots[at] - 1];

		if (record->used && record->lb_id == lb_id &&
		    strcmp(record->member_id, member_id) == 0 &&
		    strcmp(record->pool_id, pool_id) == 0) {
			record->released_at = 0;
			return names->slots[at] - 1;
		}
	}
	uint32_t id = take_id(file, BACKENDS);
	if (id == WEIR_ID_NONE)
		return id;
	struct weir_backend_record *record = &file->backends[id];
	memset(record, 0, sizeof(*record));
	record->lb_id = lb_id;
	strncpy(record->pool_id, pool_id, WEIR_ID_SIZE - 1);
	strncpy(record->member_id, member_id, WEIR_ID_SIZE - 1);
	publish(file, BACKENDS, id);
	return id;
}

uint32_t weir_registry_binding(struct weir_flow_file *file, const char *listener_id,
			       const struct weir_target *target)
{
	const struct names *names = &file->registry->names[BINDINGS];
	uint64_t hash = hash_binding(listener_id, target);
	uint32_t at = (uint32_t)(hash >> 32) & names->mask;

	for (; names->slots[at] != 0; at = (at + 1) & names->mask) {
		uint32_t id = names->slots[at] - 1;
		struct weir_binding_record *record = &file->bindings[id];

		if (record->used && memcmp(&file->targets[id], target, sizeof(*target)) == 0 &&
		    strcmp(record->listener_id, listener_id) == 0) {
			record->released_at = 0;
			return id;
		}
	}
	uint32_t id = take_id(file, BINDINGS);
	if (id == WEIR_ID_NONE)
		return id;
	struct weir_binding_record *record = &file->bindings[id];
	memset(record, 0, sizeof(*record));
	for (uint32_t w = 0; w < file->header->nb_workers; w++)
		memset(&file->counters[w][id], 0, sizeof(struct weir_flow_counters));
	record->lb_id = target->lb_id;
	record->backend_id = target->backend_id;
	strncpy(record->listener_id, listener_id, WEIR_ID_SIZE - 1);
	file->targets[id] = *target;
	publish(file, BINDINGS, id);
	return id;
}
