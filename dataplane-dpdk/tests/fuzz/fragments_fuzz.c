// SPDX-License-Identifier: Apache-2.0
//
// A sequence of fragments chosen by the input: bytes are read in threes (datagram, kind, time
// passed). No packet is lost or handed out twice, none is held for longer than it may, and a
// datagram's ports are those of its last first fragment.

#include <stdlib.h>

#include "lib/fragment_cache.h"

enum { HOLD = 100, REMEMBER = 2000, DATAGRAMS = 16, MAX_STEPS = 160 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t secret[2] = {3, 4};
static struct weir_fragment_cache cache;

struct model {
	uint8_t out[MAX_STEPS];       // held: 1
	uint32_t datagram[MAX_STEPS]; // of each packet
	uint64_t since[MAX_STEPS];
	weir_be16_t port[DATAGRAMS];
	uint32_t nb_held;
};

static struct model model;
static uint8_t packets[MAX_STEPS]; // their addresses stand for packets

static void given_back(void *packet, uint64_t now, int expired)
{
	size_t n = (size_t)((uint8_t *)packet - packets);

	if (n >= MAX_STEPS || !model.out[n] || (expired != (now >= model.since[n] + HOLD)))
		abort();
	model.out[n] = 0;
	model.nb_held--;
}

static void first_fragment(const struct weir_fragment_key *key, uint8_t datagram, size_t step,
			   uint64_t now)
{
	void *packet;
	struct weir_fragment_entry *entry =
		weir_fragment_learn(&cache, weir_fragment_hash(secret, key), key, now);

	entry->source_port = (weir_be16_t)step;
	model.port[datagram] = (weir_be16_t)step;
	while ((packet = weir_fragment_take(&cache, key)) != NULL) {
		if (model.datagram[(uint8_t *)packet - packets] != datagram)
			abort();
		given_back(packet, now, 0);
	}
}

static void later_fragment(const struct weir_fragment_key *key, uint8_t datagram, size_t step,
			   uint64_t now)
{
	const struct weir_fragment_entry *entry =
		weir_fragment_find(&cache, weir_fragment_hash(secret, key), key, now);

	if (entry != NULL) {
		if (entry->source_port != model.port[datagram])
			abort();
		return;
	}
	if (!weir_fragment_hold(&cache, key, &packets[step], now))
		return;
	model.out[step] = 1;
	model.datagram[step] = datagram;
	model.since[step] = now;
	if (++model.nb_held > WEIR_FRAGMENT_HELD)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t now = 1;
	void *packet;

	weir_fragment_cache_init(&cache, HOLD, REMEMBER);
	model = (struct model){0};
	for (size_t step = 0; step < MAX_STEPS && step * 3 + 2 < size; step++) {
		const uint8_t *bytes = data + step * 3;
		uint8_t datagram = bytes[0] % DATAGRAMS;
		struct weir_fragment_key key = {.source = weir_address_v4(datagram & 3),
						.id = datagram >> 2};

		now += (uint64_t)bytes[2] * (bytes[1] & 0x80 ? 16 : 1);
		while ((packet = weir_fragment_expired(&cache, now)) != NULL)
			given_back(packet, now, 1);
		if (bytes[1] & 1)
			first_fragment(&key, datagram, step, now);
		else
			later_fragment(&key, datagram, step, now);
	}
	while ((packet = weir_fragment_expired(&cache, now + HOLD)) != NULL)
		given_back(packet, now + HOLD, 1);
	if (model.nb_held != 0)
		abort();
	return 0;
}
