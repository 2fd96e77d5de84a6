// SPDX-License-Identifier: Apache-2.0
//
// Every reason for which the engine drops a packet. Names are part of the product: they appear in
// metrics, so they are only ever added to, and at the end (their order is kept in mapped counters).

#pragma once

enum weir_drop_reason {
	WEIR_DROP_NONE = 0,
	WEIR_DROP_NOT_FOR_US,           // destination MAC is neither ours nor broadcast
	WEIR_DROP_NOT_IPV4,             // ethertype that the engine does not serve
	WEIR_DROP_PROTOCOL_UNSUPPORTED, // neither TCP, UDP nor ICMP
	WEIR_DROP_TRUNCATED,
	WEIR_DROP_BAD_HEADER,
	WEIR_DROP_BAD_CHECKSUM, // L4 checksum of the first packet of a flow
	WEIR_DROP_FRAGMENT_UNSUPPORTED,
	WEIR_DROP_ICMP_UNSUPPORTED,
	WEIR_DROP_TTL_EXPIRED,
	WEIR_DROP_NO_CONFIGURATION, // no node configuration applied yet
	WEIR_DROP_NO_ROUTE,
	WEIR_DROP_NEIGHBOUR_UNRESOLVED,
	WEIR_DROP_NO_LISTENER,
	WEIR_DROP_LISTENER_DISABLED,
	WEIR_DROP_SOURCE_DENIED, // allowed_cidrs, denied_cidrs
	WEIR_DROP_NO_HEALTHY_MEMBER,
	WEIR_DROP_NO_FLOW,    // mid-flow packet that no table can place
	WEIR_DROP_NO_REVERSE, // member's packet with neither flow nor mapping
	WEIR_DROP_REVERSE_TUPLE_IN_USE,
	WEIR_DROP_FLOW_TABLE_FULL,
	WEIR_DROP_SNAT_PORTS_EXHAUSTED,
	WEIR_DROP_TX_FULL,
	WEIR_DROP_QUEUE_FULL,         // ring between threads
	WEIR_DROP_UNEXPECTED,         // packet to the engine's own address that it did not ask for
	WEIR_DROP_LIMIT_NEW_FLOWS,    // a limit of the listener, for all sources
	WEIR_DROP_LIMIT_ACTIVE_FLOWS, // likewise
	WEIR_DROP_LIMIT_SOURCE_RATE,  // a limit of the listener, for the packet's source
	WEIR_DROP_LIMIT_SOURCE_FLOWS, // likewise
	WEIR_DROP_FLOOD,              // new snat flow while the flood rule is in force
	WEIR_DROP_FLOW_RESET,         // packet of a flow that is being reset
	WEIR_DROP_MTU_EXCEEDED,       // does not fit the tunnel to its member
	WEIR_DROP_ICMP_NO_FLOW,       // error about a packet that no node can place
	WEIR_DROP_ICMP_BAD_QUOTE,     // error whose quoted packet can't be, or was never sent from
				      // there
	WEIR_DROP_FRAGMENT_NO_FIRST,  // later fragment whose first one did not come
	WEIR_DROP_NB_REASONS,
};

// Lower snake case name; "unknown" out of range.
const char *weir_drop_reason_name(unsigned int reason);
