// SPDX-License-Identifier: Apache-2.0
//
// The steps of a packet, one file each, called in this order for a burst:
//   port_rx -> parse (-> arp, icmp) -> owner_lcore -> flow_lookup -> hit: rewrite
//                                                    miss: listener_lookup, select, rewrite
//   -> route -> port_tx; drop ends a packet anywhere.
// All of it runs on a worker lcore; see docs/packet-walk.md.

#pragma once

#include "lib/packet_parse.h"
#include "main/engine.h"

struct weir_burst {
	struct weir_worker *worker;
	const struct weir_config *config;
	uint16_t nb; // entries below in use; a step that takes a packet out closes the gap
	struct rte_mbuf *mbufs[WEIR_BURST];
	struct weir_packet packets[WEIR_BURST];
};

// Why a frame went to the control thread; in the mbuf's private area.
enum weir_punt_kind {
	WEIR_PUNT_ARP,     // an ARP message for us
	WEIR_PUNT_NDP,     // a neighbour solicitation or advertisement for us
	WEIR_PUNT_RESOLVE, // finished but for the MAC of next_hop
	WEIR_PUNT_LOCAL,   // to the data address: answers to probes, ICMP errors
};

struct weir_punt {
	enum weir_punt_kind kind;
	struct weir_address next_hop;
	uint32_t lb_id;
	uint64_t received_tsc; // also of frames that go from one worker to another
};

#define WEIR_MBUF_PRIVATE_SIZE 64
// Ports of the data address from which probes are sent.
#define WEIR_PROBE_FIRST_PORT 16384
#define WEIR_PROBE_PORTS      32768

// port_rx.c
uint16_t weir_port_rx(struct weir_worker *worker, struct weir_burst *burst);
// Takes a burst from `mbufs` on to the wire, or wherever it belongs.
void weir_burst_process(struct weir_burst *burst, bool from_port);

// parse.c
void weir_parse_process(struct weir_burst *burst);

// arp.c: answers requests for the data address, hands replies to the control thread.
void weir_arp_process(struct weir_burst *burst, struct rte_mbuf *mbuf);

// ndp.c: the same for the IPv6 data address.
void weir_ndp_process(struct weir_burst *burst, struct rte_mbuf *mbuf,
		      const struct weir_packet *packet);

// The ICMP messages of a burst.
struct weir_icmp_burst {
	uint16_t nb;
	struct rte_mbuf *mbufs[WEIR_BURST];
	struct weir_packet packets[WEIR_BURST];
};

static inline void weir_icmp_defer(struct weir_icmp_burst *icmp, struct rte_mbuf *mbuf,
				   const struct weir_packet *packet)
{
	icmp->mbufs[icmp->nb] = mbuf;
	icmp->packets[icmp->nb++] = *packet;
}

// icmp.c: echo for VIPs and the data address, errors of flows.
void weir_icmp_process(struct weir_burst *burst, const struct weir_icmp_burst *icmp);

// owner_lcore.c: hands packets of other workers' flows over.
void weir_owner_process(struct weir_burst *burst);

// flow_lookup.c
void weir_flow_lookup_process(struct weir_burst *burst);

// new_flow.c: a packet without a flow entry.
void weir_new_flow_process(struct weir_burst *burst, struct rte_mbuf *mbuf,
			   const struct weir_packet *packet);

// select.c
// All return the index of a backend of the listener's pool, or -1: no member takes the packet.
// For a new flow: by persistence, or the pool's algorithm.
int weir_select(struct weir_worker *worker, const struct weir_listener *listener,
		const struct weir_packet *packet);
// For a packet of a flow that has no entry: the second chance of members that drain, persistence,
// or the Maglev table.
int weir_select_mid_flow(const struct weir_worker *worker, const struct weir_listener *listener,
			 const struct weir_packet *packet);
// By the Maglev table alone; slot: out, may be NULL.
int weir_select_maglev(const struct weir_listener *listener, const struct weir_packet *packet,
		       uint32_t *slot);
// The member that the packet's source is pinned to, while it takes new flows.
int weir_persistence_find(const struct weir_worker *worker, const struct weir_listener *listener,
			  const struct weir_packet *packet);

// For whatever need not be hard to guess.
uint32_t weir_random32(struct weir_worker *worker);

// protect.c
// May the packet begin a flow at the listener? *counted: out, see weir_limits_admit().
enum weir_drop_reason weir_protect_new_flow(struct weir_worker *worker,
					    const struct weir_listener *listener,
					    const struct weir_packet *packet, bool *counted);
// True when a new flow must do without an entry; asked once per flow.
bool weir_flooded(struct weir_worker *worker);
// Limits of a binding's listener; NULL: none.
struct weir_limits *weir_limits_of(const struct weir_worker *worker, uint32_t binding_id);

// reset.c
// Ends a TCP flow, counted as `end`: its sides are made to send a packet, and each of them is
// answered with a RST. Returns false when there is nothing to reset and the entry may just go.
bool weir_flow_condemn(struct weir_worker *worker, struct weir_flow *flow, enum weir_flow_end end);
// A packet of a condemned flow.
void weir_reset_process(struct weir_burst *burst, struct rte_mbuf *mbuf,
			const struct weir_packet *packet, const struct weir_flow *flow);

// rewrite.c: sets addresses and ports, lowers the TTL, updates checksums.
struct weir_rewrite {
	struct weir_address source;
	struct weir_address destination;
	weir_be16_t source_port;
	weir_be16_t destination_port;
};
void weir_rewrite(uint8_t *frame, const struct weir_packet *packet,
		  const struct weir_rewrite *rewrite);
// The same for IPv4 alone.
struct weir_rewrite4 {
	weir_be32_t source;
	weir_be32_t destination;
	weir_be16_t source_port;
	weir_be16_t destination_port;
};
void weir_rewrite4(uint8_t *frame, const struct weir_packet *packet,
		   const struct weir_rewrite4 *rewrite);
// Rewrite of a client's packet of a NAT flow.
struct weir_rewrite weir_rewrite_to_member(const struct weir_flow_spec *flow);

// flow_account.c: entries, ids and counters that must move together.
void weir_flow_started(struct weir_worker *worker, const struct weir_flow_spec *flow, bool adopted);
// The flow is not half-open any more.
void weir_flow_answered(struct weir_worker *worker, const struct weir_flow *flow);
void weir_flow_ended(struct weir_worker *worker, struct weir_flow *flow, enum weir_flow_end end);
// A flow that had ended by a RST goes on: the RST was forged.
void weir_flow_revived(struct weir_worker *worker, struct weir_flow *flow);
// Gives the flow's SNAT port back, if it has one.
void weir_flow_free_snat(struct weir_worker *worker, const struct weir_flow *flow);
void weir_flow_drop_entry(struct weir_worker *worker, struct weir_flow *flow,
			  enum weir_flow_end end);

static inline void weir_count_forwarded(struct weir_worker *worker, uint32_t binding_id,
					enum weir_direction direction, uint16_t bytes)
{
	struct weir_flow_counters *counters =
		&worker->engine->file.counters[worker->index][binding_id];

	if (direction == WEIR_FROM_CLIENT) {
		counters->in_packets++;
		counters->in_bytes += bytes;
	} else {
		counters->out_packets++;
		counters->out_bytes += bytes;
	}
}

// flow_sweep.c: expiry and purges, a piece per call; true if a purge has more to do.
bool weir_flow_sweep(struct weir_worker *worker);

// direct.c: a client's packet on to a member whose replies pass the engine by.
void weir_direct_process(struct weir_worker *worker, const struct weir_config *config,
			 struct rte_mbuf *mbuf, const struct weir_packet *packet,
			 const struct weir_target *target);

// Puts the outer headers of a tunnel around a packet that fits.
void weir_direct_wrap(const struct weir_node *node, struct rte_mbuf *mbuf,
		      const struct weir_packet *packet, const struct weir_target *target);

// route.c: in a frame to a neighbour, or to the control thread to resolve it.
void weir_route_to_neighbour(struct weir_worker *worker, struct rte_mbuf *mbuf,
			     const struct weir_address *next_hop, uint32_t lb_id);
// On to the next hop of `destination`, or to the control thread to resolve it.
void weir_route_process(struct weir_worker *worker, const struct weir_config *config,
			struct rte_mbuf *mbuf, const struct weir_address *destination,
			uint32_t lb_id);

// port_tx.c
void weir_port_tx(struct weir_worker *worker, struct rte_mbuf *mbuf);
void weir_port_tx_flush(struct weir_worker *worker);

// punt.c
static inline struct weir_punt *weir_punt_of(struct rte_mbuf *mbuf)
{
	return rte_mbuf_to_priv(mbuf);
}
void weir_punt(struct weir_worker *worker, struct rte_mbuf *mbuf, const struct weir_punt *punt);

// drop.c; lb_id 0: not attributable.
void weir_drop(struct weir_worker *worker, struct rte_mbuf *mbuf, uint32_t lb_id,
	       enum weir_drop_reason reason);
