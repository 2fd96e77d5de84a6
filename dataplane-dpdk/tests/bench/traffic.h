// SPDX-License-Identifier: Apache-2.0
//
// Frames of 64 bytes on the wire (60 in memory) for a set of TCP flows.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

enum traffic_kind {
	TRAFFIC_SYN,
	TRAFFIC_CLIENT, // mid-flow, client to VIP
	TRAFFIC_BOTH,   // mid-flow; every second packet comes from the member
	TRAFFIC_FLOOD,  // a SYN of a source that never comes back
	TRAFFIC_ICMP,   // "fragmentation needed" about a packet to the client, with 8 bytes of L4
};

// One flow as its client opened it, and how its member answers (learnt from what was forwarded).
struct traffic_flow {
	uint32_t client; // host order, as all here
	uint32_t member;
	uint32_t reply_to;
	uint16_t client_port;
	uint16_t member_port;
	uint16_t reply_port;
	uint8_t lb;
	uint8_t owner; // worker
};

// The flow of a number, reply fields 0. Different numbers below 2^24 make different tuples.
struct traffic_flow traffic_flow(uint32_t number);

// Fills an empty mbuf. `number` travels as the TCP sequence number.
void traffic_fill(struct rte_mbuf *mbuf, enum traffic_kind kind, const struct traffic_flow *flow,
		  uint32_t number);
// The same for a flood, whose flows are kept nowhere.
void traffic_fill_flood(struct rte_mbuf *mbuf, uint32_t number);

// Reads a forwarded IPv4 frame into its flow's reply fields; false: it is none of `nb` flows.
bool traffic_learn(const struct rte_mbuf *mbuf, struct traffic_flow *flows, uint32_t nb);
