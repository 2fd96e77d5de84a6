// SPDX-License-Identifier: Apache-2.0

#include "control/build.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const weir_features[] = {
	"ipv4",
	"tcp",
	"udp",
	"dnat",
	"snat",
	"stateful",
	"maglev",
	"source_ip_hash",
	"round_robin",
	"weighted_round_robin",
	"least_connections",
	"weighted_least_connections",
	"cidrs",
	"port_ranges",
	"priority_tiers",
	"tcp_probe",
	NULL,
};

int weir_refuse(struct weir_reject *reject, const char *code, const char *format, ...)
{
	va_list args;

	reject->code = code;
	va_start(args, format);
	vsnprintf(reject->reason, sizeof(reject->reason), format, args);
	va_end(args);
	return -EINVAL;
}

int weir_copy_id(char out[WEIR_ID_SIZE], const char *id, const char *what,
		 struct weir_reject *reject)
{
	size_t length = strlen(id);

	if (length == 0 || length >= WEIR_ID_SIZE)
		return weir_refuse(reject, "INVALID_CONFIG", "%s must have 1 to %d bytes", what,
				   WEIR_ID_SIZE - 1);
	memcpy(out, id, length + 1);
	return 0;
}

int weir_copy_address(weir_be32_t *out, const ProtobufCBinaryData *bytes, const char *what,
		      struct weir_reject *reject)
{
	if (bytes->len == 16)
		return weir_refuse(reject, "UNSUPPORTED_FEATURE", "ipv6: %s is an IPv6 address",
				   what);
	if (bytes->len != 4)
		return weir_refuse(reject, "INVALID_CONFIG", "%s must have 4 bytes, it has %zu",
				   what, bytes->len);
	memcpy(out, bytes->data, 4);
	return 0;
}
