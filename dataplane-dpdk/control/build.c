// SPDX-License-Identifier: Apache-2.0

#include "control/build.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const weir_features[] = {
	"ipv4",
	"ipv6",
	"tcp",
	"udp",
	"dnat",
	"snat",
	"dsr",
	"tunnel_ipip",
	"tunnel_gue",
	"stateless",
	"port_mapping",
	"stateful",
	"maglev",
	"source_ip_hash",
	"round_robin",
	"weighted_round_robin",
	"least_connections",
	"weighted_least_connections",
	"cidrs",
	"port_ranges",
	"prefix_lists",
	"priority_tiers",
	"when_all_unhealthy",
	"source_persistence",
	"slow_start",
	"limits",
	"on_unhealthy_reset",
	"reset_on_idle_timeout",
	"tcp_probe",
	"udp_probe",
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

int weir_copy_address(struct weir_address *out, const ProtobufCBinaryData *bytes, const char *what,
		      struct weir_reject *reject)
{
	weir_be32_t v4;

	if (bytes->len == 4) {
		memcpy(&v4, bytes->data, 4);
		*out = weir_address_v4(v4);
		return 0;
	}
	if (bytes->len != 16)
		return weir_refuse(reject, "INVALID_CONFIG",
				   "%s must have 4 or 16 bytes, it has %zu", what, bytes->len);
	*out = weir_address_v6(bytes->data);
	if (weir_address_is_v4(out))
		return weir_refuse(reject, "INVALID_CONFIG", "%s is an IPv4-mapped IPv6 address",
				   what);
	return 0;
}

int weir_copy_prefix(struct weir_cidr *out, const Weir__V1__Prefix *prefix, const char *what,
		     struct weir_reject *reject)
{
	if (prefix == NULL)
		return weir_refuse(reject, "INVALID_CONFIG", "%s is missing", what);
	if (weir_copy_address(&out->address, &prefix->address, what, reject) != 0)
		return -EINVAL;
	out->family = weir_address_is_v4(&out->address) ? 4 : 6;
	if (prefix->length > (out->family == 4 ? 32 : 128))
		return weir_refuse(reject, "INVALID_CONFIG", "%s has a length of %u", what,
				   prefix->length);
	out->mask =
		weir_address_mask(prefix->length + (out->family == 4 ? WEIR_V4_PREFIX_BITS : 0));
	out->address = weir_address_and(&out->address, &out->mask);
	return 0;
}
