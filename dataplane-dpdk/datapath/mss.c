// SPDX-License-Identifier: Apache-2.0

#include "datapath/datapath.h"
#include "datapath/exceptions.h"
#include "lib/tcp_mss.h"

enum { HEADERS_V4 = 40, HEADERS_V6 = 60 };

void weir_mss_clamp(const struct weir_node *node, uint8_t *frame, const struct weir_packet *packet)
{
	uint16_t headers = packet->family == 6 ? HEADERS_V6 : HEADERS_V4;

	if (!packet->fragment)
		(void)weir_tcp_mss_clamp(frame + packet->l4_offset, packet->l4_length,
					 (uint16_t)(node->mtu - headers));
}
