// SPDX-License-Identifier: Apache-2.0

#include "lib/drop_reason.h"

#include <stddef.h>

static const char *const names[WEIR_DROP_NB_REASONS] = {
	[WEIR_DROP_NONE] = "none",
	[WEIR_DROP_NOT_FOR_US] = "not_for_us",
	[WEIR_DROP_NOT_IPV4] = "not_ipv4",
	[WEIR_DROP_PROTOCOL_UNSUPPORTED] = "protocol_unsupported",
	[WEIR_DROP_TRUNCATED] = "truncated",
	[WEIR_DROP_BAD_HEADER] = "bad_header",
	[WEIR_DROP_BAD_CHECKSUM] = "bad_checksum",
	[WEIR_DROP_FRAGMENT_UNSUPPORTED] = "fragment_unsupported",
	[WEIR_DROP_ICMP_UNSUPPORTED] = "icmp_unsupported",
	[WEIR_DROP_TTL_EXPIRED] = "ttl_expired",
	[WEIR_DROP_NO_CONFIGURATION] = "no_configuration",
	[WEIR_DROP_NO_ROUTE] = "no_route",
	[WEIR_DROP_NEIGHBOUR_UNRESOLVED] = "neighbour_unresolved",
	[WEIR_DROP_NO_LISTENER] = "no_listener",
	[WEIR_DROP_LISTENER_DISABLED] = "listener_disabled",
	[WEIR_DROP_SOURCE_DENIED] = "source_denied",
	[WEIR_DROP_NO_HEALTHY_MEMBER] = "no_healthy_member",
	[WEIR_DROP_NO_FLOW] = "no_flow",
	[WEIR_DROP_NO_REVERSE] = "no_reverse",
	[WEIR_DROP_REVERSE_TUPLE_IN_USE] = "reverse_tuple_in_use",
	[WEIR_DROP_FLOW_TABLE_FULL] = "flow_table_full",
	[WEIR_DROP_SNAT_PORTS_EXHAUSTED] = "snat_ports_exhausted",
	[WEIR_DROP_TX_FULL] = "tx_full",
	[WEIR_DROP_QUEUE_FULL] = "queue_full",
	[WEIR_DROP_UNEXPECTED] = "unexpected",
	[WEIR_DROP_LIMIT_NEW_FLOWS] = "limit_new_flows",
	[WEIR_DROP_LIMIT_ACTIVE_FLOWS] = "limit_active_flows",
	[WEIR_DROP_LIMIT_SOURCE_RATE] = "limit_source_rate",
	[WEIR_DROP_LIMIT_SOURCE_FLOWS] = "limit_source_flows",
	[WEIR_DROP_FLOOD] = "flood",
	[WEIR_DROP_FLOW_RESET] = "flow_reset",
	[WEIR_DROP_MTU_EXCEEDED] = "mtu_exceeded",
	[WEIR_DROP_ICMP_NO_FLOW] = "icmp_no_flow",
	[WEIR_DROP_ICMP_BAD_QUOTE] = "icmp_bad_quote",
	[WEIR_DROP_FRAGMENT_NO_FIRST] = "fragment_no_first",
};

const char *weir_drop_reason_name(unsigned int reason)
{
	if (reason >= WEIR_DROP_NB_REASONS || names[reason] == NULL)
		return "unknown";
	return names[reason];
}
