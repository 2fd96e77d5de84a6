// SPDX-License-Identifier: Apache-2.0
//
// SipHash-1-3 over whole 64-bit words, without the length block of the published function: the
// number of words never varies within one table. Keyed, so that nobody outside may choose which
// bucket of a table a packet falls into.

#pragma once

#include <stdint.h>

struct weir_siphash {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t weir_rotate_left(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static inline void weir_siphash_round(struct weir_siphash *s)
{
	s->v0 += s->v1;
	s->v1 = weir_rotate_left(s->v1, 13) ^ s->v0;
	s->v0 = weir_rotate_left(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = weir_rotate_left(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = weir_rotate_left(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = weir_rotate_left(s->v1, 17) ^ s->v2;
	s->v2 = weir_rotate_left(s->v2, 32);
}

static inline struct weir_siphash weir_siphash_begin(const uint64_t key[2])
{
	return (struct weir_siphash){
		.v0 = key[0] ^ UINT64_C(0x736f6d6570736575),
		.v1 = key[1] ^ UINT64_C(0x646f72616e646f6d),
		.v2 = key[0] ^ UINT64_C(0x6c7967656e657261),
		.v3 = key[1] ^ UINT64_C(0x7465646279746573),
	};
}

static inline void weir_siphash_word(struct weir_siphash *s, uint64_t word)
{
	s->v3 ^= word;
	weir_siphash_round(s);
	s->v0 ^= word;
}

static inline uint64_t weir_siphash_end(struct weir_siphash *s)
{
	s->v2 ^= 0xff;
	weir_siphash_round(s);
	weir_siphash_round(s);
	weir_siphash_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}
