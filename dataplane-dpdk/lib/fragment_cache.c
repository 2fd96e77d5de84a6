// SPDX-License-Identifier: Apache-2.0

#include "lib/fragment_cache.h"

#include <string.h>

#include "lib/flow_hash.h"

static bool same_datagram(const struct weir_fragment_key *a, const struct weir_fragment_key *b)
{
	return a->id == b->id && a->protocol == b->protocol &&
	       weir_address_equal(&a->source, &b->source) &&
	       weir_address_equal(&a->destination, &b->destination);
}

void weir_fragment_cache_init(struct weir_fragment_cache *cache, uint64_t hold_time,
			      uint64_t remember_time)
{
	memset(cache, 0, sizeof(*cache));
	cache->hold_time = hold_time;
	cache->remember_time = remember_time;
}

uint64_t weir_fragment_hash(const uint64_t secret[2], const struct weir_fragment_key *key)
{
	uint64_t h = weir_siphash13_2(secret, key->source.halves[0], key->source.halves[1]);

	h = weir_siphash13_2(secret, h ^ key->destination.halves[0], key->destination.halves[1]);
	return weir_siphash13_2(secret, h, (uint64_t)key->id << 32 | key->protocol);
}

struct weir_fragment_entry *weir_fragment_find(struct weir_fragment_cache *cache, uint64_t hash,
					       const struct weir_fragment_key *key, uint64_t now)
{
	struct weir_fragment_entry *set = cache->entries[hash % WEIR_FRAGMENT_SETS];

	for (int way = 0; way < WEIR_FRAGMENT_WAYS; way++)
		if (set[way].forget_at > now && same_datagram(&set[way].key, key))
			return &set[way];
	return NULL;
}

struct weir_fragment_entry *weir_fragment_learn(struct weir_fragment_cache *cache, uint64_t hash,
						const struct weir_fragment_key *key, uint64_t now)
{
	struct weir_fragment_entry *set = cache->entries[hash % WEIR_FRAGMENT_SETS];
	struct weir_fragment_entry *entry = weir_fragment_find(cache, hash, key, now);

	if (entry == NULL) {
		entry = &set[0];
		for (int way = 1; way < WEIR_FRAGMENT_WAYS; way++)
			if (set[way].forget_at < entry->forget_at)
				entry = &set[way];
		*entry = (struct weir_fragment_entry){.key = *key};
	}
	entry->forget_at = now + cache->remember_time;
	return entry;
}

// Steps over places whose packets were given back.
static void close_gap(struct weir_fragment_cache *cache)
{
	while (cache->first_held != cache->next_held &&
	       cache->held[cache->first_held % WEIR_FRAGMENT_HELD].packet == NULL)
		cache->first_held++;
}

bool weir_fragment_hold(struct weir_fragment_cache *cache, const struct weir_fragment_key *key,
			void *packet, uint64_t now)
{
	if (cache->next_held - cache->first_held == WEIR_FRAGMENT_HELD)
		return false;
	cache->held[cache->next_held++ % WEIR_FRAGMENT_HELD] = (struct weir_held_fragment){
		.key = *key, .packet = packet, .until = now + cache->hold_time};
	return true;
}

void *weir_fragment_take(struct weir_fragment_cache *cache, const struct weir_fragment_key *key)
{
	for (uint32_t at = cache->first_held; at != cache->next_held; at++) {
		struct weir_held_fragment *held = &cache->held[at % WEIR_FRAGMENT_HELD];
		void *packet = held->packet;

		if (packet == NULL || !same_datagram(&held->key, key))
			continue;
		held->packet = NULL;
		close_gap(cache);
		return packet;
	}
	return NULL;
}

void *weir_fragment_expired(struct weir_fragment_cache *cache, uint64_t now)
{
	struct weir_held_fragment *held = &cache->held[cache->first_held % WEIR_FRAGMENT_HELD];
	void *packet = held->packet;

	if (cache->first_held == cache->next_held || held->until > now)
		return NULL;
	held->packet = NULL;
	close_gap(cache);
	return packet;
}
