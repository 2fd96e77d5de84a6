// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <stdint.h>

#include "lib/address.h"
#include "lib/byte_order.h"

// A packet's 5-tuple as it came in.
struct weir_tuple {
	struct weir_address source; // IPv4 as IPv4-mapped
	struct weir_address destination;
	weir_be16_t source_port; // first fragments and whole packets; 0 in later fragments
	weir_be16_t destination_port;
	uint8_t protocol; // after IPv6 extension headers
};
