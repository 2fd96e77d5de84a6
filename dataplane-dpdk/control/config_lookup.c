// SPDX-License-Identifier: Apache-2.0

#include <stddef.h>

#include "control/config.h"

static inline uint32_t vip_hash(weir_be32_t address)
{
	return (address * UINT32_C(0x9E3779B1)) >> 8;
}

const struct weir_vip_slot *weir_config_vip(const struct weir_config *config, weir_be32_t address)
{
	for (uint32_t at = vip_hash(address) & config->vip_mask;;
	     at = (at + 1) & config->vip_mask) {
		const struct weir_vip_slot *slot = &config->vips[at];

		if (slot->address == address)
			return address != 0 ? slot : NULL;
		if (slot->address == 0)
			return NULL;
	}
}

const struct weir_listener *weir_config_listener(const struct weir_lb *lb, uint8_t protocol,
						 uint16_t port)
{
	for (uint32_t i = 0; i < lb->nb_listeners; i++) {
		const struct weir_listener *listener = &lb->listeners[i];

		if (listener->protocol != protocol)
			continue;
		for (uint32_t r = 0; r < listener->nb_ranges; r++)
			if (port >= listener->ranges[r].first && port <= listener->ranges[r].last)
				return listener;
	}
	return NULL;
}

static uint32_t first_reverse(const struct weir_config *config, uint32_t member_address)
{
	uint32_t low = 0;
	uint32_t high = config->nb_reverses;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (config->reverses[middle].member_address < member_address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum weir_reverse_result weir_config_reverse(const struct weir_config *config, weir_be32_t address,
					     uint8_t protocol, uint16_t port,
					     const struct weir_reverse **out)
{
	const struct weir_reverse *found = NULL;

	for (uint32_t i = first_reverse(config, address); i < config->nb_reverses; i++) {
		const struct weir_reverse *reverse = &config->reverses[i];

		if (reverse->member_address != address)
			break;
		if (reverse->protocol != protocol || port < reverse->first || port > reverse->last)
			continue;
		if (found == NULL || reverse->order < found->order) {
			found = reverse;
			continue;
		}
		if (reverse->order == found->order && (reverse->vip_address != found->vip_address ||
						       reverse->offset != found->offset))
			return WEIR_REVERSE_AMBIGUOUS;
	}
	*out = found;
	return found != NULL ? WEIR_REVERSE_UNIQUE : WEIR_REVERSE_NONE;
}

const struct weir_route *weir_config_route(const struct weir_node *node, weir_be32_t destination)
{
	for (uint32_t i = 0; i < node->nb_routes; i++)
		if ((destination & node->routes[i].mask) == node->routes[i].address)
			return &node->routes[i];
	return NULL;
}

static bool in_cidrs(const struct weir_cidr *cidrs, uint32_t nb, weir_be32_t address)
{
	for (uint32_t i = 0; i < nb; i++)
		if ((address & cidrs[i].mask) == cidrs[i].address)
			return true;
	return false;
}

bool weir_listener_allows(const struct weir_listener *listener, weir_be32_t source)
{
	if (listener->nb_allowed != 0 && !in_cidrs(listener->allowed, listener->nb_allowed, source))
		return false;
	return !in_cidrs(listener->denied, listener->nb_denied, source);
}
