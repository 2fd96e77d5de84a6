// SPDX-License-Identifier: Apache-2.0
//
// Maglev lookup tables. The exact algorithm, to be implemented alike elsewhere, is specified in
// docs/maglev.md; golden tables are in tests/golden/.

#pragma once

#include <stdint.h>

// Slot of a table without any member.
#define WEIR_MAGLEV_EMPTY       UINT16_MAX
#define WEIR_MAGLEV_MAX_MEMBERS 8192
#define WEIR_MAGLEV_MAX_SIZE    (1u << 24)

struct weir_maglev_member {
	const char *id;  // stable name of the member; its hash decides its slots
	uint32_t weight; // 0: takes no slots
};

// True if `size` is a prime that a table may have.
int weir_maglev_size_valid(uint32_t size);

// Build the lookup table for one set of members.
//
// table: out, `size` entries, each an index into `members`, or WEIR_MAGLEV_EMPTY everywhere if
// every weight is 0. The order of `members` does not matter to which member gets a slot.
// Returns 0, -EINVAL for a size that is not a prime or has fewer slots than members, -E2BIG for
// too many members, -ENOMEM. Runs on the control thread; O(size) and a sort of the members.
// Source: Eisenbud et al., "Maglev", NSDI 2016, section 3.4, with weights as cumulative turns.
int weir_maglev_build(uint16_t *table, uint32_t size, const struct weir_maglev_member *members,
		      uint32_t nb_members);

// The slot that a selection hash falls into.
static inline uint32_t weir_maglev_slot(uint64_t hash, uint32_t size)
{
	return (uint32_t)(hash % size);
}
