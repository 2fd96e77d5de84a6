// SPDX-License-Identifier: Apache-2.0
//
// Source persistence: which backend a source's new flows go to. A pin only holds what the Maglev
// table said when the source came first, against later changes of the pool; without it every node
// and worker finds the same member by the table.
//
// One table for all workers, in a file of its own beside the flows, so that pins outlive the
// process. Sets of 8 slots, two cache lines; of a full set the pin that would end first gives way.
// Any worker reads and writes: a slot's key is cleared before and written after its value.

#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "lib/address.h"

#define WEIR_PINS_NB       (1u << 18)
#define WEIR_PINS_SET_SIZE 8

struct weir_pin {
	_Atomic uint64_t key;   // hash of pool and source; 0: free
	_Atomic uint64_t value; // backend id << 32 | tick after which it is forgotten
};

struct weir_pins_header {
	uint64_t magic;
	uint64_t size;
	uint64_t counters_id; // of the flow file whose backend ids the pins name
	uint64_t pad[5];
};

struct weir_pins {
	struct weir_pins_header *header; // NULL: closed
	struct weir_pin *pins;
	uint64_t key[2];
};

// Maps `dir`/pins. What belongs to another flow file (counters_id) is forgotten.
// Returns 0 or -errno.
int weir_pins_open(struct weir_pins *pins, const char *dir, uint64_t counters_id,
		   const uint64_t key[2]);
void weir_pins_close(struct weir_pins *pins);

// Name of a source at a pool: the address cut to its prefix. pool: any number that stands for the
// pool, the same after a restart.
uint64_t weir_pins_name(const struct weir_pins *pins, uint64_t pool,
			const struct weir_address *masked_source);

// Backend id, or UINT32_MAX when there is no pin at tick `now`.
uint32_t weir_pins_find(const struct weir_pins *pins, uint64_t name, uint32_t now);

// Pins to a backend until the tick `until`, or prolongs.
void weir_pins_set(struct weir_pins *pins, uint64_t name, uint32_t backend_id, uint32_t now,
		   uint32_t until);
