// SPDX-License-Identifier: Apache-2.0
//
// Prefix lists by id. An object stays the same as long as its id is known, so that listeners refer
// to it; its content is swapped under RCU. References are counted by the control thread.

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine.pb-c.h"
#include "flow/flow_file.h"
#include "lib/prefix_set.h"

struct weir_reject;

struct weir_prefix_list {
	uint32_t references; // listeners that name it, and the lists it is in
	char id[WEIR_ID_SIZE];
	uint64_t epoch;
	uint64_t sequence;
	uint8_t sha256[32];
	uint8_t *raw; // EnginePrefixList as received, to be stored
	uint32_t raw_length;
	_Atomic(struct weir_prefix_set *) set; // written by control, read by workers
};

struct weir_prefix_lists {
	uint32_t nb;
	struct weir_prefix_list **lists;
};

// NULL: not known.
struct weir_prefix_list *weir_prefix_lists_find(const struct weir_prefix_lists *lists,
						const char *id);

// Takes over a list or its new content. *replaced: out, what workers may still read and the caller
// frees after the grace period with weir_prefix_lists_free_set(); NULL: nothing.
// Returns 1 when something changed, 0 when the list is not newer than what is known, or -EINVAL
// with *reject set: the hash is wrong, or the content is not sorted, too long or malformed.
int weir_prefix_lists_apply(struct weir_prefix_lists *lists,
			    const Weir__V1__EnginePrefixList *message,
			    struct weir_prefix_set **replaced, struct weir_reject *reject);

// Forgets a list; it lives on while a listener that drains refers to it. The caller has seen to it
// that no other does.
void weir_prefix_lists_delete(struct weir_prefix_lists *lists, const char *id);

void weir_prefix_list_release(struct weir_prefix_list *list);
void weir_prefix_lists_free_set(struct weir_prefix_set *set);

static inline bool weir_prefix_list_has(const struct weir_prefix_list *list,
					const struct weir_address *address)
{
	return weir_prefix_set_has(atomic_load_explicit(&list->set, memory_order_acquire), address);
}
