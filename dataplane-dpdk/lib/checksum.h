// SPDX-License-Identifier: Apache-2.0
//
// Internet checksums: full sums (RFC 1071) and incremental updates (RFC 1624, equation 3).

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/address.h"
#include "lib/byte_order.h"

static inline uint16_t weir_checksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

// One's complement sum of 16-bit words in memory order, not folded, not inverted.
static inline uint64_t weir_checksum_add(uint64_t sum, const void *data, size_t length)
{
	const uint8_t *p = data;
	uint32_t word;

	for (; length >= 4; length -= 4, p += 4) {
		memcpy(&word, p, 4);
		sum += word;
	}
	if (length >= 2) {
		uint16_t half;

		memcpy(&half, p, 2);
		sum += half;
		p += 2;
		length -= 2;
	}
	if (length > 0)
		sum += *p;
	return sum;
}

static inline uint16_t weir_checksum(const void *data, size_t length)
{
	return (uint16_t)~weir_checksum_fold(weir_checksum_add(0, data, length));
}

// The sum that, over a correct segment with its checksum field, folds to 0xffff.
static inline uint16_t weir_checksum_l4(weir_be32_t source, weir_be32_t destination,
					uint8_t protocol, const void *segment, uint16_t length)
{
	uint64_t sum = (uint64_t)source + destination;

	sum += weir_be16(protocol);
	sum += weir_be16(length);
	return weir_checksum_fold(weir_checksum_add(sum, segment, length));
}

// RFC 1624: HC' = ~(~HC + ~m + m').
static inline uint16_t weir_checksum_update16(uint16_t checksum, uint16_t old, uint16_t new)
{
	return (uint16_t)~weir_checksum_fold((uint64_t)(uint16_t)~checksum + (uint16_t)~old + new);
}

static inline uint16_t weir_checksum_update32(uint16_t checksum, uint32_t old, uint32_t new)
{
	return (uint16_t)~weir_checksum_fold((uint64_t)(uint16_t)~checksum + (uint32_t)~old + new);
}

// The same for addresses of either family. The two 0xff bytes of a mapped IPv4 address add nothing
// to a one's complement sum, so that one function does for both; so does the one below.
static inline uint16_t weir_checksum_transport(const struct weir_address *source,
					       const struct weir_address *destination,
					       uint8_t protocol, const void *segment,
					       uint16_t length)
{
	uint64_t sum = weir_checksum_add(0, source, sizeof(*source));

	sum = weir_checksum_add(sum, destination, sizeof(*destination));
	sum += weir_be16(protocol);
	sum += weir_be16(length);
	return weir_checksum_fold(weir_checksum_add(sum, segment, length));
}

// What replacing `old` by `new` adds to a sum; for weir_checksum_apply().
static inline uint64_t weir_checksum_change(const struct weir_address *old,
					    const struct weir_address *new)
{
	uint64_t sum = (uint64_t)(uint32_t)~old->words[3] + new->words[3];

	for (int i = 0; i < 3; i++)
		sum += (uint64_t)(uint32_t)~old->words[i] + new->words[i];
	return sum;
}

static inline uint16_t weir_checksum_apply(uint16_t checksum, uint64_t change)
{
	return (uint16_t)~weir_checksum_fold((uint64_t)(uint16_t)~checksum + change);
}
