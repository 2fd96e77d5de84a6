// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/build.h"
#include "lib/packet_parse.h"

enum { MAX_PERSISTENCE_S = 7 * 24 * 3600 };

static int check_listener(const Weir__V1__Listener *message, struct weir_reject *reject)
{
	const char *id = message->listener_id;

	if (message->n_allowed_cidrs > WEIR_MAX_CIDRS || message->n_denied_cidrs > WEIR_MAX_CIDRS)
		return weir_refuse(reject, "INVALID_CONFIG", "listener %s has more than %d CIDRs",
				   id, WEIR_MAX_CIDRS);
	return 0;
}

static int read_ranges(struct weir_listener *listener, const Weir__V1__Listener *message,
		       struct weir_reject *reject)
{
	if (message->n_port_ranges == 0)
		return weir_refuse(reject, "INVALID_CONFIG", "listener %s has no port",
				   message->listener_id);
	listener->ranges = calloc(message->n_port_ranges, sizeof(*listener->ranges));
	if (listener->ranges == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < message->n_port_ranges; i++) {
		const Weir__V1__PortRange *range = message->port_ranges[i];

		if (range->first < 1 || range->last > 65535 || range->first > range->last)
			return weir_refuse(reject, "INVALID_CONFIG", "ports %u-%u of listener %s",
					   range->first, range->last, message->listener_id);
		listener->ranges[i].first = (uint16_t)range->first;
		listener->ranges[i].last = (uint16_t)range->last;
	}
	listener->nb_ranges = (uint32_t)message->n_port_ranges;
	return 0;
}

static int read_cidrs(struct weir_cidr **out, uint32_t *nb, size_t n, Weir__V1__Prefix **prefixes,
		      struct weir_reject *reject)
{
	if (n == 0)
		return 0;
	*out = calloc(n, sizeof(**out));
	if (*out == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (weir_copy_prefix(&(*out)[(*nb)++], prefixes[i], "a CIDR", reject) != 0)
			return -EINVAL;
	return 0;
}

static struct weir_pool *find_pool(const struct weir_lb *lb, const char *pool_id)
{
	for (uint32_t i = 0; i < lb->nb_pools; i++)
		if (strcmp(lb->pools[i].pool_id, pool_id) == 0)
			return &lb->pools[i];
	return NULL;
}

static int bind_backends(struct weir_listener *listener, struct weir_flow_file *file,
			 struct weir_reject *reject)
{
	uint32_t nb = listener->pool->nb_backends;

	listener->binding_ids = calloc(nb > 0 ? nb : 1, sizeof(*listener->binding_ids));
	if (listener->binding_ids == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < nb; i++) {
		const struct weir_target target = {
			.member_address = listener->pool->backends[i].address,
			.backend_id = listener->pool->backends[i].backend_id,
			.lb_id = listener->lb->lb_id,
			.mode = listener->pool->mode,
			.encapsulation = listener->pool->encapsulation,
			.tunnel_port = listener->pool->tunnel_port,
		};
		uint32_t id = weir_registry_binding(file, listener->listener_id, &target);

		if (id == WEIR_ID_NONE)
			return weir_refuse(
				reject, "TOO_MANY_MEMBERS",
				"the engine's %d pairs of listener and member are in use",
				WEIR_MAX_BINDINGS);
		listener->binding_ids[i] = id;
	}
	return 0;
}

// Every port of the listener must have a port at each member.
static int check_ports(const struct weir_listener *listener, struct weir_reject *reject)
{
	for (uint32_t b = 0; b < listener->pool->nb_backends; b++)
		for (uint32_t r = 0; r < listener->nb_ranges; r++)
			if (weir_backend_port(&listener->pool->backends[b],
					      listener->ranges[r].first) < 0 ||
			    weir_backend_port(&listener->pool->backends[b],
					      listener->ranges[r].last) < 0)
				return weir_refuse(
					reject, "INVALID_CONFIG",
					"port offset of member %s leaves 1-65535 on listener %s",
					listener->pool->backends[b].member_id,
					listener->listener_id);
	return 0;
}

static int read_lists(struct weir_prefix_list ***out, uint32_t *nb, size_t n, char **ids,
		      const struct weir_listener *listener, const struct weir_prefix_lists *known,
		      struct weir_reject *reject)
{
	if (n == 0)
		return 0;
	*out = calloc(n, sizeof(struct weir_prefix_list *));
	if (*out == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct weir_prefix_list *list = weir_prefix_lists_find(known, ids[i]);

		if (list == NULL)
			return weir_refuse(reject, "PREFIX_LIST_MISSING",
					   "listener %s refers to prefix list %.80s, which is not "
					   "here",
					   listener->listener_id, ids[i]);
		list->references++;
		(*out)[(*nb)++] = list;
	}
	return 0;
}

static int read_sources(struct weir_listener *listener, const Weir__V1__Listener *message,
			const struct weir_prefix_lists *lists, struct weir_reject *reject)
{
	int ret = read_cidrs(&listener->allowed, &listener->nb_allowed, message->n_allowed_cidrs,
			     message->allowed_cidrs, reject);

	if (ret == 0)
		ret = read_cidrs(&listener->denied, &listener->nb_denied, message->n_denied_cidrs,
				 message->denied_cidrs, reject);
	if (ret == 0)
		ret = read_lists(&listener->allowed_lists, &listener->nb_allowed_lists,
				 message->n_allowed_prefix_list_ids,
				 message->allowed_prefix_list_ids, listener, lists, reject);
	if (ret == 0)
		ret = read_lists(&listener->denied_lists, &listener->nb_denied_lists,
				 message->n_denied_prefix_list_ids, message->denied_prefix_list_ids,
				 listener, lists, reject);
	return ret;
}

static int read_persistence(struct weir_listener *listener, const Weir__V1__Listener *message,
			    struct weir_reject *reject)
{
	const Weir__V1__SourcePersistence *persistence = message->source_persistence;

	if (persistence == NULL)
		return 0;
	if (persistence->ipv4_prefix_length > 32 || persistence->ipv6_prefix_length > 128)
		return weir_refuse(reject, "INVALID_CONFIG",
				   "source persistence of listener %s has prefix lengths %u and %u",
				   message->listener_id, persistence->ipv4_prefix_length,
				   persistence->ipv6_prefix_length);
	// Longer than any pin can last: ticks are 32 bits.
	if (persistence->timeout_s < 1 || persistence->timeout_s > MAX_PERSISTENCE_S)
		return weir_refuse(
			reject, "INVALID_CONFIG",
			"source persistence of listener %s lasts %u s, 1 to %d are known",
			message->listener_id, persistence->timeout_s, MAX_PERSISTENCE_S);
	uint32_t v4 = persistence->ipv4_prefix_length > 0 ? persistence->ipv4_prefix_length : 32;
	uint32_t v6 = persistence->ipv6_prefix_length > 0 ? persistence->ipv6_prefix_length : 128;
	listener->persistence_s = persistence->timeout_s;
	listener->persistence_masks[WEIR_V4] = weir_address_mask(WEIR_V4_PREFIX_BITS + v4);
	listener->persistence_masks[WEIR_V6] = weir_address_mask(v6);
	return 0;
}

static const struct weir_listener *find_listener(const struct weir_lb *lb, const char *id)
{
	for (uint32_t i = 0; lb != NULL && i < lb->nb_listeners; i++)
		if (strcmp(lb->listeners[i].listener_id, id) == 0)
			return &lb->listeners[i];
	return NULL;
}

// What is counted goes on over a change of the configuration: the object is the old listener's.
static int read_limits(struct weir_listener *listener, const Weir__V1__Listener *message,
		       const struct weir_flow_file *file, const struct weir_lb *old_lb)
{
	const Weir__V1__ListenerLimits *limits = message->limits;
	const struct weir_listener *old = find_listener(old_lb, listener->listener_id);

	if (limits == NULL ||
	    (limits->new_flows_per_s == 0 && limits->active_flows == 0 &&
	     limits->new_flows_per_source_per_s == 0 && limits->active_flows_per_source == 0))
		return 0;
	listener->bounds = (struct weir_limit_bounds){
		.new_flows_per_s = limits->new_flows_per_s,
		.active_flows = limits->active_flows,
		.new_flows_per_source_per_s = limits->new_flows_per_source_per_s,
		.active_flows_per_source = limits->active_flows_per_source,
	};
	if (old != NULL && old->limits != NULL) {
		listener->limits = old->limits;
		listener->limits->references++;
	} else {
		listener->limits =
			weir_limits_new(file->header->nb_workers, file->header->flow_key);
	}
	return listener->limits != NULL ? weir_limits_prepare(listener->limits, &listener->bounds)
					: -ENOMEM;
}

int weir_listener_build(struct weir_lb *lb, struct weir_listener *listener,
			const Weir__V1__Listener *message, struct weir_flow_file *file,
			const struct weir_lb_input *input, struct weir_reject *reject)
{
	listener->lb = lb;
	if (weir_copy_id(listener->listener_id, message->listener_id, "listener_id", reject) != 0 ||
	    check_listener(message, reject) != 0)
		return -EINVAL;
	if (message->protocol == WEIR__V1__PROTOCOL__PROTOCOL_TCP)
		listener->protocol = WEIR_IP_TCP;
	else if (message->protocol == WEIR__V1__PROTOCOL__PROTOCOL_UDP)
		listener->protocol = WEIR_IP_UDP;
	else
		return weir_refuse(reject, "UNSUPPORTED_FEATURE", "protocol %d of listener %s",
				   message->protocol, message->listener_id);
	listener->enabled = message->enabled;
	listener->idle_timeout_s = message->idle_timeout_s;
	listener->reset_on_idle_timeout = message->reset_on_idle_timeout;
	listener->pool = find_pool(lb, message->pool_id);
	if (listener->pool == NULL)
		return weir_refuse(reject, "INVALID_CONFIG", "listener %s names no pool of its own",
				   message->listener_id);
	listener->stateless =
		message->flow_tracking == WEIR__V1__FLOW_TRACKING__FLOW_TRACKING_STATELESS;
	if (listener->stateless &&
	    (listener->protocol != WEIR_IP_UDP || listener->pool->mode == WEIR_MODE_SNAT))
		return weir_refuse(reject, "INVALID_CONFIG",
				   "stateless is for UDP and not with snat: listener %s",
				   message->listener_id);
	int ret = read_ranges(listener, message, reject);
	if (ret == 0)
		ret = read_sources(listener, message, input->prefix_lists, reject);
	if (ret == 0)
		ret = read_persistence(listener, message, reject);
	if (ret == 0)
		ret = read_limits(listener, message, file, input->old);
	if (ret == 0)
		ret = check_ports(listener, reject);
	return ret == 0 ? bind_backends(listener, file, reject) : ret;
}

static void release_lists(struct weir_prefix_list **lists, uint32_t nb)
{
	for (uint32_t i = 0; i < nb; i++)
		weir_prefix_list_release(lists[i]);
	free(lists);
}

void weir_listener_destroy(struct weir_listener *listener)
{
	free(listener->ranges);
	free(listener->allowed);
	free(listener->denied);
	release_lists(listener->allowed_lists, listener->nb_allowed_lists);
	release_lists(listener->denied_lists, listener->nb_denied_lists);
	weir_limits_release(listener->limits);
	free(listener->binding_ids);
}
