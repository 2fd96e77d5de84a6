// SPDX-License-Identifier: Apache-2.0
//
// An ICMP error of any bytes and length: parsing and translating the packet quoted in it stay
// inside, translating there and back restores every byte, and an MSS option is found in bounds.

#include <stdlib.h>
#include <string.h>

#include "lib/icmp_inner.h"
#include "lib/tcp_mss.h"

enum { IPV4_HEADER = 20, IPV6_HEADER = 40, ICMP_HEADER = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void translate_there_and_back(uint8_t *packet, const uint8_t *quoted, size_t size,
				     const struct weir_inner *inner)
{
	uint8_t *icmp = packet + (inner->family == 6 ? IPV6_HEADER : IPV4_HEADER);
	struct weir_inner again;
	struct weir_icmp_rewrite to = {
		.source = inner->destination,
		.destination = inner->source,
		.inner = {.source = inner->destination,
			  .destination = inner->source,
			  .source_port = inner->destination_port,
			  .destination_port = (weir_be16_t)~inner->source_port},
	};

	memcpy(icmp + ICMP_HEADER, quoted, size);
	weir_icmp_error_rewrite(packet, icmp, inner, &to);
	if (weir_inner_parse(icmp + ICMP_HEADER, (uint32_t)size, &again) != WEIR_INNER_PORTS ||
	    !weir_address_equal(&again.source, &to.inner.source) ||
	    again.destination_port != to.inner.destination_port ||
	    again.l4_offset != inner->l4_offset)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weir_inner inner;

	if (weir_inner_parse(data, (uint32_t)size, &inner) == WEIR_INNER_PORTS) {
		// Exactly as large as the packet, so that a byte too far is seen.
		size_t header = inner.family == 6 ? IPV6_HEADER : IPV4_HEADER;
		uint8_t *packet = calloc(1, header + ICMP_HEADER + size);

		if (packet == NULL)
			return 0;
		translate_there_and_back(packet, data, size, &inner);
		free(packet);
	}
	if (size >= 20 && size <= 60) {
		uint8_t *segment = malloc(size);

		if (segment == NULL)
			return 0;
		memcpy(segment, data, size);
		(void)weir_tcp_mss_clamp(segment, (uint16_t)size, 1000);
		free(segment);
	}
	return 0;
}
