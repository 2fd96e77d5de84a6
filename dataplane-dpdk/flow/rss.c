// SPDX-License-Identifier: Apache-2.0

#include "flow/rss.h"

#include <stdbool.h>
#include <string.h>

#include "lib/siphash.h"

enum {
	HASH_BITS = 32,
	ADDRESS_BITS_V4 = 32,
	ADDRESS_BITS_V6 = 128,
	PORT_BITS = 16,
	FOLDED_BITS = 8
};

// Where the fields of a family lie in what is hashed, in bits.
struct layout {
	uint32_t destination;
	uint32_t source_port;
	uint32_t destination_port;
};

static const struct layout layout_v4 = {
	.destination = ADDRESS_BITS_V4,
	.source_port = 2 * ADDRESS_BITS_V4,
	.destination_port = 2 * ADDRESS_BITS_V4 + PORT_BITS,
};
static const struct layout layout_v6 = {
	.destination = ADDRESS_BITS_V6,
	.source_port = 2 * ADDRESS_BITS_V6,
	.destination_port = 2 * ADDRESS_BITS_V6 + PORT_BITS,
};

static uint32_t key_bit(const struct weir_rss *rss, uint32_t at)
{
	return rss->key[at / 8] >> (7 - at % 8) & 1;
}

static void set_key_bit(struct weir_rss *rss, uint32_t at, bool value)
{
	uint8_t mask = (uint8_t)(0x80 >> at % 8);

	rss->key[at / 8] = (uint8_t)((rss->key[at / 8] & ~mask) | (value ? mask : 0));
}

// What an input bit adds to the hash are the 32 bits of the key that begin at its place; the last
// `bits` of them choose the worker.
static uint8_t class_of_bit(const struct weir_rss *rss, uint32_t at)
{
	uint32_t class = 0;

	for (uint32_t i = HASH_BITS - rss->bits; i < HASH_BITS; i++)
		class = class << 1 | key_bit(rss, at + i);
	return (uint8_t) class;
}

static void shape_key(struct weir_rss *rss, const struct layout *layout)
{
	uint32_t ahead = HASH_BITS - rss->bits;
	uint32_t end = layout->destination_port + PORT_BITS + HASH_BITS - 1;

	for (uint32_t at = layout->destination + ahead; at < layout->source_port + HASH_BITS - 1;
	     at++)
		set_key_bit(rss, at, false);
	for (uint32_t at = layout->destination_port + ahead; at < end; at++)
		set_key_bit(rss, at, false);
	// The highest bit of the port adds the class's lowest bit, the next one the next.
	set_key_bit(rss, layout->destination_port + HASH_BITS - 1, true);
	// Of the source port the low bits, which differ most among a client's flows, are folded, so
	// that successive ports and successive even ones are spread by any key.
	for (uint32_t i = 0; i < FOLDED_BITS; i++)
		set_key_bit(rss, layout->destination_port + ahead - 1 - i, i % rss->bits == 0);
}

static void make_key(struct weir_rss *rss, const uint64_t secret[2])
{
	for (uint32_t at = 0; at < sizeof(rss->key); at += sizeof(uint64_t)) {
		struct weir_siphash siphash = weir_siphash_begin(secret);

		weir_siphash_word(&siphash, at);
		uint64_t word = weir_siphash_end(&siphash);
		memcpy(rss->key + at, &word, sizeof(word));
	}
	shape_key(rss, &layout_v4);
	shape_key(rss, &layout_v6);
}

// The classes that the values of the input's byte from bit `at` on add.
static void fill(const struct weir_rss *rss, uint8_t classes[256], uint32_t at)
{
	for (uint32_t value = 0; value < 256; value++) {
		classes[value] = 0;
		for (uint32_t bit = 0; bit < 8; bit++)
			if (value & 0x80 >> bit)
				classes[value] ^= class_of_bit(rss, at + bit);
	}
}

static void fill_family(struct weir_rss *rss, struct weir_rss_family *family,
			const struct layout *layout)
{
	// An IPv4 address is the end of the 16 bytes that it is kept in.
	uint32_t first = 16 - layout->destination / 8;

	memset(family, 0, sizeof(*family));
	for (uint32_t i = first; i < 16; i++)
		fill(rss, family->source[i], (i - first) * 8);
	for (uint32_t i = 0; i < 2; i++)
		fill(rss, family->source_port[i], layout->source_port + i * 8);
}

static void fill_runs(struct weir_rss *rss)
{
	for (uint32_t run = 0; run < WEIR_RSS_CLASSES; run++) {
		for (uint32_t bit = 0; bit < WEIR_RSS_MAX_BITS; bit++)
			if (run >> (WEIR_RSS_MAX_BITS - 1 - bit) & 1)
				rss->run_class[run] ^=
					class_of_bit(rss, layout_v4.destination_port + bit);
		for (uint32_t class = 0; class < 1U << rss->bits; class ++) {
			uint8_t worker = rss->worker_of[class ^ rss->run_class[run]];

			rss->runs_of[worker][class] |= UINT32_C(1) << run;
		}
	}
}

// As few bits as tell the workers apart; two more where they would be uneven, since the classes do
// not divide among them.
static uint32_t bits_for(uint32_t nb_workers)
{
	uint32_t bits = 1;

	while (1U << bits < nb_workers)
		bits++;
	if ((nb_workers & (nb_workers - 1)) != 0)
		bits += 2;
	return bits < WEIR_RSS_MAX_BITS ? bits : WEIR_RSS_MAX_BITS;
}

void weir_rss_init(struct weir_rss *rss, const uint64_t secret[2], uint32_t nb_workers)
{
	memset(rss, 0, sizeof(*rss));
	rss->nb_workers = nb_workers;
	rss->bits = bits_for(nb_workers);
	make_key(rss, secret);
	for (uint32_t class = 0; class < 1U << rss->bits; class ++)
		rss->worker_of[class] = (uint8_t)(class % nb_workers);
	fill_runs(rss);
	fill_family(rss, &rss->v4, &layout_v4);
	fill_family(rss, &rss->v6, &layout_v6);
}

static uint8_t source_class(const struct weir_rss *rss, const struct weir_address *source,
			    weir_be16_t source_port)
{
	bool v4 = weir_address_is_v4(source);
	const struct weir_rss_family *family = v4 ? &rss->v4 : &rss->v6;
	uint8_t class = family->source_port[0][source_port & 0xff] ^
			family->source_port[1][source_port >> 8];

	for (uint32_t i = v4 ? WEIR_V4_PREFIX_BITS / 8 : 0; i < 16; i++)
		class ^= family->source[i][source->bytes[i]];
	return class;
}

uint32_t weir_rss_owner(const struct weir_rss *rss, const struct weir_address *client,
			weir_be16_t client_port)
{
	return rss->worker_of[source_class(rss, client, client_port)];
}

uint32_t weir_rss_reply_owner(const struct weir_rss *rss, const struct weir_address *member,
			      weir_be16_t member_port, weir_be16_t snat_port)
{
	return rss->worker_of[source_class(rss, member, member_port) ^
			      rss->run_class[weir_host16(snat_port) / WEIR_RSS_PORT_RUN]];
}

uint32_t weir_rss_reply_runs(const struct weir_rss *rss, uint32_t worker,
			     const struct weir_address *member, weir_be16_t member_port)
{
	return rss->runs_of[worker][source_class(rss, member, member_port)];
}
