// SPDX-License-Identifier: Apache-2.0

#include "flow/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/flow_hash.h"

enum {
	COUNT_BITS = 24,
	LEASES_PER_SECOND = 1000, // a lease of new flows is a millisecond's worth
	MAX_LEASE = 256,
	LEASES_OF_ACTIVE = 64, // per worker: what lies unused stays below the tolerance
};

#define NS_PER_S        INT64_C(1000000000)
#define COUNT_MASK      ((UINT64_C(1) << COUNT_BITS) - 1)
#define BURST_NS        (NS_PER_S / 20) // unused rate that may be caught up with
#define TOKEN_LIFE_NS   (NS_PER_S / 50)
#define NB_SOURCE_SLOTS ((size_t)WEIR_LIMITS_SOURCE_SETS * WEIR_LIMITS_SET_SLOTS)

struct weir_limits *weir_limits_new(uint32_t nb_workers, const uint64_t key[2])
{
	struct weir_limits *limits = calloc(1, sizeof(*limits));

	if (limits == NULL)
		return NULL;
	limits->references = 1;
	limits->nb_workers = nb_workers;
	limits->key[0] = key[0];
	limits->key[1] = key[1];
	limits->shares = aligned_alloc(64, nb_workers * sizeof(*limits->shares));
	if (limits->shares == NULL) {
		free(limits);
		return NULL;
	}
	memset(limits->shares, 0, nb_workers * sizeof(*limits->shares));
	return limits;
}

void weir_limits_release(struct weir_limits *limits)
{
	if (limits == NULL || --limits->references > 0)
		return;
	free(limits->shares);
	free(limits->sources);
	free(limits);
}

int weir_limits_prepare(struct weir_limits *limits, const struct weir_limit_bounds *bounds)
{
	if (limits->sources != NULL ||
	    (bounds->new_flows_per_source_per_s == 0 && bounds->active_flows_per_source == 0))
		return 0;
	limits->sources = aligned_alloc(64, NB_SOURCE_SLOTS * sizeof(*limits->sources));
	if (limits->sources == NULL)
		return -ENOMEM;
	memset(limits->sources, 0, NB_SOURCE_SLOTS * sizeof(*limits->sources));
	return 0;
}

static uint64_t part(uint64_t bound, uint32_t nb_nodes)
{
	return bound / nb_nodes + (bound % nb_nodes != 0);
}

void weir_limits_set(struct weir_limits *limits, const struct weir_limit_bounds *bounds,
		     uint32_t nb_nodes)
{
	atomic_store_explicit(&limits->new_flows_per_s, part(bounds->new_flows_per_s, nb_nodes),
			      memory_order_relaxed);
	atomic_store_explicit(&limits->active_flows, part(bounds->active_flows, nb_nodes),
			      memory_order_relaxed);
	atomic_store_explicit(&limits->new_flows_per_source_per_s,
			      part(bounds->new_flows_per_source_per_s, nb_nodes),
			      memory_order_relaxed);
	atomic_store_explicit(&limits->active_flows_per_source,
			      part(bounds->active_flows_per_source, nb_nodes),
			      memory_order_relaxed);
}

// Moves `ready` on by what `amount` of `rate` takes. Returns false when the rate is used up.
static bool take_rate(_Atomic int64_t *ready, uint64_t rate, uint64_t amount, int64_t now_ns)
{
	int64_t seen = atomic_load_explicit(ready, memory_order_relaxed);
	int64_t next;

	do {
		int64_t from = seen > now_ns - BURST_NS ? seen : now_ns - BURST_NS;

		if (from > now_ns)
			return false;
		next = from + (int64_t)(amount * (uint64_t)NS_PER_S / rate);
	} while (!atomic_compare_exchange_weak_explicit(ready, &seen, next, memory_order_relaxed,
							memory_order_relaxed));
	return true;
}

static bool take_token(struct weir_limits *limits, struct weir_limit_share *share, uint64_t rate,
		       int64_t now_ns)
{
	if (share->tokens == 0 || now_ns > share->tokens_until_ns) {
		uint64_t lease = rate / LEASES_PER_SECOND;

		lease = lease < 1 ? 1 : lease > MAX_LEASE ? MAX_LEASE : lease;
		share->tokens = 0;
		if (!take_rate(&limits->ready_ns, rate, lease, now_ns))
			return false;
		share->tokens = lease;
		share->tokens_until_ns = now_ns + TOKEN_LIFE_NS;
	}
	share->tokens--;
	return true;
}

static int64_t active_lease(const struct weir_limits *limits, uint64_t bound)
{
	int64_t lease = (int64_t)(bound / ((uint64_t)limits->nb_workers * LEASES_OF_ACTIVE));

	return lease > 0 ? lease : 1;
}

// True if the worker may have one more flow.
static bool has_room(struct weir_limits *limits, struct weir_limit_share *share, uint64_t bound)
{
	if (share->active < share->leased)
		return true;
	int64_t lease = active_lease(limits, bound);
	int64_t leased = atomic_load_explicit(&limits->leased, memory_order_relaxed);

	do {
		if (leased + lease > (int64_t)bound)
			lease = (int64_t)bound - leased;
		if (lease <= 0)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&limits->leased, &leased, leased + lease,
							memory_order_relaxed,
							memory_order_relaxed));
	share->leased += lease;
	// Flows from before a bound was set or lowered may be more than any lease.
	return share->active < share->leased;
}

static void give_room_back(struct weir_limits *limits, struct weir_limit_share *share)
{
	int64_t lease = active_lease(
		limits, atomic_load_explicit(&limits->active_flows, memory_order_relaxed));

	if (share->leased - share->active < 2 * lease)
		return;
	share->leased -= lease;
	atomic_fetch_sub_explicit(&limits->leased, lease, memory_order_relaxed);
}

// A network of 2^64 IPv6 addresses is one subscriber's: it counts as one source.
static uint64_t source_hash(const struct weir_limits *limits, const struct weir_address *source)
{
	uint64_t low = weir_address_is_v4(source) ? source->halves[1] : 0;

	return weir_siphash13_2(limits->key, source->halves[0], low);
}

static uint64_t holder_of(uint64_t hash)
{
	uint64_t name = hash & ~COUNT_MASK;

	return name != 0 ? name : COUNT_MASK + 1;
}

static struct weir_limit_source *set_of(const struct weir_limits *limits, uint64_t hash)
{
	return &limits->sources[(hash % WEIR_LIMITS_SOURCE_SETS) * WEIR_LIMITS_SET_SLOTS];
}

static struct weir_limit_source *find_source(const struct weir_limits *limits, uint64_t hash)
{
	struct weir_limit_source *set = set_of(limits, hash);

	for (int i = 0; i < WEIR_LIMITS_SET_SLOTS; i++)
		if ((atomic_load_explicit(&set[i].holder, memory_order_relaxed) & ~COUNT_MASK) ==
		    holder_of(hash))
			return &set[i];
	return NULL;
}

// A slot that is free or whose source holds nothing any more; NULL: none in the set.
static struct weir_limit_source *claim_source(const struct weir_limits *limits, uint64_t hash,
					      int64_t now_ns)
{
	struct weir_limit_source *set = set_of(limits, hash);

	for (int i = 0; i < WEIR_LIMITS_SET_SLOTS; i++) {
		uint64_t holder = atomic_load_explicit(&set[i].holder, memory_order_relaxed);

		if (holder != 0 &&
		    ((holder & COUNT_MASK) != 0 ||
		     atomic_load_explicit(&set[i].ready_ns, memory_order_relaxed) > now_ns))
			continue;
		if (!atomic_compare_exchange_strong_explicit(&set[i].holder, &holder,
							     holder_of(hash), memory_order_relaxed,
							     memory_order_relaxed))
			continue;
		atomic_store_explicit(&set[i].ready_ns, 0, memory_order_relaxed);
		return &set[i];
	}
	return NULL;
}

// Counts a flow of the slot's source. False: the bound is reached, or another took the slot.
static bool count_flow(struct weir_limit_source *slot, uint64_t hash, uint64_t bound)
{
	uint64_t holder = atomic_load_explicit(&slot->holder, memory_order_relaxed);

	do {
		if ((holder & ~COUNT_MASK) != holder_of(hash))
			return false;
		if ((holder & COUNT_MASK) >= bound || (holder & COUNT_MASK) == COUNT_MASK)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&slot->holder, &holder, holder + 1, memory_order_relaxed, memory_order_relaxed));
	return true;
}

static enum weir_drop_reason admit_source(struct weir_limits *limits,
					  const struct weir_address *source, int64_t now_ns,
					  bool *counted)
{
	uint64_t rate =
		atomic_load_explicit(&limits->new_flows_per_source_per_s, memory_order_relaxed);
	uint64_t bound =
		atomic_load_explicit(&limits->active_flows_per_source, memory_order_relaxed);

	if ((rate == 0 && bound == 0) || limits->sources == NULL)
		return WEIR_DROP_NONE;
	uint64_t hash = source_hash(limits, source);
	struct weir_limit_source *slot = find_source(limits, hash);
	if (slot == NULL)
		slot = claim_source(limits, hash, now_ns);
	if (slot == NULL) {
		atomic_fetch_add_explicit(&limits->untracked, 1, memory_order_relaxed);
		return WEIR_DROP_NONE;
	}
	if (rate != 0 && !take_rate(&slot->ready_ns, rate, 1, now_ns))
		return WEIR_DROP_LIMIT_SOURCE_RATE;
	if (bound != 0 && !count_flow(slot, hash, bound))
		return WEIR_DROP_LIMIT_SOURCE_FLOWS;
	*counted = bound != 0;
	return WEIR_DROP_NONE;
}

static void uncount_flow(const struct weir_limits *limits, const struct weir_address *source)
{
	uint64_t hash = source_hash(limits, source);
	struct weir_limit_source *slot = find_source(limits, hash);

	if (slot == NULL)
		return;
	uint64_t holder = atomic_load_explicit(&slot->holder, memory_order_relaxed);
	do {
		if ((holder & ~COUNT_MASK) != holder_of(hash) || (holder & COUNT_MASK) == 0)
			return;
	} while (!atomic_compare_exchange_weak_explicit(
		&slot->holder, &holder, holder - 1, memory_order_relaxed, memory_order_relaxed));
}

enum weir_drop_reason weir_limits_admit(struct weir_limits *limits, uint32_t worker,
					const struct weir_address *source, int64_t now_ns,
					bool *counted)
{
	struct weir_limit_share *share = &limits->shares[worker];
	uint64_t rate = atomic_load_explicit(&limits->new_flows_per_s, memory_order_relaxed);
	uint64_t bound = atomic_load_explicit(&limits->active_flows, memory_order_relaxed);

	*counted = false;
	if (bound != 0 && !has_room(limits, share, bound))
		return WEIR_DROP_LIMIT_ACTIVE_FLOWS;
	// A source beyond its own limit must not use up the rate of the others.
	enum weir_drop_reason reason = admit_source(limits, source, now_ns, counted);
	if (reason != WEIR_DROP_NONE)
		return reason;
	if (rate != 0 && !take_token(limits, share, rate, now_ns)) {
		if (*counted)
			uncount_flow(limits, source);
		*counted = false;
		return WEIR_DROP_LIMIT_NEW_FLOWS;
	}
	return WEIR_DROP_NONE;
}

void weir_limits_forget(struct weir_limits *limits, const struct weir_address *source)
{
	uncount_flow(limits, source);
}

void weir_limits_began(struct weir_limits *limits, uint32_t worker)
{
	struct weir_limit_share *share = &limits->shares[worker];

	if (share->counting)
		share->active++;
}

void weir_limits_ended(struct weir_limits *limits, uint32_t worker,
		       const struct weir_address *source, bool counted)
{
	struct weir_limit_share *share = &limits->shares[worker];

	if (counted && limits->sources != NULL)
		uncount_flow(limits, source);
	if (!share->counting)
		return;
	share->active--;
	give_room_back(limits, share);
}

void weir_limits_adopt(struct weir_limits *limits, uint32_t worker, int64_t active)
{
	struct weir_limit_share *share = &limits->shares[worker];

	if (share->counting)
		return;
	share->counting = true;
	share->active = active;
	// Flows that are there already hold their room, even beyond the bound.
	share->leased = active;
	atomic_fetch_add_explicit(&limits->leased, active, memory_order_relaxed);
}
