// SPDX-License-Identifier: Apache-2.0

#include "lib/wire_field.h"

#include <errno.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static int read_varint(struct weir_bytes *in, uint64_t *out)
{
	uint64_t value = 0;

	for (int shift = 0; shift < 64; shift += 7) {
		if (in->length == 0)
			return -EBADMSG;
		uint8_t byte = *in->data++;
		in->length--;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*out = value;
			return 0;
		}
	}
	return -EBADMSG;
}

static int skip(struct weir_bytes *in, uint64_t length)
{
	if (length > in->length)
		return -EBADMSG;
	in->data += length;
	in->length -= (size_t)length;
	return 0;
}

int weir_wire_field(struct weir_bytes message, uint32_t field, uint32_t index,
		    struct weir_bytes *out)
{
	uint64_t key;
	uint64_t length;

	while (message.length > 0) {
		if (read_varint(&message, &key) != 0)
			return -EBADMSG;
		switch (key & 7) {
		case WIRE_VARINT:
			if (read_varint(&message, &length) != 0)
				return -EBADMSG;
			continue;
		case WIRE_FIXED64:
			length = 8;
			break;
		case WIRE_FIXED32:
			length = 4;
			break;
		case WIRE_BYTES:
			if (read_varint(&message, &length) != 0)
				return -EBADMSG;
			if (key >> 3 == field && index-- == 0) {
				if (length > message.length)
					return -EBADMSG;
				out->data = message.data;
				out->length = (size_t)length;
				return 0;
			}
			break;
		default:
			return -EBADMSG;
		}
		if (skip(&message, length) != 0)
			return -EBADMSG;
	}
	return -ENOENT;
}
