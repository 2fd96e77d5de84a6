// SPDX-License-Identifier: Apache-2.0
//
// A keyed hash of a few words by folded multiplication (the two halves of a 128-bit product, each
// factor masked by a key word), as wyhash has it. A fifth of SipHash's time on two words. Its keys
// are random and its values never leave the process, so that nobody outside may choose which bucket
// of a table a packet falls into.

#pragma once

#include <stdint.h>

static inline uint64_t weir_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// Takes one more pair of words into `hash`, which begins as 0.
static inline uint64_t weir_tuple_hash_add(const uint64_t key[2], uint64_t hash, uint64_t a,
					   uint64_t b)
{
	return weir_fold(a ^ key[0] ^ hash, b ^ key[1]);
}

static inline uint64_t weir_tuple_hash_end(const uint64_t key[2], uint64_t hash)
{
	return weir_fold(hash ^ key[1], key[0] ^ UINT64_C(0x9e3779b97f4a7c15));
}
