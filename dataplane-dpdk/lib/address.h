// SPDX-License-Identifier: Apache-2.0
//
// An IP address of either family in 16 bytes, network byte order. IPv4 is written as its
// IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2), so that one comparison, one prefix match
// and one hash serve both; prefix lengths of IPv4 are counted from bit 96 on.

#pragma once

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/byte_order.h"

#define WEIR_V4_PREFIX_BITS 96

struct weir_address {
	union {
		uint8_t bytes[16];
		uint32_t words[4]; // network byte order
		uint64_t halves[2];
	};
};

_Static_assert(sizeof(struct weir_address) == 16, "an IPv6 address");

static inline struct weir_address weir_address_v4(weir_be32_t address)
{
	struct weir_address mapped = {.bytes = {[10] = 0xff, [11] = 0xff}};

	mapped.words[3] = address;
	return mapped;
}

static inline struct weir_address weir_address_v6(const uint8_t bytes[16])
{
	struct weir_address address;

	memcpy(address.bytes, bytes, sizeof(address.bytes));
	return address;
}

static inline bool weir_address_equal(const struct weir_address *a, const struct weir_address *b)
{
	return ((a->halves[0] ^ b->halves[0]) | (a->halves[1] ^ b->halves[1])) == 0;
}

static inline bool weir_address_is_v4(const struct weir_address *address)
{
	struct weir_address mapped = weir_address_v4(0);

	return address->halves[0] == mapped.halves[0] && address->words[2] == mapped.words[2];
}

// Only for an address of which weir_address_is_v4 is true.
static inline weir_be32_t weir_address_to_v4(const struct weir_address *address)
{
	return address->words[3];
}

// :: stands for "none": it is no host's address.
static inline bool weir_address_is_none(const struct weir_address *address)
{
	return (address->halves[0] | address->halves[1]) == 0;
}

// Neither :: nor 0.0.0.0.
static inline bool weir_address_usable(const struct weir_address *address)
{
	return !weir_address_is_none(address) &&
	       !(weir_address_is_v4(address) && weir_address_to_v4(address) == 0);
}

// A mask of `bits` leading ones; those of an IPv4 prefix begin behind WEIR_V4_PREFIX_BITS.
static inline struct weir_address weir_address_mask(uint32_t bits)
{
	struct weir_address mask = {0};

	for (uint32_t i = 0; i < 16 && bits > i * 8; i++)
		mask.bytes[i] = bits >= i * 8 + 8 ? 0xff : (uint8_t)(0xff00 >> (bits - i * 8));
	return mask;
}

static inline struct weir_address weir_address_and(const struct weir_address *address,
						   const struct weir_address *mask)
{
	return (struct weir_address){.halves = {address->halves[0] & mask->halves[0],
						address->halves[1] & mask->halves[1]}};
}

// True if `address` lies in the prefix `network`, whose host bits are zero. An IPv6 prefix may
// cover the mapped IPv4 addresses too: callers keep the families apart.
static inline bool weir_address_in(const struct weir_address *address,
				   const struct weir_address *network,
				   const struct weir_address *mask)
{
	return (((address->halves[0] & mask->halves[0]) ^ network->halves[0]) |
		((address->halves[1] & mask->halves[1]) ^ network->halves[1])) == 0;
}

// Unkeyed and cheap: for tables of addresses that come from the configuration.
static inline uint32_t weir_address_hash(const struct weir_address *address)
{
	uint64_t h = (address->halves[0] ^ (address->halves[1] >> 32 | address->halves[1] << 32)) *
		     UINT64_C(0x9E3779B97F4A7C15);

	return (uint32_t)(h >> 32);
}

#define WEIR_ADDRESS_TEXT 46

// As people write it; `text` is returned.
static inline const char *weir_address_text(const struct weir_address *address,
					    char text[WEIR_ADDRESS_TEXT])
{
	if (weir_address_is_v4(address))
		return inet_ntop(AF_INET, &address->words[3], text, WEIR_ADDRESS_TEXT);
	return inet_ntop(AF_INET6, address->bytes, text, WEIR_ADDRESS_TEXT);
}
