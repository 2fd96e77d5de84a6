// SPDX-License-Identifier: Apache-2.0
//
// Which packets a capture wants. A frame is looked at as it is on the wire; of an encapsulated one
// (IP in IP, GUE) the inner packet may match as well.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/address.h"

// Fields that are 0 let everything pass.
struct weir_capture_match {
	uint8_t ip_protocol;
	weir_be16_t port; // source or destination
	bool has_host;
	bool has_addresses;
	struct weir_address host; // source or destination, under the mask
	struct weir_address host_mask;
	uint32_t nb_addresses; // sorted; one of them must be source or destination
	struct weir_address *addresses;
};

// Sorts `addresses`, as weir_capture_wants() needs it.
void weir_capture_match_ready(struct weir_capture_match *match);

bool weir_capture_wants(const struct weir_capture_match *match, const uint8_t *frame,
			uint32_t length);
