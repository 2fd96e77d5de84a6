// SPDX-License-Identifier: Apache-2.0
//
// The maximum segment size that a SYN or SYN-ACK announces (RFC 9293, section 3.7.1).

#pragma once

#include <stdbool.h>
#include <stdint.h>

// Lowers the MSS option to `mss` when it is there and larger, and updates the checksum.
//
// tcp, length: the segment, whose data offset was checked against length (weir_packet_parse).
// mss: host order. Returns true if the segment was changed. A segment without the option is left
// alone: its sender means 536 or 1220, which fits any path.
bool weir_tcp_mss_clamp(uint8_t *tcp, uint16_t length, uint16_t mss);
