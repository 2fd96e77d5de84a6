// SPDX-License-Identifier: Apache-2.0

#include "flow/flow_state.h"

#include "lib/packet_parse.h"

enum {
	S = WEIR_FLOW_SYN_SENT,
	E = WEIR_FLOW_ESTABLISHED,
	C = WEIR_FLOW_FIN_CLIENT,
	M = WEIR_FLOW_FIN_MEMBER,
	T = WEIR_FLOW_TIME_WAIT,
	X = WEIR_FLOW_RESET_CLIENT,
	Y = WEIR_FLOW_RESET_MEMBER,
	U = WEIR_FLOW_UDP,
};

_Static_assert(WEIR_TCP_FIN == 1 && WEIR_TCP_SYN == 2 && WEIR_TCP_RST == 4, "bits of the index");
const uint8_t weir_tcp_events[8] = {
	[0] = WEIR_EVENT_ACK,
	[WEIR_TCP_FIN] = WEIR_EVENT_FIN,
	[WEIR_TCP_SYN] = WEIR_EVENT_SYN,
	[WEIR_TCP_SYN | WEIR_TCP_FIN] = WEIR_EVENT_SYN,
	[WEIR_TCP_RST] = WEIR_EVENT_RST,
	[WEIR_TCP_RST | WEIR_TCP_FIN] = WEIR_EVENT_RST,
	[WEIR_TCP_RST | WEIR_TCP_SYN] = WEIR_EVENT_RST,
	[WEIR_TCP_RST | WEIR_TCP_SYN | WEIR_TCP_FIN] = WEIR_EVENT_RST,
};

// Of states that idle (established, UDP): when the listener says nothing.
const uint16_t weir_flow_timeouts_s[WEIR_FLOW_NB_STATES] = {
	[WEIR_FLOW_UDP] = 60,          [WEIR_FLOW_ESTABLISHED] = 3600,
	[WEIR_FLOW_RESET_CLIENT] = 10, [WEIR_FLOW_RESET_MEMBER] = 10,
	[WEIR_FLOW_SYN_SENT] = 30,     [WEIR_FLOW_FIN_CLIENT] = 30,
	[WEIR_FLOW_FIN_MEMBER] = 30,   [WEIR_FLOW_TIME_WAIT] = 30,
};

const uint8_t weir_flow_transitions[WEIR_FLOW_NB_STATES][2][WEIR_NB_EVENTS] = {
	[U] = {{U, U, U, U}, {U, U, U, U}},
	[S] =
		{
			// client: SYN again; handshake done (the SYN-ACK may have passed
			// elsewhere); gave up
			{S, E, C, X},
			// member: SYN-ACK, the client has yet to answer; data cannot come first,
			// take it as established on another node; closed at once; refused
			{S, E, M, Y},
		},
	[E] =
		{
			// client: SYN of a client that forgot, the member will answer it; data;
			// closes; aborts
			{E, E, C, X},
			// member: SYN-ACK repeated; data; closes; aborts
			{E, E, M, Y},
		},
	[C] =
		{
			// client: a SYN here is a new flow before the table is asked; acknowledges;
			// FIN again
			{C, C, C, X},
			// member: late SYN-ACK; sends on after the client closed; closes too;
			// aborts
			{C, C, T, Y},
		},
	[M] =
		{
			// client: SYN of a client that forgot; sends on; closes too; aborts
			{M, M, T, X},
			// member: late SYN-ACK; acknowledges; FIN again; aborts
			{M, M, M, Y},
		},
	[T] =
		{
			// a SYN here is a new flow before the table is asked; late packets change
			// nothing
			{T, T, T, T},
			{T, T, T, T},
		},
	[X] =
		{
			// client: a SYN here is a new flow before the table is asked; sends on, so
			// that the RST was not its own; closes, likewise; RST again
			{X, E, C, X},
			// member: what crossed the RST on its way changes nothing
			{X, X, X, X},
		},
	[Y] =
		{
			// client: what crossed the RST on its way changes nothing
			{Y, Y, Y, Y},
			// member: accepts after all; sends on, so that the RST was not its own;
			// closes, likewise; RST again
			{S, E, M, Y},
		},
};

enum weir_flow_end weir_flow_state_end(enum weir_flow_state state)
{
	switch (state) {
	case WEIR_FLOW_FIN_CLIENT:
	case WEIR_FLOW_FIN_MEMBER:
	case WEIR_FLOW_TIME_WAIT:
		return WEIR_END_FIN;
	case WEIR_FLOW_RESET_CLIENT:
	case WEIR_FLOW_RESET_MEMBER:
		return WEIR_END_RST;
	case WEIR_FLOW_FREE:
	case WEIR_FLOW_UDP:
	case WEIR_FLOW_SYN_SENT:
	case WEIR_FLOW_ESTABLISHED:
	case WEIR_FLOW_NB_STATES:
		break;
	}
	return WEIR_END_TIMEOUT;
}

const char *weir_flow_state_name(enum weir_flow_state state)
{
	static const char *const names[WEIR_FLOW_NB_STATES] = {
		[WEIR_FLOW_FREE] = "free",
		[WEIR_FLOW_UDP] = "udp",
		[WEIR_FLOW_SYN_SENT] = "syn_sent",
		[WEIR_FLOW_ESTABLISHED] = "established",
		[WEIR_FLOW_FIN_CLIENT] = "fin_client",
		[WEIR_FLOW_FIN_MEMBER] = "fin_member",
		[WEIR_FLOW_TIME_WAIT] = "time_wait",
		[WEIR_FLOW_RESET_CLIENT] = "reset_client",
		[WEIR_FLOW_RESET_MEMBER] = "reset_member",
	};

	return state < WEIR_FLOW_NB_STATES ? names[state] : "unknown";
}
