// SPDX-License-Identifier: Apache-2.0

#include "datapath/datapath.h"
#include "lib/flow_hash.h"
#include "lib/maglev.h"

// Above this many members, two random ones are compared instead of all.
enum { LEAST_CONNECTIONS_SCAN = 16 };

static uint32_t random32(struct weir_worker *worker)
{
	uint32_t x = worker->rng;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	worker->rng = x;
	return x;
}

int weir_select_maglev(const struct weir_pool *pool, const struct weir_packet *packet,
		       uint32_t *slot_out)
{
	uint64_t hash;

	if (pool->maglev_size == 0)
		return -1;
	if (pool->algorithm == WEIR_SOURCE_IP_HASH)
		hash = weir_select_hash_source(&packet->source);
	else
		hash = weir_select_hash(&packet->source, packet->source_port, &packet->destination,
					packet->destination_port, packet->protocol);
	uint32_t slot = weir_maglev_slot(hash, pool->maglev_size);
	if (slot_out != NULL)
		*slot_out = slot;
	return pool->maglev[slot] != WEIR_MAGLEV_EMPTY ? pool->maglev[slot] : -1;
}

static int next_turn(const struct weir_worker *worker, const struct weir_pool *pool)
{
	uint32_t *next = &pool->cursors[worker->index].next;
	uint32_t turn = *next < pool->nb_turns ? *next : 0;

	*next = turn + 1;
	return pool->turns[turn];
}

// True if `a` has fewer flows per weight than `b`.
static bool less_loaded(const struct weir_worker *worker, const struct weir_pool *pool, uint16_t a,
			uint16_t b)
{
	const uint64_t *active = worker->engine->file.backend_active[worker->index];
	const struct weir_backend *left = &pool->backends[a];
	const struct weir_backend *right = &pool->backends[b];
	bool weighted = pool->algorithm == WEIR_WEIGHTED_LEAST_CONNECTIONS;

	return active[left->backend_id] * (weighted ? right->weight : 1) <
	       active[right->backend_id] * (weighted ? left->weight : 1);
}

// Fewest flows as this worker counts them; of equals, the first from a random place on.
static int least_loaded(struct weir_worker *worker, const struct weir_pool *pool)
{
	uint32_t nb = pool->nb_eligible;
	uint32_t start = random32(worker) % nb;
	uint32_t tries = nb <= LEAST_CONNECTIONS_SCAN ? nb : 2;
	uint16_t best = pool->eligible[start];

	for (uint32_t i = 1; i < tries; i++) {
		uint32_t at = tries == nb ? (start + i) % nb : random32(worker) % nb;

		if (less_loaded(worker, pool, pool->eligible[at], best))
			best = pool->eligible[at];
	}
	return best;
}

int weir_select(struct weir_worker *worker, const struct weir_pool *pool,
		const struct weir_packet *packet)
{
	if (pool->nb_eligible == 0)
		return -1;
	switch (pool->algorithm) {
	case WEIR_ROUND_ROBIN:
	case WEIR_WEIGHTED_ROUND_ROBIN:
		return next_turn(worker, pool);
	case WEIR_LEAST_CONNECTIONS:
	case WEIR_WEIGHTED_LEAST_CONNECTIONS:
		return least_loaded(worker, pool);
	case WEIR_MAGLEV:
	case WEIR_SOURCE_IP_HASH:
		break;
	}
	return weir_select_maglev(pool, packet, NULL);
}
