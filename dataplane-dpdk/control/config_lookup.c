// SPDX-License-Identifier: Apache-2.0

#include <stddef.h>
#include <string.h>

#include "control/config.h"
#include "control/prefix_lists.h"
#include "lib/packet_parse.h"

const struct weir_vip_slot *weir_config_vip(const struct weir_config *config,
					    const struct weir_address *address)
{
	for (uint32_t at = weir_address_hash(address) & config->vip_mask;;
	     at = (at + 1) & config->vip_mask) {
		const struct weir_vip_slot *slot = &config->vips[at];

		if (weir_address_is_none(&slot->address))
			return NULL;
		if (weir_address_equal(&slot->address, address))
			return slot;
	}
}

const struct weir_listener *weir_config_listener(const struct weir_lb *lb, uint8_t protocol,
						 uint16_t port)
{
	const struct weir_port_map *map = protocol == WEIR_IP_TCP ? &lb->tcp : &lb->udp;
	uint32_t low = 0;
	uint32_t high = map->nb;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (map->entries[middle].last < port)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == map->nb || map->entries[low].first > port)
		return NULL;
	return &lb->listeners[map->entries[low].listener];
}

static uint32_t first_reverse(const struct weir_config *config, const struct weir_address *address)
{
	uint32_t low = 0;
	uint32_t high = config->nb_reverses;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (memcmp(&config->reverses[middle].member_address, address, sizeof(*address)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum weir_reverse_result weir_config_reverse(const struct weir_config *config,
					     const struct weir_address *address, uint8_t protocol,
					     uint16_t port, const struct weir_reverse **out)
{
	const struct weir_reverse *found = NULL;

	for (uint32_t i = first_reverse(config, address); i < config->nb_reverses; i++) {
		const struct weir_reverse *reverse = &config->reverses[i];

		if (!weir_address_equal(&reverse->member_address, address))
			break;
		if (reverse->protocol != protocol || port < reverse->first || port > reverse->last)
			continue;
		if (found == NULL || reverse->order < found->order) {
			found = reverse;
			continue;
		}
		if (reverse->order == found->order &&
		    (!weir_address_equal(&reverse->vip_address, &found->vip_address) ||
		     reverse->offset != found->offset))
			return WEIR_REVERSE_AMBIGUOUS;
	}
	*out = found;
	return found != NULL ? WEIR_REVERSE_UNIQUE : WEIR_REVERSE_NONE;
}

static inline bool cidr_covers(const struct weir_cidr *cidr, const struct weir_address *address,
			       uint8_t family)
{
	return cidr->family == family && weir_address_in(address, &cidr->address, &cidr->mask);
}

const struct weir_route *weir_config_route(const struct weir_node *node,
					   const struct weir_address *destination)
{
	uint8_t family = weir_address_is_v4(destination) ? 4 : 6;

	for (uint32_t i = 0; i < node->nb_routes; i++)
		if (cidr_covers(&node->routes[i].prefix, destination, family))
			return &node->routes[i];
	return NULL;
}

static bool in_cidrs(const struct weir_cidr *cidrs, uint32_t nb, const struct weir_address *address)
{
	uint8_t family = weir_address_is_v4(address) ? 4 : 6;

	for (uint32_t i = 0; i < nb; i++)
		if (cidr_covers(&cidrs[i], address, family))
			return true;
	return false;
}

bool weir_node_snat_range(const struct weir_node *node, const struct weir_address *address)
{
	enum weir_family family = weir_family_of(address);

	for (uint32_t i = 0; i < node->nb_snat_addresses[family]; i++)
		if (weir_address_equal(&node->snat_addresses[family][i], address))
			return true;
	return false;
}

static bool in_lists(struct weir_prefix_list *const *lists, uint32_t nb,
		     const struct weir_address *address)
{
	for (uint32_t i = 0; i < nb; i++)
		if (weir_prefix_list_has(lists[i], address))
			return true;
	return false;
}

bool weir_listener_allows(const struct weir_listener *listener, const struct weir_address *source)
{
	if (listener->nb_allowed + listener->nb_allowed_lists != 0 &&
	    !in_cidrs(listener->allowed, listener->nb_allowed, source) &&
	    !in_lists(listener->allowed_lists, listener->nb_allowed_lists, source))
		return false;
	return !in_cidrs(listener->denied, listener->nb_denied, source) &&
	       !in_lists(listener->denied_lists, listener->nb_denied_lists, source);
}
