// SPDX-License-Identifier: Apache-2.0
//
// A set of CIDRs of both families that answers whether it holds an address. Overlapping and
// adjacent prefixes are merged into disjoint intervals, sorted by their first address and found by
// bisection: 100,000 prefixes are 17 steps over 800 KiB (IPv4) or 1.6 MiB each for first and last
// addresses (IPv6). Immutable once built, so that any number of readers share it.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/address.h"

#define WEIR_PREFIX_SET_MAX 100000

struct weir_prefix_set {
	uint32_t nb_prefixes; // as listed
	uint32_t nb_v4;       // intervals, both ends included, in host order
	uint32_t *first_v4;
	uint32_t *last_v4;
	uint32_t nb_v6;
	struct weir_interval_v6 *v6;
};

enum weir_prefix_set_fault {
	WEIR_PREFIX_SET_SOUND,
	WEIR_PREFIX_SET_TRUNCATED, // the last entry is cut off
	WEIR_PREFIX_SET_FAMILY,    // neither 4 nor 6
	WEIR_PREFIX_SET_LENGTH,    // longer than the family's addresses
	WEIR_PREFIX_SET_HOST_BITS, // an address has bits beyond its prefix
	WEIR_PREFIX_SET_UNSORTED,  // not in strictly rising order of the packed bytes
	WEIR_PREFIX_SET_TOO_MANY,
	WEIR_PREFIX_SET_MEMORY,
};

// Reads PrefixListRecord.packed: entries of 1 byte family (4 or 6), 1 byte prefix length and 4 or
// 16 address bytes, in rising order by (family, address, length) without duplicates.
// fault_at: out, index of the entry at fault; may be NULL.
enum weir_prefix_set_fault weir_prefix_set_build(struct weir_prefix_set *set, const uint8_t *packed,
						 size_t length, uint32_t *fault_at);
void weir_prefix_set_destroy(struct weir_prefix_set *set);

bool weir_prefix_set_has(const struct weir_prefix_set *set, const struct weir_address *address);

// One line for a person.
const char *weir_prefix_set_fault_text(enum weir_prefix_set_fault fault);
