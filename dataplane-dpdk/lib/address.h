// SPDX-License-Identifier: Apache-2.0
//
// An IP address of either family in 16 bytes, network byte order. IPv4 is written as its
// IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2), so that one comparison, one prefix match
// and one hash serve both; prefix lengths of IPv4 are counted from bit 96 on.

#pragma once

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
