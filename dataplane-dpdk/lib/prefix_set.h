// SPDX-License-Identifier: Apache-2.0
//
// A set of CIDRs of both families that answers whether it holds an address. Overlapping and
// adjacent prefixes are merged into disjoint intervals, sorted and found by bisection, first among
// every 64th of them, which stay in the nearest cache. Immutable once built, so that any number of
// readers share it.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/address.h"

#define WEIR_PREFIX_SET_MAX 100000

__extension__ typedef unsigned __int128 weir_uint128_t;

struct weir_prefix_set {
	uint32_t nb_prefixes; // as listed
	// Disjoint intervals, both ends included, in host order; entry i of `sample` is entry 64 i
	// of `first`.
	struct {
		uint32_t nb;
		uint32_t *first;
		uint32_t *last;
		uint32_t *sample;
	} v4;
	struct {
		uint32_t nb;
		weir_uint128_t *first;
		weir_uint128_t *last;
		weir_uint128_t *sample;
	} v6;
};

enum weir_prefix_set_fault {
	WEIR_PREFIX_SET_SOUND,
	WEIR_PREFIX_SET_TRUNCATED, // the last entry is cut off
	WEIR_PREFIX_SET_FAMILY,    // neither 4 nor 6
	WEIR_PREFIX_SET_LENGTH,    // longer than the family's addresses
	WEIR_PREFIX_SET_HOST_BITS, // an address has bits beyond its prefix
	WEIR_PREFIX_SET_UNSORTED,  // an entry's bytes are not above those of the one before
	WEIR_PREFIX_SET_TOO_MANY,
	WEIR_PREFIX_SET_MEMORY,
};

// Reads PrefixListRecord.packed: entries of 1 byte family (4 or 6), 1 byte prefix length and 4 or
// 16 address bytes; entries in rising order of their bytes, none twice.
// fault_at: out, index of the entry at fault; may be NULL.
enum weir_prefix_set_fault weir_prefix_set_build(struct weir_prefix_set *set, const uint8_t *packed,
						 size_t length, uint32_t *fault_at);
void weir_prefix_set_destroy(struct weir_prefix_set *set);

// A few tens of nanoseconds at 100,000 prefixes.
bool weir_prefix_set_has(const struct weir_prefix_set *set, const struct weir_address *address);

// One line for a person.
const char *weir_prefix_set_fault_text(enum weir_prefix_set_fault fault);
