// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/build.h"

static weir_be32_t mask_of(uint32_t length)
{
	return length == 0 ? 0 : weir_be32(UINT32_MAX << (32 - length));
}

static int compare_routes(const void *left, const void *right)
{
	uint32_t a = weir_host32(((const struct weir_route *)left)->mask);
	uint32_t b = weir_host32(((const struct weir_route *)right)->mask);

	return (a < b) - (a > b);
}

static int read_routes(struct weir_node *node, const Weir__V1__NodeConfig *message,
		       struct weir_reject *reject)
{
	if (message->n_routes > WEIR_MAX_ROUTES)
		return weir_refuse(reject, "INVALID_CONFIG", "%zu routes, at most %d fit",
				   message->n_routes, WEIR_MAX_ROUTES);
	node->routes = calloc(message->n_routes + 1, sizeof(*node->routes));
	if (node->routes == NULL)
		return -ENOMEM;
	struct weir_route *own = &node->routes[node->nb_routes++];
	own->mask = mask_of(message->data_prefix_length);
	own->address = node->data_address & own->mask;
	for (size_t i = 0; i < message->n_routes; i++) {
		const Weir__V1__Prefix *prefix = message->routes[i]->prefix;
		struct weir_route *route = &node->routes[node->nb_routes++];

		if (prefix == NULL || prefix->length > 32)
			return weir_refuse(reject, "INVALID_CONFIG", "route %zu has no IPv4 prefix",
					   i);
		if (weir_copy_address(&route->address, &prefix->address, "a route's prefix",
				      reject) != 0 ||
		    weir_copy_address(&route->next_hop, &message->routes[i]->next_hop,
				      "a route's next hop", reject) != 0)
			return -EINVAL;
		route->mask = mask_of(prefix->length);
		route->address &= route->mask;
		if ((route->next_hop & own->mask) != own->address)
			return weir_refuse(reject, "INVALID_CONFIG",
					   "the next hop of route %zu is not on the data network",
					   i);
	}
	qsort(node->routes, node->nb_routes, sizeof(*node->routes), compare_routes);
	return 0;
}

static int read_snat(struct weir_node *node, const Weir__V1__NodeConfig *message,
		     struct weir_reject *reject)
{
	for (size_t i = 0; i < message->n_snat_ranges; i++) {
		const Weir__V1__Prefix *prefix = message->snat_ranges[i];
		weir_be32_t address;

		if (prefix->length > 32 ||
		    weir_copy_address(&address, &prefix->address, "a SNAT range", reject) != 0)
			return weir_refuse(reject, "INVALID_CONFIG",
					   "SNAT range %zu is no IPv4 prefix", i);
		uint32_t first = weir_host32(address & mask_of(prefix->length));
		uint64_t count = UINT64_C(1) << (32 - prefix->length);
		if (node->nb_snat_addresses + count > WEIR_SNAT_MAX_ADDRESSES)
			return weir_refuse(reject, "INVALID_CONFIG", "more than %d SNAT addresses",
					   WEIR_SNAT_MAX_ADDRESSES);
		for (uint64_t n = 0; n < count; n++)
			node->snat_addresses[node->nb_snat_addresses++] =
				weir_be32(first + (uint32_t)n);
	}
	for (uint32_t w = 0; w < node->nb_workers; w++)
		if (weir_snat_ports_init(&node->snat[w], node->snat_addresses,
					 node->nb_snat_addresses, w, node->nb_workers) != 0)
			return -ENOMEM;
	return 0;
}

static int read_node(struct weir_node *node, const Weir__V1__ApplyNodeRequest *message,
		     struct weir_reject *reject)
{
	if (message->node == NULL)
		return weir_refuse(reject, "INVALID_CONFIG", "node is missing");
	if (weir_copy_address(&node->data_address, &message->node->data_address, "the data address",
			      reject) != 0)
		return -EINVAL;
	if (node->data_address == 0 || message->node->data_prefix_length > 32)
		return weir_refuse(reject, "INVALID_CONFIG", "the data address is no host address");
	int ret = read_routes(node, message->node, reject);
	return ret == 0 ? read_snat(node, message->node, reject) : ret;
}

static void node_free(struct weir_node *node)
{
	for (uint32_t w = 0; w < node->nb_workers; w++)
		weir_snat_ports_destroy(&node->snat[w]);
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
