// SPDX-License-Identifier: Apache-2.0
//
// Finds the bytes of a nested message inside an encoded protobuf message, as they were received:
// decoding and encoding again need not give the same bytes, and hashes are made of the originals.

#pragma once

#include <stddef.h>
#include <stdint.h>

struct weir_bytes {
	const uint8_t *data;
	size_t length;
};

// The `index`th occurrence of a length-delimited field.
// Returns 0, -ENOENT when there are fewer, -EBADMSG when the message is malformed.
int weir_wire_field(struct weir_bytes message, uint32_t field, uint32_t index,
		    struct weir_bytes *out);
