// SPDX-License-Identifier: Apache-2.0
//
// Which member a flow goes to; see docs/selection.md.

#include "datapath/datapath.h"
#include "lib/flow_hash.h"
#include "lib/maglev.h"

enum {
	// Least connections compares all members of a pool up to this size, and this many random
	// ones of a larger one. Two would do for the busiest member; four keep the idlest near too.
	SCANNED = 16,
	CHOICES = 4,
	// A member so many flows, and a tenth, below its part has joined lately.
	FAR_BELOW = 4,
	NONE = -1,
};

uint32_t weir_random32(struct weir_worker *worker)
{
	uint32_t x = worker->rng;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	worker->rng = x;
	return x;
}

// Below `bound`, without a division.
static uint32_t random_below(struct weir_worker *worker, uint32_t bound)
{
	return (uint32_t)(((uint64_t)weir_random32(worker) * bound) >> 32);
}

static struct weir_address masked_source(const struct weir_listener *listener,
					 const struct weir_packet *packet)
{
	return weir_address_and(&packet->source,
				&listener->persistence_masks[weir_family_of(&packet->source)]);
}

// Persistence and source_ip_hash leave ports and VIP out, so that all listeners of a pool agree.
static uint64_t selection_hash(const struct weir_listener *listener,
			       const struct weir_packet *packet)
{
	if (listener->persistence_s != 0) {
		struct weir_address source = masked_source(listener, packet);

		return weir_select_hash_source(&source);
	}
	if (listener->pool->algorithm == WEIR_SOURCE_IP_HASH)
		return weir_select_hash_source(&packet->source);
	return weir_select_hash(&packet->source, packet->source_port, &packet->destination,
				packet->destination_port, packet->protocol);
}

static int at_slot(const uint16_t *table, uint32_t size, uint64_t hash, uint32_t *slot_out)
{
	uint32_t slot = weir_maglev_slot(hash, size);

	if (slot_out != NULL)
		*slot_out = slot;
	return table[slot] != WEIR_MAGLEV_EMPTY ? table[slot] : NONE;
}

int weir_select_maglev(const struct weir_listener *listener, const struct weir_packet *packet,
		       uint32_t *slot_out)
{
	const struct weir_serving *serving =
		weir_pool_serving(listener->pool, &packet->destination);

	if (serving == NULL)
		return NONE;
	return at_slot(serving->maglev, serving->maglev_size, selection_hash(listener, packet),
		       slot_out);
}

int weir_select_mid_flow(const struct weir_worker *worker, const struct weir_listener *listener,
			 const struct weir_packet *packet)
{
	const struct weir_serving *serving =
		weir_pool_serving(listener->pool, &packet->destination);
	int chosen = NONE;

	if (serving == NULL)
		return NONE;
	uint64_t hash = selection_hash(listener, packet);
	if (serving->previous != NULL && packet->protocol == WEIR_IP_TCP)
		chosen = at_slot(serving->previous, serving->previous_size, hash, NULL);
	if (chosen == NONE && listener->persistence_s != 0)
		chosen = weir_persistence_find(worker, listener, packet);
	if (chosen == NONE)
		chosen = at_slot(serving->maglev, serving->maglev_size, hash, NULL);
	return chosen;
}

// persistence

static uint64_t pin_name(const struct weir_worker *worker, const struct weir_listener *listener,
			 const struct weir_packet *packet)
{
	struct weir_address source = masked_source(listener, packet);

	return weir_pins_name(&worker->engine->pins, listener->pool->key, &source);
}

static int eligible_index(const struct weir_pool *pool, const struct weir_serving *serving,
			  uint32_t backend_id)
{
	uint32_t low = 0;
	uint32_t high = serving->nb_eligible;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		uint16_t index = serving->by_id[middle];

		if (pool->backends[index].backend_id == backend_id)
			return index;
		if (pool->backends[index].backend_id < backend_id)
			low = middle + 1;
		else
			high = middle;
	}
	return NONE;
}

int weir_persistence_find(const struct weir_worker *worker, const struct weir_listener *listener,
			  const struct weir_packet *packet)
{
	const struct weir_pins *pins = &worker->engine->pins;

	if (pins->header == NULL)
		return NONE;
	uint32_t backend_id = weir_pins_find(pins, pin_name(worker, listener, packet), worker->now);
	if (backend_id == UINT32_MAX)
		return NONE;
	return eligible_index(listener->pool,
			      weir_pool_serving(listener->pool, &packet->destination), backend_id);
}

// The pinned member while it takes new flows, else the one that the table names, which is pinned.
static int persistent(struct weir_worker *worker, const struct weir_listener *listener,
		      const struct weir_packet *packet)
{
	struct weir_pins *pins = &worker->engine->pins;
	int chosen = weir_persistence_find(worker, listener, packet);

	if (chosen == NONE)
		chosen = weir_select_maglev(listener, packet, NULL);
	if (chosen != NONE && pins->header != NULL)
		weir_pins_set(pins, pin_name(worker, listener, packet),
			      listener->pool->backends[chosen].backend_id, worker->now,
			      worker->now + listener->persistence_s * WEIR_TICKS_PER_SECOND);
	return chosen;
}

// turns

static int next_turn(const struct weir_worker *worker, const struct weir_serving *serving)
{
	uint32_t *next = &serving->cursors[worker->index].next;
	uint32_t turn = *next < serving->nb_turns ? *next : 0;

	*next = turn + 1;
	return serving->turns[turn];
}

// least connections

// Active flows of a backend on all workers: a sum at most a millisecond old, and what this worker
// has begun and ended since. That counts for every worker: they do the same by the same sum, and
// would otherwise all fill the emptiest member at once.
static uint64_t load_of(struct weir_worker *worker, uint32_t backend_id)
{
	const struct weir_flow_file *file = &worker->engine->file;
	int64_t own = (int64_t)file->backend_active[worker->index][backend_id];

	if (worker->engine->nb_workers == 1)
		return (uint64_t)own;
	if (worker->loads == NULL)
		return weir_backend_active(file, backend_id);
	struct weir_load *load = &worker->loads[backend_id];
	if (load->taken_ms != worker->now_ms) {
		load->taken_ms = worker->now_ms;
		load->own = (int32_t)own;
		load->sum = (int64_t)weir_backend_active(file, backend_id);
	}
	int64_t estimate = load->sum + (own - load->own) * worker->engine->nb_workers;
	return estimate > 0 ? (uint64_t)estimate : 0;
}

struct candidate {
	uint64_t load;
	int index;
	uint32_t share;
};

// True if one more flow weighs less on `a` than on `b`.
static bool lighter(const struct candidate *a, const struct candidate *b)
{
	return b->index == NONE || (a->load + 1) * b->share < (b->load + 1) * a->share;
}

static struct candidate candidate_at(struct weir_worker *worker, const struct weir_pool *pool,
				     uint16_t index)
{
	const struct weir_backend *backend = &pool->backends[index];

	return (struct candidate){
		.load = load_of(worker, backend->backend_id),
		.index = index,
		.share = backend->share,
	};
}

// The lightest of `nb` candidates. Those far below their part have joined lately: together they get
// at most half as many flows again as their share, until they have caught up.
static int lightest(struct weir_worker *worker, const struct candidate *all, uint32_t nb)
{
	struct candidate near = {.index = NONE};
	struct candidate far = {.index = NONE};
	uint64_t total = 0;
	uint64_t share_sum = 0;
	uint64_t far_share = 0;

	for (uint32_t i = 0; i < nb; i++) {
		total += all[i].load;
		share_sum += all[i].share;
	}
	for (uint32_t i = 0; i < nb; i++) {
		const struct candidate *one = &all[i];

		// load + FAR_BELOW < 0.9 * total * share / share_sum
		if ((one->load + FAR_BELOW) * share_sum * 10 < total * one->share * 9) {
			far_share += one->share;
			if (lighter(one, &far))
				far = *one;
		} else if (lighter(one, &near)) {
			near = *one;
		}
	}
	if (far.index == NONE)
		return near.index;
	if (near.index == NONE || random_below(worker, 1024) * share_sum < far_share * (1024 + 512))
		return far.index;
	return near.index;
}

// All members of a small pool, from a random one on; else a few random ones. Slots of the Maglev
// table follow the weights, so that a random one is a weighted choice.
static int least_loaded(struct weir_worker *worker, const struct weir_pool *pool,
			const struct weir_serving *serving)
{
	struct candidate candidates[SCANNED];
	uint32_t nb = serving->nb_eligible;

	if (nb > SCANNED) {
		for (uint32_t i = 0; i < CHOICES; i++)
			candidates[i] = candidate_at(
				worker, pool,
				serving->maglev[random_below(worker, serving->maglev_size)]);
		return lightest(worker, candidates, CHOICES);
	}
	uint32_t start = random_below(worker, nb);
	for (uint32_t i = 0; i < nb; i++) {
		uint32_t at = start + i < nb ? start + i : start + i - nb;

		candidates[i] = candidate_at(worker, pool, serving->eligible[at]);
	}
	return lightest(worker, candidates, nb);
}

int weir_select(struct weir_worker *worker, const struct weir_listener *listener,
		const struct weir_packet *packet)
{
	const struct weir_pool *pool = listener->pool;
	const struct weir_serving *serving = weir_pool_serving(pool, &packet->destination);

	if (serving == NULL || serving->nb_eligible == 0)
		return NONE;
	if (listener->persistence_s != 0)
		return persistent(worker, listener, packet);
	switch (pool->algorithm) {
	case WEIR_ROUND_ROBIN:
	case WEIR_WEIGHTED_ROUND_ROBIN:
		return next_turn(worker, serving);
	case WEIR_LEAST_CONNECTIONS:
	case WEIR_WEIGHTED_LEAST_CONNECTIONS:
		return least_loaded(worker, pool, serving);
	case WEIR_MAGLEV:
	case WEIR_SOURCE_IP_HASH:
		break;
	}
	return weir_select_maglev(listener, packet, NULL);
}
