// SPDX-License-Identifier: Apache-2.0
//
// Which members of a pool take new flows, and the tables by which they are found.

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/build.h"
#include "flow/maglev_cache.h"
#include "lib/maglev.h"

enum { MAX_TURNS = 65535 };

static bool takes_flows(const struct weir_backend *backend)
{
	return backend->enabled && backend->weight > 0;
}

// One set of members: all of them, or those of one family where addresses are translated.
struct selection {
	struct weir_pool *pool;
	const Weir__V1__Pool *message;
	int family; // -1: both
	struct weir_maglev_cache *maglev_cache;
};

static bool takes_part(const struct selection *s, uint32_t i)
{
	const struct weir_backend *backend = &s->pool->backends[i];

	return takes_flows(backend) &&
	       (s->family < 0 || weir_family_of(&backend->address) == (enum weir_family)s->family);
}

// The lowest priority above `tier` that a member has; INT64_MAX: none.
static int64_t next_tier(const struct selection *s, int64_t tier)
{
	int64_t next = INT64_MAX;

	for (uint32_t i = 0; i < s->pool->nb_configured; i++)
		if (takes_part(s, i) && s->pool->backends[i].priority > tier &&
		    s->pool->backends[i].priority < next)
			next = s->pool->backends[i].priority;
	return next;
}

// Opens one tier after the other, the lowest priority first, until enough members are healthy.
static void choose_eligible(const struct selection *s)
{
	uint32_t wanted = s->message->minimum_healthy > 0 ? s->message->minimum_healthy : 1;
	uint32_t healthy = 0;

	for (int64_t tier = next_tier(s, -1); healthy < wanted && tier != INT64_MAX;
	     tier = next_tier(s, tier)) {
		for (uint32_t i = 0; i < s->pool->nb_configured; i++) {
			struct weir_backend *backend = &s->pool->backends[i];

			if (!takes_part(s, i) || backend->priority != tier || !backend->healthy)
				continue;
			backend->eligible = true;
			healthy++;
		}
	}
	if (healthy > 0 ||
	    s->message->when_all_unhealthy ==
		    WEIR__V1__WHEN_ALL_UNHEALTHY__WHEN_ALL_UNHEALTHY_CLOSED ||
	    s->message->when_all_unhealthy ==
		    WEIR__V1__WHEN_ALL_UNHEALTHY__WHEN_ALL_UNHEALTHY_WITHDRAW_VIP)
		return;
	// Nobody is healthy and the pool fails open: verdicts count for nothing.
	for (uint32_t i = 0; i < s->pool->nb_configured; i++)
		if (takes_part(s, i))
			s->pool->backends[i].eligible = true;
}

static bool weighted(const struct weir_pool *pool)
{
	return pool->algorithm != WEIR_ROUND_ROBIN && pool->algorithm != WEIR_LEAST_CONNECTIONS;
}

static int compare_ids(const void *left, const void *right, void *arg)
{
	const struct weir_backend *backends = arg;
	uint32_t a = backends[*(const uint16_t *)left].backend_id;
	uint32_t b = backends[*(const uint16_t *)right].backend_id;

	return (a > b) - (a < b);
}

static int list_eligible(struct weir_serving *serving, const struct selection *s)
{
	size_t room = s->pool->nb_backends + 1;

	serving->eligible = calloc(room, sizeof(*serving->eligible));
	serving->by_id = calloc(room, sizeof(*serving->by_id));
	if (serving->eligible == NULL || serving->by_id == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->pool->nb_configured; i++) {
		struct weir_backend *backend = &s->pool->backends[i];

		if (!takes_part(s, i) || !backend->eligible)
			continue;
		backend->share = backend->percent * (weighted(s->pool) ? backend->weight : 1);
		serving->share_sum += backend->share;
		serving->by_id[serving->nb_eligible] = (uint16_t)i;
		serving->eligible[serving->nb_eligible++] = (uint16_t)i;
	}
	if (serving->nb_eligible > 1)
		qsort_r(serving->by_id, serving->nb_eligible, sizeof(*serving->by_id), compare_ids,
			s->pool->backends);
	return 0;
}

static int build_maglev(struct weir_serving *serving, const struct selection *s)
{
	uint32_t nb = s->pool->nb_configured;
	struct weir_maglev_member *members = calloc(nb + 1, sizeof(*members));
	int ret = -ENOMEM;

	assert(s->message->maglev_table_size >= 2);
	serving->maglev_size = s->message->maglev_table_size;
	serving->maglev = malloc(serving->maglev_size * sizeof(*serving->maglev));
	if (members == NULL || serving->maglev == NULL)
		goto out;
	for (uint32_t i = 0; i < nb; i++) {
		const struct weir_backend *backend = &s->pool->backends[i];

		members[i].id = backend->member_id;
		if (takes_part(s, i) && backend->eligible)
			members[i].weight = backend->weight * backend->percent;
	}
	ret = weir_maglev_cache_build(s->maglev_cache, serving->maglev, serving->maglev_size,
				      members, nb);
out:
	free(members);
	return ret;
}

static uint32_t greatest_common_divisor(uint32_t a, uint32_t b)
{
	while (b != 0) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

// A member's kth of n turns stands at (k + 1/2) / n of the round; turns are sorted by place.
struct turn {
	uint32_t numerator;   // 2k + 1
	uint32_t denominator; // 2n
	uint16_t index;
};

static int compare_turns(const void *left, const void *right)
{
	const struct turn *a = left;
	const struct turn *b = right;
	uint64_t x = (uint64_t)a->numerator * b->denominator;
	uint64_t y = (uint64_t)b->numerator * a->denominator;

	if (x != y)
		return x < y ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

static int build_turns(struct weir_serving *serving, const struct weir_pool *pool)
{
	uint64_t divisor = 0;
	uint32_t nb = 0;

	if (serving->nb_eligible == 0 ||
	    (pool->algorithm != WEIR_ROUND_ROBIN && pool->algorithm != WEIR_WEIGHTED_ROUND_ROBIN))
		return 0;
	for (uint32_t i = 0; i < serving->nb_eligible; i++)
		divisor = greatest_common_divisor((uint32_t)divisor,
						  pool->backends[serving->eligible[i]].share);
	// Every eligible member has a share.
	if (divisor == 0)
		return 0;
	// Pools of very many members give up precision of weights, never a member.
	if (serving->share_sum / divisor > MAX_TURNS)
		divisor = serving->share_sum / MAX_TURNS + 1;
	size_t room = (size_t)(serving->share_sum / divisor) + serving->nb_eligible;
	struct turn *turns = calloc(room, sizeof(*turns));
	serving->turns = calloc(room, sizeof(*serving->turns));
	if (turns == NULL || serving->turns == NULL) {
		free(turns);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < serving->nb_eligible; i++) {
		uint16_t index = serving->eligible[i];
		uint32_t n = (uint32_t)(pool->backends[index].share / divisor);

		n = n > 0 ? n : 1;
		for (uint32_t k = 0; k < n; k++)
			turns[nb++] = (struct turn){2 * k + 1, 2 * n, index};
	}
	qsort(turns, nb, sizeof(*turns), compare_turns);
	for (uint32_t i = 0; i < nb; i++)
		serving->turns[i] = turns[i].index;
	serving->nb_turns = nb;
	free(turns);
	return 0;
}

// For each backend of `old` its index in `pool` if it drains there, else WEIR_MAGLEV_EMPTY.
static uint16_t *map_draining(const struct weir_pool *pool, const struct weir_pool *old,
			      const struct weir_flow_file *file, int64_t now_us)
{
	uint16_t *map = malloc((old->nb_backends + 1) * sizeof(*map));
	bool any = false;

	for (uint32_t i = 0; map != NULL && i < old->nb_backends; i++) {
		const struct weir_backend *before = &old->backends[i];
		bool drains = (takes_flows(before) && old->drain_timeout_s > 0) ||
			      file->backends[before->backend_id].drain_deadline_us > now_us;

		uint32_t n = drains ? weir_pool_find(pool, before->backend_id, i) : UINT32_MAX;
		map[i] = WEIR_MAGLEV_EMPTY;
		if (n != UINT32_MAX && !takes_flows(&pool->backends[n])) {
			map[i] = (uint16_t)n;
			any = true;
		}
	}
	if (!any) {
		free(map);
		return NULL;
	}
	return map;
}

static uint16_t mapped(const uint16_t *map, uint16_t index)
{
	return index == WEIR_MAGLEV_EMPTY ? WEIR_MAGLEV_EMPTY : map[index];
}

// Remembers where packets of draining members' flows went; of several changes the newest counts,
// the ones before only for slots that it left alone.
static int keep_previous(struct weir_serving *serving, const struct weir_serving *old,
			 const uint16_t *map)
{
	if (map == NULL || old == NULL || old->maglev == NULL)
		return 0;
	serving->previous = malloc(old->maglev_size * sizeof(*serving->previous));
	if (serving->previous == NULL)
		return -ENOMEM;
	serving->previous_size = old->maglev_size;
	for (uint32_t slot = 0; slot < old->maglev_size; slot++) {
		uint16_t index = mapped(map, old->maglev[slot]);

		if (index == WEIR_MAGLEV_EMPTY && old->previous != NULL &&
		    old->previous_size == old->maglev_size)
			index = mapped(map, old->previous[slot]);
		serving->previous[slot] = index;
	}
	return 0;
}

static void serving_free(struct weir_serving *serving)
{
	if (serving == NULL)
		return;
	free(serving->eligible);
	free(serving->by_id);
	free(serving->maglev);
	free(serving->previous);
	free(serving->turns);
	free(serving->cursors);
	free(serving);
}

static struct weir_serving *build_one(const struct selection *s, uint32_t nb_workers)
{
	struct weir_serving *serving = calloc(1, sizeof(*serving));

	if (serving == NULL)
		return NULL;
	choose_eligible(s);
	serving->cursors = aligned_alloc(64, nb_workers * sizeof(*serving->cursors));
	if (serving->cursors == NULL || list_eligible(serving, s) != 0 ||
	    build_maglev(serving, s) != 0 || build_turns(serving, s->pool) != 0) {
		serving_free(serving);
		return NULL;
	}
	// Workers and nodes begin at different members, so that short runs spread too.
	for (uint32_t w = 0; w < nb_workers; w++)
		serving->cursors[w].next =
			serving->nb_turns > 0 ? (uint32_t)random() % serving->nb_turns : 0;
	return serving;
}

static bool has_family(const struct weir_pool *pool, enum weir_family family)
{
	for (uint32_t i = 0; i < pool->nb_backends; i++)
		if (weir_family_of(&pool->backends[i].address) == family)
			return true;
	return false;
}

int weir_serving_build(struct weir_pool *pool, const Weir__V1__Pool *message,
		       const struct weir_pool *old, const struct weir_flow_file *file,
		       int64_t now_us)
{
	uint32_t nb_workers = file->header->nb_workers;
	uint16_t *map = old != NULL ? map_draining(pool, old, file, now_us) : NULL;
	struct selection s = {
		.pool = pool, .message = message, .family = -1, .maglev_cache = file->maglev_cache};
	int ret = 0;

	if (pool->nb_configured == 0 && message->maglev_table_size < 2) {
		free(map);
		return 0;
	}
	for (int family = 0; ret == 0 && family < WEIR_NB_FAMILIES; family++) {
		if (weir_mode_is_nat(pool->mode)) {
			if (!has_family(pool, (enum weir_family)family))
				continue;
			s.family = family;
		} else if (family > 0) {
			pool->serving[family] = pool->serving[0];
			break;
		}
		pool->serving[family] = build_one(&s, nb_workers);
		if (pool->serving[family] == NULL)
			ret = -ENOMEM;
		else if (old != NULL)
			ret = keep_previous(pool->serving[family], old->serving[family], map);
	}
	free(map);
	return ret;
}

void weir_serving_destroy(struct weir_pool *pool)
{
	if (pool->serving[WEIR_V6] != pool->serving[WEIR_V4])
		serving_free(pool->serving[WEIR_V6]);
	serving_free(pool->serving[WEIR_V4]);
}
