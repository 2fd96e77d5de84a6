// SPDX-License-Identifier: Apache-2.0
//
// What is remembered of a flow. There are four classes of entries, so that a flow costs no more
// than it needs: direct ones (dsr, tunnel: replies pass the engine by) know one tuple and count one
// direction, NAT ones two; each for IPv4 and IPv6. All begin with struct weir_flow.
//
// An entry is published by its state, written last, and freed by its state, written first: a kill
// at any instruction leaves it either free or whole.

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/flow_state.h"
#include "lib/address.h"
#include "lib/byte_order.h"
#include "lib/tuple.h"

// The order is kept in the mapping.
enum weir_flow_class {
	WEIR_FLOW_DIRECT4,
	WEIR_FLOW_NAT4,
	WEIR_FLOW_DIRECT6,
	WEIR_FLOW_NAT6,
	WEIR_FLOW_NB_CLASSES,
};

enum weir_flow_flag {
	WEIR_FLOW_ENDED = 0x01,       // already counted as ended, no longer active
	WEIR_FLOW_ADOPTED = 0x02,     // found in mid-flow, not counted as new
	WEIR_FLOW_MEMBER_SEEN = 0x04, // the member's packets come through this node too
	WEIR_FLOW_SNAT = 0x08,        // the reply endpoint is a SNAT address of this node
	WEIR_FLOW_CONDEMNED = 0x10,   // being reset: each packet is answered with a RST
	WEIR_FLOW_RESET_IDLE = 0x20,  // to be reset when it times out
	WEIR_FLOW_COUNTED = 0x40,     // its source's flows are counted for a limit
};

// Head of every entry. In a free one binding_id is the next free entry.
struct weir_flow {
	weir_be16_t client_port;
	weir_be16_t vip_port;
	uint32_t binding_id;   // registry; names listener, member and counters
	uint32_t expires;      // tick
	uint32_t started;      // tick
	uint16_t idle_timeout; // weir_idle_timeout_s()
	_Atomic uint8_t state; // enum weir_flow_state; written last when published
	uint8_t protocol;
	uint8_t flags;
	uint8_t flow_class;
	uint16_t in_bytes_high; // client to member; IP packets' lengths
	uint32_t in_bytes_low;
	uint32_t in_packets;
};

struct weir_flow_direct4 {
	struct weir_flow head;
	weir_be32_t client_address;
	weir_be32_t vip_address;
	uint64_t reserved;
};

// `reply` is where the member's packets go: the client, or a SNAT address and port.
struct weir_flow_nat4 {
	struct weir_flow head;
	weir_be32_t client_address;
	weir_be32_t vip_address;
	weir_be32_t member_address;
	weir_be32_t reply_address;
	weir_be16_t member_port;
	weir_be16_t reply_port;
	uint16_t out_bytes_high;
	uint16_t reserved;
	uint32_t out_bytes_low;
	uint32_t out_packets;
};

struct weir_flow_direct6 {
	struct weir_flow head;
	struct weir_address client_address;
	struct weir_address vip_address;
};

struct weir_flow_nat6 {
	struct weir_flow head;
	struct weir_address client_address;
	struct weir_address vip_address;
	struct weir_address member_address;
	struct weir_address reply_address;
	weir_be16_t member_port;
	weir_be16_t reply_port;
	uint16_t out_bytes_high;
	uint16_t reserved;
	uint32_t out_bytes_low;
	uint32_t out_packets;
};

_Static_assert(sizeof(struct weir_flow) == 32, "head of an entry");
_Static_assert(sizeof(struct weir_flow_direct4) == 48, "64 bytes with its share of the index");
_Static_assert(sizeof(struct weir_flow_nat4) == 64, "80 bytes with its share of the index");
_Static_assert(sizeof(struct weir_flow_direct6) == 64, "80 bytes with its share of the index");
_Static_assert(sizeof(struct weir_flow_nat6) == 112, "128 bytes with its share of the index");

_Static_assert(offsetof(struct weir_flow_direct4, client_address) ==
			       offsetof(struct weir_flow_nat4, client_address) &&
		       offsetof(struct weir_flow_direct4, vip_address) ==
			       offsetof(struct weir_flow_nat4, vip_address) &&
		       offsetof(struct weir_flow_direct6, client_address) ==
			       offsetof(struct weir_flow_nat6, client_address) &&
		       offsetof(struct weir_flow_direct6, vip_address) ==
			       offsetof(struct weir_flow_nat6, vip_address),
	       "classes of a family have client and VIP at the same place");

// A flow in one shape for all classes: what is inserted, and what is shown.
struct weir_flow_spec {
	struct weir_address client_address;
	struct weir_address vip_address;
	struct weir_address member_address; // NAT only; of direct flows the binding knows it
	struct weir_address snat_address;   // none unless snat
	weir_be16_t client_port;
	weir_be16_t vip_port;
	weir_be16_t member_port; // NAT only
	weir_be16_t snat_port;
	uint32_t binding_id;
	uint32_t expires;
	uint32_t started;
	uint32_t idle_timeout_s; // at most WEIR_MAX_IDLE_TIMEOUT_S; 0: the state's default
	uint64_t in_bytes;
	uint64_t out_bytes;
	uint32_t in_packets;
	uint32_t out_packets;
	uint8_t state;
	uint8_t protocol;
	uint8_t flags;
	uint8_t flow_class;
};

static inline bool weir_flow_is_nat(enum weir_flow_class flow_class)
{
	return (flow_class & 1) != 0;
}

static inline bool weir_flow_is_v4(enum weir_flow_class flow_class)
{
	return flow_class <= WEIR_FLOW_NAT4;
}

static inline enum weir_flow_class weir_flow_class_of(bool nat, bool v4)
{
	return (v4 ? WEIR_FLOW_DIRECT4 : WEIR_FLOW_DIRECT6) + nat;
}

static inline size_t weir_flow_size(enum weir_flow_class flow_class)
{
	static const uint8_t sizes[WEIR_FLOW_NB_CLASSES] = {
		sizeof(struct weir_flow_direct4),
		sizeof(struct weir_flow_nat4),
		sizeof(struct weir_flow_direct6),
		sizeof(struct weir_flow_nat6),
	};

	return sizes[flow_class];
}

// Seconds fit 15 bits up to nine hours; longer timeouts are kept in units of four seconds.
#define WEIR_MAX_IDLE_TIMEOUT_S (0x7fff * 4)

static inline uint16_t weir_idle_timeout(uint32_t seconds)
{
	if (seconds <= 0x7fff)
		return (uint16_t)seconds;
	return seconds >= WEIR_MAX_IDLE_TIMEOUT_S ? UINT16_MAX : (uint16_t)(0x8000 | seconds / 4);
}

static inline uint32_t weir_idle_timeout_s(uint16_t idle_timeout)
{
	return idle_timeout & 0x8000 ? (uint32_t)(idle_timeout & 0x7fff) * 4 : idle_timeout;
}

static inline void weir_flow_count_in(struct weir_flow *flow, uint32_t bytes)
{
	uint32_t low = flow->in_bytes_low + bytes;

	flow->in_packets++;
	flow->in_bytes_high = (uint16_t)(flow->in_bytes_high + (low < bytes));
	flow->in_bytes_low = low;
}

static inline void weir_flow_count_out4(struct weir_flow_nat4 *flow, uint32_t bytes)
{
	uint32_t low = flow->out_bytes_low + bytes;

	flow->out_packets++;
	flow->out_bytes_high = (uint16_t)(flow->out_bytes_high + (low < bytes));
	flow->out_bytes_low = low;
}

static inline void weir_flow_count_out6(struct weir_flow_nat6 *flow, uint32_t bytes)
{
	uint32_t low = flow->out_bytes_low + bytes;

	flow->out_packets++;
	flow->out_bytes_high = (uint16_t)(flow->out_bytes_high + (low < bytes));
	flow->out_bytes_low = low;
}

// flow_entry.c

// Writes all of a free entry but its state.
void weir_flow_write(struct weir_flow *flow, const struct weir_flow_spec *spec);

// Reads an entry, its state included. Any thread may: it looks at the state before and after, as
// weir_flow_copy() does.
void weir_flow_read(const struct weir_flow *flow, struct weir_flow_spec *spec);

// weir_flow_read() from another thread than the owner. Returns false if the entry is free, or was
// freed meanwhile.
bool weir_flow_copy(const struct weir_flow *flow, struct weir_flow_spec *spec);

struct weir_address weir_flow_client_address(const struct weir_flow *flow);
struct weir_address weir_flow_vip_address(const struct weir_flow *flow);

// Tuple of the flow's packets from a direction. Direct flows have none from the member.
struct weir_tuple weir_flow_tuple(const struct weir_flow *flow, enum weir_direction direction);
struct weir_tuple weir_flow_spec_tuple(const struct weir_flow_spec *spec,
				       enum weir_direction direction);
