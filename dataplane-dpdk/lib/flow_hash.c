// SPDX-License-Identifier: Apache-2.0

#include "lib/flow_hash.h"

#include <string.h>

#include "lib/siphash.h"

static const uint64_t xx_prime1 = UINT64_C(0x9E3779B185EBCA87);
static const uint64_t xx_prime2 = UINT64_C(0xC2B2AE3D27D4EB4F);
static const uint64_t xx_prime3 = UINT64_C(0x165667B19E3779F9);
static const uint64_t xx_prime4 = UINT64_C(0x85EBCA77C2B2AE63);
static const uint64_t xx_prime5 = UINT64_C(0x27D4EB2F165667C5);

static inline uint64_t rotate_left(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static inline uint64_t read64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t read32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t xx_round(uint64_t lane, uint64_t input)
{
	return rotate_left(lane + input * xx_prime2, 31) * xx_prime1;
}

static inline uint64_t xx_merge(uint64_t hash, uint64_t lane)
{
	return (hash ^ xx_round(0, lane)) * xx_prime1 + xx_prime4;
}

static const uint8_t *xx_stripes(const uint8_t *p, const uint8_t *end, uint64_t seed, uint64_t *out)
{
	uint64_t v1 = seed + xx_prime1 + xx_prime2;
	uint64_t v2 = seed + xx_prime2;
	uint64_t v3 = seed;
	uint64_t v4 = seed - xx_prime1;

	while (end - p >= 32) {
		v1 = xx_round(v1, read64(p));
		v2 = xx_round(v2, read64(p + 8));
		v3 = xx_round(v3, read64(p + 16));
		v4 = xx_round(v4, read64(p + 24));
		p += 32;
	}
	uint64_t hash =
		rotate_left(v1, 1) + rotate_left(v2, 7) + rotate_left(v3, 12) + rotate_left(v4, 18);
	hash = xx_merge(hash, v1);
	hash = xx_merge(hash, v2);
	hash = xx_merge(hash, v3);
	*out = xx_merge(hash, v4);
	return p;
}

uint64_t weir_xxh64(const void *data, size_t length, uint64_t seed)
{
	const uint8_t *p = data;
	const uint8_t *end = p + length;
	uint64_t hash = seed + xx_prime5;

	if (length >= 32)
		p = xx_stripes(p, end, seed, &hash);
	hash += length;
	for (; end - p >= 8; p += 8)
		hash = rotate_left(hash ^ xx_round(0, read64(p)), 27) * xx_prime1 + xx_prime4;
	if (end - p >= 4) {
		hash = rotate_left(hash ^ (read32(p) * xx_prime1), 23) * xx_prime2 + xx_prime3;
		p += 4;
	}
	for (; p < end; p++)
		hash = rotate_left(hash ^ (*p * xx_prime5), 11) * xx_prime1;
	hash = (hash ^ (hash >> 33)) * xx_prime2;
	hash = (hash ^ (hash >> 29)) * xx_prime3;
	return hash ^ (hash >> 32);
}

uint64_t weir_siphash13_2(const uint64_t key[2], uint64_t first, uint64_t second)
{
	struct weir_siphash s = weir_siphash_begin(key);

	weir_siphash_word(&s, first);
	weir_siphash_word(&s, second);
	return weir_siphash_end(&s);
}

// The address in its own family's bytes: 4 or 16. Returns how many.
static size_t put_address(uint8_t *out, const struct weir_address *address)
{
	if (weir_address_is_v4(address)) {
		memcpy(out, address->bytes + 12, 4);
		return 4;
	}
	memcpy(out, address->bytes, 16);
	return 16;
}

uint64_t weir_select_hash(const struct weir_address *client_address, weir_be16_t client_port,
			  const struct weir_address *vip_address, weir_be16_t vip_port,
			  uint8_t protocol)
{
	uint8_t input[37];
	size_t at = put_address(input, client_address);

	memcpy(input + at, &client_port, 2);
	at += 2;
	at += put_address(input + at, vip_address);
	memcpy(input + at, &vip_port, 2);
	at += 2;
	input[at++] = protocol;
	return weir_xxh64(input, at, WEIR_SELECT_SEED);
}

uint64_t weir_select_hash_source(const struct weir_address *client_address)
{
	uint8_t input[16];

	return weir_xxh64(input, put_address(input, client_address), WEIR_SELECT_SEED);
}
