// SPDX-License-Identifier: Apache-2.0
//
// What the workers forward by. All objects here are immutable once published: the control thread
// builds new ones aside, swaps the engine's one pointer to struct weir_config, waits for the grace
// period and frees what was replaced. Load balancers and the node are shared between successive
// configurations and counted by `references`, which the control thread alone touches.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/flow_file.h"
#include "flow/limits.h"
#include "flow/snat_ports.h"
#include "lib/address.h"
#include "lib/byte_order.h"

#define WEIR_MAX_ROUTES         256
#define WEIR_MAX_PEERS          64
#define WEIR_MAX_CIDRS          64
#define WEIR_MAX_TUNNEL_SOURCES 16

struct weir_prefix_list;

enum weir_algorithm {
	WEIR_ROUND_ROBIN,
	WEIR_WEIGHTED_ROUND_ROBIN,
	WEIR_LEAST_CONNECTIONS,
	WEIR_WEIGHTED_LEAST_CONNECTIONS,
	WEIR_MAGLEV,
	WEIR_SOURCE_IP_HASH,
};

enum weir_port_mapping { WEIR_PORT_KEEP, WEIR_PORT_FIXED, WEIR_PORT_OFFSET };

// A member as the engine sees it. Backends of a pool are in the order of the configuration.
struct weir_backend {
	uint32_t backend_id; // registry
	struct weir_address address;
	enum weir_port_mapping port_mapping;
	int32_t port; // fixed port or offset
	uint32_t weight;
	uint32_t percent; // of its weight while it starts slowly; else 100
	uint32_t share; // of new flows, beside the other members': weight and percent as they count
	uint32_t priority;
	bool enabled;
	bool healthy;
	bool eligible; // takes new flows: enabled, weighted, healthy, in a serving tier
	bool removed;  // out of the configuration, kept while its flows drain
	char member_id[WEIR_ID_SIZE];
};

// Which members new flows of one family go to. Where addresses are translated, each family has its
// own members; otherwise both families share one object.
struct weir_serving {
	uint32_t nb_eligible;
	uint16_t *eligible;
	uint16_t *by_id;    // the same in rising order of their backend ids
	uint64_t share_sum; // of the eligible ones
	uint32_t maglev_size;
	uint16_t *maglev; // index into backends; WEIR_MAGLEV_EMPTY: no member takes new flows
	// The second chance: slots of the table before that name a member which drains now, others
	// empty. NULL: nobody drains.
	uint32_t previous_size;
	uint16_t *previous;
	// Turn order of the round robin algorithms: indexes of eligible backends.
	uint32_t nb_turns;
	uint16_t *turns;
	// Next turn per worker; the only cells here that workers write, each its own cache line.
	struct {
		uint32_t next;
		uint8_t pad[60];
	} * cursors;
};

// Indexes what exists for each family.
enum weir_family { WEIR_V4, WEIR_V6, WEIR_NB_FAMILIES };

static inline enum weir_family weir_family_of(const struct weir_address *address)
{
	return weir_address_is_v4(address) ? WEIR_V4 : WEIR_V6;
}

struct weir_pool {
	char pool_id[WEIR_ID_SIZE];
	enum weir_algorithm algorithm;
	enum weir_mode mode;
	enum weir_encapsulation encapsulation; // under WEIR_MODE_TUNNEL
	weir_be16_t tunnel_port;               // under WEIR_ENCAPSULATION_GUE
	uint32_t drain_timeout_s;
	uint32_t nb_backends;
	uint32_t nb_configured; // the first ones; the others left and drain
	struct weir_backend *backends;
	uint64_t key; // stands for the pool over restarts: of its name and the load balancer's
	bool reset_unhealthy; // flows of a member that turns unhealthy are reset
	// When the next member's share rises (Unix time in microseconds); INT64_MAX: none starts.
	int64_t next_step_us;
	struct weir_serving *serving[WEIR_NB_FAMILIES]; // may be one object; NULL: no members
};

// A prefix; host bits are zero.
struct weir_cidr {
	struct weir_address address;
	struct weir_address mask;
	uint8_t family; // 4 or 6
};

struct weir_port_range {
	uint16_t first; // host order, both ends included
	uint16_t last;
};

struct weir_listener {
	char listener_id[WEIR_ID_SIZE];
	const struct weir_lb *lb;
	struct weir_pool *pool;
	struct weir_port_range *ranges;
	struct weir_cidr *allowed;
	struct weir_cidr *denied;
	struct weir_prefix_list **allowed_lists;
	struct weir_prefix_list **denied_lists;
	struct weir_limits *limits; // NULL: none
	uint32_t *binding_ids;      // registry, per backend of the pool
	uint32_t nb_ranges;
	uint32_t nb_allowed;
	uint32_t nb_denied;
	uint32_t nb_allowed_lists;
	uint32_t nb_denied_lists;
	uint32_t idle_timeout_s;
	struct weir_address persistence_masks[WEIR_NB_FAMILIES];
	struct weir_limit_bounds bounds; // the PoP's
	uint32_t persistence_s;          // 0: no source persistence
	uint8_t protocol;
	bool enabled;
	bool stateless; // UDP: the hash alone decides, no flow is kept
	bool reset_on_idle_timeout;
};

// Listeners of one protocol by port: disjoint ranges in rising order.
struct weir_port_entry {
	uint16_t first; // host order, both ends included
	uint16_t last;
	uint32_t listener; // index
};

struct weir_port_map {
	uint32_t nb;
	struct weir_port_entry *entries;
};

struct weir_vip {
	struct weir_address address;
	uint64_t claim_sequence;
};

// A member that was unhealthy and is not any more.
struct weir_recovered {
	char member_id[WEIR_ID_SIZE];
	int64_t since_us; // Unix time
};

struct weir_lb {
	uint32_t references; // control thread only
	bool drained;        // likewise: to be built again, a drain is over
	uint32_t lb_id;      // registry
	char id[WEIR_ID_SIZE];
	char project_id[WEIR_ID_SIZE];
	uint64_t epoch;
	uint64_t sequence;
	uint64_t generation;
	bool enabled;
	uint32_t nb_vips;
	struct weir_vip *vips;
	uint32_t nb_listeners;
	struct weir_listener *listeners;
	struct weir_port_map tcp;
	struct weir_port_map udp;
	uint32_t nb_pools;
	struct weir_pool *pools;
	uint8_t config_sha256[32];
	// The configuration as received, to be stored and built again with other verdicts.
	uint8_t *raw;
	uint32_t raw_length;
	uint32_t nb_unhealthy;
	char (*unhealthy)[WEIR_ID_SIZE]; // member ids
	uint32_t nb_recovered;
	struct weir_recovered *recovered; // healthy again; slow start counts from then
};

struct weir_route {
	struct weir_cidr prefix;
	struct weir_address next_hop; // none: on-link
};

// The SNAT ports of one worker.
struct weir_snat {
	struct weir_snat_ports families[WEIR_NB_FAMILIES];
};

struct weir_node {
	uint32_t references;
	uint64_t epoch;
	uint64_t sequence;
	struct weir_address data_address;
	struct weir_address data_address_v6; // none: the data port has no IPv6
	uint16_t mtu;                        // of the data port
	uint32_t nb_live_nodes; // of the PoP, this one included: those that are not drained
	uint32_t nb_peers;
	struct weir_address peers[WEIR_MAX_PEERS]; // data addresses of the PoP's other nodes
	uint32_t nb_routes;
	struct weir_route *routes; // longest prefix first, own networks included
	uint32_t nb_snat_addresses[WEIR_NB_FAMILIES];
	struct weir_address snat_addresses[WEIR_NB_FAMILIES][WEIR_SNAT_MAX_ADDRESSES];
	// Outer sources of IP in IP; none for a family: its data address.
	uint32_t nb_tunnel_sources[WEIR_NB_FAMILIES];
	struct weir_cidr tunnel_sources[WEIR_NB_FAMILIES][WEIR_MAX_TUNNEL_SOURCES];
	struct weir_snat snat[WEIR_MAX_WORKERS]; // adopted and written by the worker
	uint32_t nb_workers;
	uint8_t *raw; // ApplyNodeRequest as received
	uint32_t raw_length;
};

// One slot of the hash of VIPs; no address: empty. A VIP whose load balancer is gone
// or disabled stays with lb NULL while its flows drain.
struct weir_vip_slot {
	struct weir_address address;
	const struct weir_lb *lb;
};

// One way back from a member to a VIP, for replies that reach a node without the flow.
struct weir_reverse {
	struct weir_address member_address;
	uint16_t first; // member ports, host order
	uint16_t last;
	int32_t offset; // VIP port = member port - offset
	struct weir_address vip_address;
	uint32_t binding_id;
	uint32_t lb_id;
	uint32_t order; // configured before retired
	uint8_t protocol;
};

struct weir_config {
	struct weir_node *node; // NULL: none yet
	uint32_t nb_lbs;
	struct weir_lb **lbs;
	uint32_t vip_mask; // slots - 1, a power of two
	struct weir_vip_slot *vips;
	uint32_t nb_reverses;
	struct weir_reverse *reverses; // sorted by (member address, protocol, first, order)
};

// NULL: the address is no VIP here.
const struct weir_vip_slot *weir_config_vip(const struct weir_config *config,
					    const struct weir_address *address);

// Members for packets to `vip`; NULL: the pool has none.
static inline const struct weir_serving *weir_pool_serving(const struct weir_pool *pool,
							   const struct weir_address *vip)
{
	return pool->serving[weir_family_of(vip)];
}

// NULL: no listener has the port. `port` in host order.
const struct weir_listener *weir_config_listener(const struct weir_lb *lb, uint8_t protocol,
						 uint16_t port);

// Do the inline CIDRs and prefix lists let `source` begin a flow at the listener?
bool weir_listener_allows(const struct weir_listener *listener, const struct weir_address *source);

enum weir_reverse_result { WEIR_REVERSE_NONE, WEIR_REVERSE_UNIQUE, WEIR_REVERSE_AMBIGUOUS };

// The mapping of a member's packet; `out` is set when unique.
enum weir_reverse_result weir_config_reverse(const struct weir_config *config,
					     const struct weir_address *address, uint8_t protocol,
					     uint16_t port, const struct weir_reverse **out);

// NULL: no route.
const struct weir_route *weir_config_route(const struct weir_node *node,
					   const struct weir_address *destination);

// True for an address of the node's own.
static inline bool weir_node_owns(const struct weir_node *node, const struct weir_address *address)
{
	return weir_address_equal(address, &node->data_address) ||
	       weir_address_equal(address, &node->data_address_v6);
}

bool weir_node_snat_range(const struct weir_node *node, const struct weir_address *address);

// Member port for a VIP port, both in host order; -1 when it leaves 1-65535.
static inline int32_t weir_backend_port(const struct weir_backend *backend, uint16_t vip_port)
{
	int32_t port = vip_port;

	if (backend->port_mapping == WEIR_PORT_FIXED)
		port = backend->port;
	else if (backend->port_mapping == WEIR_PORT_OFFSET)
		port += backend->port;
	return port >= 1 && port <= 65535 ? port : -1;
}
