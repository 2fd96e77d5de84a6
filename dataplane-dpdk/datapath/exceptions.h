// SPDX-License-Identifier: Apache-2.0
//
// Packets off the usual way: ICMP errors, fragments, what does not fit a tunnel, and what another
// node of the PoP may know better. See docs/icmp.md and docs/fragments.md.

#pragma once

#include "datapath/datapath.h"
#include "lib/icmp_inner.h"

// Flags of frames inside the engine, in mbuf->ol_flags: zero in frames from a port, kept when a
// frame goes from one worker to another. The highest two of those that DPDK leaves to others; it
// hands them out from the lowest.
#define WEIR_MBUF_FROM_PEER RTE_MBUF_F_LAST_FREE        // another node passed it: never pass it on
#define WEIR_MBUF_HAS_PORTS (RTE_MBUF_F_LAST_FREE >> 1) // a fragment; see weir_fragment_ports

// icmp_error.c

static inline bool weir_icmp_is_error(uint8_t family, uint8_t type)
{
	if (family == 6)
		return type >= 1 && type <= 4;
	return type == 3 || type == 11 || type == 12;
}

// An ICMP error, on whichever worker it came to: on to who sent the packet quoted in it.
void weir_icmp_error_process(struct weir_burst *burst, struct rte_mbuf *mbuf,
			     const struct weir_packet *packet);

// The hash by which the flow of the packet quoted in an error is found; false: none is looked for.
bool weir_icmp_error_hash(const struct weir_burst *burst, const struct rte_mbuf *mbuf,
			  const struct weir_packet *packet, uint64_t *hash);

// tunnel_error.c

// True if an error quotes an outer packet of ours.
bool weir_tunnel_sent(const struct weir_node *node, const struct weir_inner *inner);

// An error about an outer packet: a path MTU is learnt from it, and the client is told if enough of
// its packet is quoted.
void weir_tunnel_error_process(struct weir_burst *burst, struct rte_mbuf *mbuf,
			       const struct weir_packet *packet, const struct weir_inner *outer);

// icmp_too_big.c

// Answers a packet towards a VIP that does not fit: frag-needed or packet-too-big with the VIP as
// source, and drops the packet as mtu_exceeded. mtu: the largest packet that would have fitted.
// Only for packets that must not be fragmented.
void weir_icmp_too_big(struct weir_worker *worker, const struct weir_config *config,
		       struct rte_mbuf *mbuf, const struct weir_packet *packet, uint16_t mtu,
		       uint32_t lb_id);

// The same about a packet of which only the beginning is known, `length` bytes from its IP header
// on; nothing is dropped or counted.
void weir_icmp_send_too_big(struct weir_worker *worker, const struct weir_config *config,
			    const uint8_t *ip, uint16_t length, uint16_t mtu, uint32_t lb_id);

// direct.c: bytes of the outer headers towards a member of a tunnel pool.
uint16_t weir_tunnel_overhead(const struct weir_target *target);

// ipv4_split.c

#define WEIR_SPLIT_MAX 8

// Cuts an IPv4 frame without DF into fragments of at most `mtu` bytes, each with room for an
// Ethernet header in front of it, which is copied. Takes `mbuf`; returns the number of frames in
// `out`, 0 when it can't be cut, and then `mbuf` stays the caller's.
uint16_t weir_ipv4_split(struct weir_worker *worker, struct rte_mbuf *mbuf, uint16_t mtu,
			 struct rte_mbuf *out[WEIR_SPLIT_MAX]);

// fragment.c

// Ports of a fragment that goes to its flow's worker; in the mbuf's private area, behind the punt.
struct weir_fragment_ports {
	weir_be16_t source_port;
	weir_be16_t destination_port;
};

_Static_assert(sizeof(struct weir_punt) + sizeof(struct weir_fragment_ports) <=
		       WEIR_MBUF_PRIVATE_SIZE,
	       "both fit the private area");

// Returns true if the fragment goes on as a packet of its flow, whose ports are now in `packet`;
// otherwise it was taken.
bool weir_fragment_process(struct weir_burst *burst, struct rte_mbuf *mbuf,
			   struct weir_packet *packet);

// Each turn: takes fragments on whose first one came meanwhile, and gives up on those held too
// long. Returns how many there were.
uint32_t weir_fragment_poll(struct weir_worker *worker, const struct weir_config *config);

// peers.c

// Sends copies of a frame to the PoP's other nodes, once and not too many per second. Returns
// false when nobody got one. The frame stays the caller's.
bool weir_peers_pass(struct weir_worker *worker, const struct weir_config *config,
		     struct rte_mbuf *mbuf, const struct weir_packet *packet);

// True if the packet to our data address comes from a peer; it was taken then.
bool weir_peers_receive(struct weir_burst *burst, struct rte_mbuf *mbuf,
			const struct weir_packet *packet);

// mss.c

// Lowers the MSS of a SYN or SYN-ACK under NAT to what the data port carries.
void weir_mss_clamp(const struct weir_node *node, uint8_t *frame, const struct weir_packet *packet);

// owner_lcore.c

// Gives the frame to the worker that owns flows of a packet like `packet`; false: it is this one.
bool weir_owner_hand_over(struct weir_worker *worker, const struct weir_config *config,
			  struct rte_mbuf *mbuf, const struct weir_packet *packet);
// Gives the frame to worker `owner`, which is another one.
void weir_owner_give(struct weir_worker *worker, struct rte_mbuf *mbuf, uint32_t owner);
