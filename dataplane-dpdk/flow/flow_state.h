// SPDX-License-Identifier: Apache-2.0
//
// The life of a flow as a table. It works from one direction alone: with several nodes the
// member's packets may pass another node.

#pragma once

#include <stdbool.h>
#include <stdint.h>

enum weir_flow_state {
	WEIR_FLOW_FREE = 0, // the entry holds no flow; never changed by the table below
	WEIR_FLOW_UDP,
	WEIR_FLOW_SYN_SENT,
	WEIR_FLOW_ESTABLISHED,
	WEIR_FLOW_FIN_CLIENT, // the client has closed its direction
	WEIR_FLOW_FIN_MEMBER, // the member has closed its direction
	WEIR_FLOW_TIME_WAIT,  // both have closed
	// Aborted by the client, by the member. Anybody can forge a RST, so that it ends nothing
	// yet: the state lasts shortly, and another packet of the side that is said to have aborted
	// proves that it has not.
	WEIR_FLOW_RESET_CLIENT,
	WEIR_FLOW_RESET_MEMBER,
	WEIR_FLOW_NB_STATES,
};

enum weir_direction {
	WEIR_FROM_CLIENT = 0,
	WEIR_FROM_MEMBER = 1,
};

// Where a flow ended; the order is kept in mapped counters.
enum weir_flow_end {
	WEIR_END_FIN,
	WEIR_END_RST,
	WEIR_END_TIMEOUT,
	WEIR_END_EVICTED, // gave its entry up to another flow
	WEIR_END_DRAINED, // drain deadline; listener, load balancer or VIP gone
	WEIR_END_NB,
};

enum weir_tcp_event {
	WEIR_EVENT_SYN, // any packet with SYN; a member's is the SYN-ACK
	WEIR_EVENT_ACK, // any other packet without FIN or RST
	WEIR_EVENT_FIN,
	WEIR_EVENT_RST,
	WEIR_NB_EVENTS,
};

// flow_state.c
extern const uint8_t weir_tcp_events[8]; // by the flags FIN, SYN, RST, the low bits of a header's
extern const uint8_t weir_flow_transitions[WEIR_FLOW_NB_STATES][2][WEIR_NB_EVENTS];
extern const uint16_t weir_flow_timeouts_s[WEIR_FLOW_NB_STATES];

// State after a TCP packet with these flags from this direction.
static inline enum weir_flow_state weir_flow_state_next(enum weir_flow_state state,
							enum weir_direction direction,
							uint8_t tcp_flags)
{
	return (enum weir_flow_state)
		weir_flow_transitions[state][direction][weir_tcp_events[tcp_flags & 7]];
}

// Seconds that an entry stays without packets; idle_timeout_s: the listener's, 0 for the default.
static inline uint32_t weir_flow_state_timeout_s(enum weir_flow_state state,
						 uint32_t idle_timeout_s)
{
	bool idles = state == WEIR_FLOW_ESTABLISHED || state == WEIR_FLOW_UDP;

	return idles && idle_timeout_s != 0 ? idle_timeout_s : weir_flow_timeouts_s[state];
}

// The flow is over; its entry only remembers the tuple for late packets.
static inline bool weir_flow_state_over(enum weir_flow_state state)
{
	return state == WEIR_FLOW_TIME_WAIT || state == WEIR_FLOW_RESET_CLIENT ||
	       state == WEIR_FLOW_RESET_MEMBER;
}

// A SYN from the client begins a new flow although the tuple has an entry.
static inline bool weir_flow_state_reusable(enum weir_flow_state state)
{
	return weir_flow_state_over(state) || state == WEIR_FLOW_FIN_CLIENT;
}

// How a flow in this state ended if its entry times out.
enum weir_flow_end weir_flow_state_end(enum weir_flow_state state);

// Lower snake case name.
const char *weir_flow_state_name(enum weir_flow_state state);
