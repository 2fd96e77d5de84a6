// SPDX-License-Identifier: Apache-2.0

#include "lib/tcp_mss.h"

#include <string.h>

#include "lib/byte_order.h"
#include "lib/checksum.h"

enum {
	HEADER = 20,
	CHECKSUM = 16,
	OPTION_END = 0,
	OPTION_NOTHING = 1,
	OPTION_MSS = 2,
	MSS_LENGTH = 4,
};

// Offset of the option's value; 0: no MSS option, or options that make no sense.
static uint32_t find_mss(const uint8_t *tcp, uint32_t header)
{
	for (uint32_t at = HEADER; at < header;) {
		if (tcp[at] == OPTION_END)
			return 0;
		if (tcp[at] == OPTION_NOTHING) {
			at++;
			continue;
		}
		if (at + 1 >= header || tcp[at + 1] < 2 || at + tcp[at + 1] > header)
			return 0;
		if (tcp[at] == OPTION_MSS)
			return tcp[at + 1] == MSS_LENGTH ? at + 2 : 0;
		at += tcp[at + 1];
	}
	return 0;
}

// RFC 1624 for two bytes at any offset: at an odd one, they lie in two words of the sum.
static void update_checksum(uint8_t *tcp, uint32_t at, uint16_t old, uint16_t new)
{
	uint16_t checksum;

	if (at % 2 != 0) {
		old = __builtin_bswap16(old);
		new = __builtin_bswap16(new);
	}
	memcpy(&checksum, tcp + CHECKSUM, sizeof(checksum));
	checksum = weir_checksum_update16(checksum, old, new);
	memcpy(tcp + CHECKSUM, &checksum, sizeof(checksum));
}

bool weir_tcp_mss_clamp(uint8_t *tcp, uint16_t length, uint16_t mss)
{
	uint32_t header = (uint32_t)(tcp[12] >> 4) * 4;
	weir_be16_t old;
	weir_be16_t new = weir_be16(mss);

	if (header > length)
		return false;
	uint32_t at = find_mss(tcp, header);
	if (at == 0)
		return false;
	memcpy(&old, tcp + at, sizeof(old));
	if (weir_host16(old) <= mss)
		return false;
	memcpy(tcp + at, &new, sizeof(new));
	update_checksum(tcp, at, old, new);
	return true;
}
