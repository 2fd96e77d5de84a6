// SPDX-License-Identifier: Apache-2.0
//
// Frames of any bytes and length: the parser must stay inside of them, and what it calls a packet
// must be one.

#include <stdlib.h>

#include "lib/packet_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weir_packet packet;
	enum weir_parse_result result = weir_packet_parse(data, (uint32_t)size, &packet);

	if (result == WEIR_PARSE_L4 || result == WEIR_PARSE_ICMP || result == WEIR_PARSE_NDP ||
	    result == WEIR_PARSE_FRAGMENT) {
		if ((size_t)packet.l4_offset + packet.l4_length > size)
			abort();
	}
	if (result == WEIR_PARSE_L4)
		(void)weir_packet_checksum_ok(data, &packet);
	return 0;
}
