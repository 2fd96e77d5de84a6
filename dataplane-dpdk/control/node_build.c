// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/build.h"
#include "lib/path_mtu.h"

enum { DEFAULT_MTU = 1500 };

// Longest first; the families never compete.
static int compare_routes(const void *left, const void *right)
{
	const struct weir_route *a = left;
	const struct weir_route *b = right;

	return memcmp(&b->prefix.mask, &a->prefix.mask, sizeof(a->prefix.mask));
}

// The network of the data port itself, reached without a next hop.
static void add_own_network(struct weir_node *node, const struct weir_address *address,
			    uint32_t length)
{
	struct weir_route *own = &node->routes[node->nb_routes++];
	bool v4 = weir_address_is_v4(address);

	own->prefix.family = v4 ? 4 : 6;
	own->prefix.mask = weir_address_mask(length + (v4 ? WEIR_V4_PREFIX_BITS : 0));
	own->prefix.address = weir_address_and(address, &own->prefix.mask);
}

static bool on_link(const struct weir_node *node, uint32_t nb_own,
		    const struct weir_address *next_hop)
{
	// fe80::/10 is every link's own.
	if (next_hop->bytes[0] == 0xfe && (next_hop->bytes[1] & 0xc0) == 0x80)
		return true;
	for (uint32_t i = 0; i < nb_own; i++)
		if (weir_address_in(next_hop, &node->routes[i].prefix.address,
				    &node->routes[i].prefix.mask))
			return true;
	return false;
}

static int read_route(struct weir_node *node, const Weir__V1__Route *message, uint32_t nb_own,
		      struct weir_reject *reject)
{
	struct weir_route *route = &node->routes[node->nb_routes++];

	if (weir_copy_prefix(&route->prefix, message->prefix, "a route's prefix", reject) != 0 ||
	    weir_copy_address(&route->next_hop, &message->next_hop, "a route's next hop", reject) !=
		    0)
		return -EINVAL;
	if (weir_address_is_v4(&route->next_hop) != (route->prefix.family == 4))
		return weir_refuse(reject, "INVALID_CONFIG",
				   "a route's next hop is of another family than its prefix");
	if (!on_link(node, nb_own, &route->next_hop))
		return weir_refuse(reject, "INVALID_CONFIG",
				   "the next hop of route %u is not on the data network",
				   node->nb_routes - nb_own - 1);
	return 0;
}

static int read_routes(struct weir_node *node, const Weir__V1__NodeConfig *message,
		       struct weir_reject *reject)
{
	if (message->n_routes > WEIR_MAX_ROUTES)
		return weir_refuse(reject, "INVALID_CONFIG", "%zu routes, at most %d fit",
				   message->n_routes, WEIR_MAX_ROUTES);
	node->routes = calloc(message->n_routes + 2, sizeof(*node->routes));
	if (node->routes == NULL)
		return -ENOMEM;
	add_own_network(node, &node->data_address, message->data_prefix_length);
	if (!weir_address_is_none(&node->data_address_v6))
		add_own_network(node, &node->data_address_v6, message->data_prefix_length_v6);
	uint32_t nb_own = node->nb_routes;
	for (size_t i = 0; i < message->n_routes; i++)
		if (read_route(node, message->routes[i], nb_own, reject) != 0)
			return -EINVAL;
	qsort(node->routes, node->nb_routes, sizeof(*node->routes), compare_routes);
	return 0;
}

// The addresses of a prefix, the lowest first. Of an IPv6 prefix with more than fit, as many as
// do: 64512 ports per address and member are plenty.
static int add_snat_range(struct weir_node *node, const struct weir_cidr *range, uint32_t host_bits,
			  struct weir_reject *reject)
{
	enum weir_family family = range->family == 4 ? WEIR_V4 : WEIR_V6;
	uint32_t *nb = &node->nb_snat_addresses[family];
	uint32_t room = WEIR_SNAT_MAX_ADDRESSES - *nb;
	uint64_t count = host_bits < 32 ? UINT64_C(1) << host_bits : UINT32_MAX;
	uint32_t first = weir_host32(range->address.words[3]);

	if (count > room && (family == WEIR_V4 || room == 0))
		return weir_refuse(reject, "INVALID_CONFIG", "more than %d SNAT addresses",
				   WEIR_SNAT_MAX_ADDRESSES);
	for (uint32_t n = 0; n < count && n < room; n++) {
		struct weir_address *address = &node->snat_addresses[family][(*nb)++];

		*address = range->address;
		address->words[3] = weir_be32(first + n);
	}
	return 0;
}

static int read_snat(struct weir_node *node, const Weir__V1__NodeConfig *message,
		     struct weir_reject *reject)
{
	for (size_t i = 0; i < message->n_snat_ranges; i++) {
		const Weir__V1__Prefix *prefix = message->snat_ranges[i];
		struct weir_cidr range;

		if (weir_copy_prefix(&range, prefix, "a SNAT range", reject) != 0 ||
		    add_snat_range(node, &range, (range.family == 4 ? 32 : 128) - prefix->length,
				   reject) != 0)
			return -EINVAL;
	}
	for (uint32_t w = 0; w < node->nb_workers; w++)
		for (int family = 0; family < WEIR_NB_FAMILIES; family++)
			if (weir_snat_ports_init(&node->snat[w].families[family],
						 node->snat_addresses[family],
						 node->nb_snat_addresses[family]) != 0)
				return -ENOMEM;
	return 0;
}

static int read_own_addresses(struct weir_node *node, const Weir__V1__NodeConfig *message,
			      struct weir_reject *reject)
{
	if (weir_copy_address(&node->data_address, &message->data_address, "the data address",
			      reject) != 0)
		return -EINVAL;
	if (!weir_address_is_v4(&node->data_address) || !weir_address_usable(&node->data_address) ||
	    message->data_prefix_length > 32)
		return weir_refuse(reject, "INVALID_CONFIG", "the data address is no host address");
	if (message->data_address_v6.len == 0)
		return 0;
	if (weir_copy_address(&node->data_address_v6, &message->data_address_v6,
			      "the IPv6 data address", reject) != 0)
		return -EINVAL;
	if (weir_address_is_v4(&node->data_address_v6) ||
	    !weir_address_usable(&node->data_address_v6) || message->data_prefix_length_v6 > 128)
		return weir_refuse(reject, "INVALID_CONFIG",
				   "the IPv6 data address is no host address");
	return 0;
}

static int read_mtu(struct weir_node *node, const Weir__V1__NodeConfig *message,
		    struct weir_reject *reject)
{
	bool v6 = !weir_address_is_none(&node->data_address_v6);
	uint32_t least = v6 ? WEIR_LEAST_MTU_V6 : WEIR_LEAST_MTU_V4;

	node->mtu = message->mtu != 0 ? (uint16_t)message->mtu : DEFAULT_MTU;
	if (message->mtu > UINT16_MAX || node->mtu < least)
		return weir_refuse(reject, "INVALID_CONFIG", "an MTU of %u is not in %u-%u",
				   message->mtu, least, UINT16_MAX);
	return 0;
}

static int read_tunnel_sources(struct weir_node *node, const Weir__V1__NodeConfig *message,
			       struct weir_reject *reject)
{
	for (size_t i = 0; i < message->n_tunnel_source_prefixes; i++) {
		struct weir_cidr prefix;

		if (weir_copy_prefix(&prefix, message->tunnel_source_prefixes[i], "a tunnel source",
				     reject) != 0)
			return -EINVAL;
		enum weir_family family = prefix.family == 4 ? WEIR_V4 : WEIR_V6;
		uint32_t *nb = &node->nb_tunnel_sources[family];
		if (*nb == WEIR_MAX_TUNNEL_SOURCES)
			return weir_refuse(reject, "INVALID_CONFIG",
					   "more than %d tunnel source prefixes",
					   WEIR_MAX_TUNNEL_SOURCES);
		node->tunnel_sources[family][(*nb)++] = prefix;
	}
	return 0;
}

static int read_peers(struct weir_node *node, const Weir__V1__ApplyNodeRequest *message,
		      struct weir_reject *reject)
{
	if (message->n_peers > WEIR_MAX_PEERS)
		return weir_refuse(reject, "INVALID_CONFIG", "%zu peers, at most %d fit",
				   message->n_peers, WEIR_MAX_PEERS);
	node->nb_live_nodes = 1;
	for (size_t i = 0; i < message->n_peers; i++) {
		struct weir_address *peer = &node->peers[node->nb_peers];

		if (weir_copy_address(peer, &message->peers[i]->data_address,
				      "a peer's data address", reject) != 0)
			return -EINVAL;
		if (!weir_address_is_v4(peer))
			return weir_refuse(reject, "INVALID_CONFIG",
					   "a peer's data address is not IPv4");
		// A node that is listed among its own peers would pass packets to itself.
		if (weir_address_equal(peer, &node->data_address))
			continue;
		node->nb_peers++;
		node->nb_live_nodes += !message->peers[i]->drained;
	}
	return 0;
}

static int read_node(struct weir_node *node, const Weir__V1__ApplyNodeRequest *message,
		     struct weir_reject *reject)
{
	if (message->node == NULL)
		return weir_refuse(reject, "INVALID_CONFIG", "node is missing");
	int ret = read_own_addresses(node, message->node, reject);
	if (ret == 0)
		ret = read_mtu(node, message->node, reject);
	if (ret == 0)
		ret = read_tunnel_sources(node, message->node, reject);
	if (ret == 0)
		ret = read_peers(node, message, reject);
	if (ret == 0)
		ret = read_routes(node, message->node, reject);
	return ret == 0 ? read_snat(node, message->node, reject) : ret;
}

static void node_free(struct weir_node *node)
{
	for (uint32_t w = 0; w < node->nb_workers; w++)
		for (int family = 0; family < WEIR_NB_FAMILIES; family++)
			weir_snat_ports_destroy(&node->snat[w].families[family]);
	free(node->routes);
	free(node->raw);
	free(node);
}

int weir_node_build(uint32_t nb_workers, struct weir_bytes raw, struct weir_node **out,
		    struct weir_reject *reject)
{
	Weir__V1__ApplyNodeRequest *message =
		weir__v1__apply_node_request__unpack(NULL, raw.length, raw.data);
	struct weir_node *node = calloc(1, sizeof(*node));
	int ret = -ENOMEM;

	if (message == NULL) {
		ret = weir_refuse(reject, "INVALID_CONFIG", "the node can't be decoded");
		goto err;
	}
	if (node == NULL)
		goto err;
	node->references = 1; // the caller's
	node->nb_workers = nb_workers;
	node->epoch = message->epoch;
	node->sequence = message->sequence;
	node->raw = malloc(raw.length > 0 ? raw.length : 1);
	if (node->raw == NULL)
		goto err;
	memcpy(node->raw, raw.data, raw.length);
	node->raw_length = (uint32_t)raw.length;
	ret = read_node(node, message, reject);
	if (ret != 0)
		goto err;
	weir__v1__apply_node_request__free_unpacked(message, NULL);
	*out = node;
	return 0;
err:
	if (ret == -ENOMEM)
		weir_refuse(reject, "OUT_OF_MEMORY", "the engine has no memory for this");
	if (message != NULL)
		weir__v1__apply_node_request__free_unpacked(message, NULL);
	if (node != NULL)
		node_free(node);
	return ret;
}

void weir_node_release(struct weir_node *node)
{
	if (--node->references == 0)
		node_free(node);
}
