// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/build.h"
#include "lib/packet_parse.h"
#include "lib/sha256.h"

static int check_features(const Weir__V1__LoadBalancerConfig *message, struct weir_reject *reject)
{
	for (size_t i = 0; i < message->n_required_features; i++) {
		bool known = false;

		for (const char *const *feature = weir_features; *feature != NULL; feature++)
			known = known || strcmp(*feature, message->required_features[i]) == 0;
		if (!known)
			return weir_refuse(reject, "UNSUPPORTED_FEATURE", "%.200s",
					   message->required_features[i]);
	}
	return 0;
}

static int check_listener(const Weir__V1__Listener *message, struct weir_reject *reject)
{
	const char *id = message->listener_id;
	const Weir__V1__ListenerLimits *limits = message->limits;

	if (message->source_persistence != NULL)
		return weir_refuse(reject, "UNSUPPORTED_FEATURE", "source_persistence: listener %s",
				   id);
	if (message->n_allowed_prefix_list_ids + message->n_denied_prefix_list_ids > 0)
		return weir_refuse(reject, "UNSUPPORTED_FEATURE", "prefix_lists: listener %s", id);
	if (limits != NULL &&
	    (limits->new_flows_per_s != 0 || limits->active_flows != 0 ||
	     limits->new_flows_per_source_per_s != 0 || limits->active_flows_per_source != 0))
		return weir_refuse(reject, "UNSUPPORTED_FEATURE", "limits: listener %s", id);
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

static int read_listener(struct weir_lb *lb, struct weir_listener *listener,
			 const Weir__V1__Listener *message, struct weir_flow_file *file,
			 struct weir_reject *reject)
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
		ret = read_cidrs(&listener->allowed, &listener->nb_allowed,
				 message->n_allowed_cidrs, message->allowed_cidrs, reject);
	if (ret == 0)
		ret = read_cidrs(&listener->denied, &listener->nb_denied, message->n_denied_cidrs,
				 message->denied_cidrs, reject);
	if (ret == 0)
		ret = check_ports(listener, reject);
	return ret == 0 ? bind_backends(listener, file, reject) : ret;
}

static int compare_ports(const void *left, const void *right)
{
	const struct weir_port_entry *a = left;
	const struct weir_port_entry *b = right;

	return (a->first > b->first) - (a->first < b->first);
}

// Puts the ports of all listeners of a protocol in order; none may be on two of them.
static int map_ports(const struct weir_lb *lb, uint8_t protocol, struct weir_port_map *map,
		     struct weir_reject *reject)
{
	uint32_t nb = 0;

	for (uint32_t l = 0; l < lb->nb_listeners; l++)
		nb += lb->listeners[l].nb_ranges;
	map->entries = calloc(nb > 0 ? nb : 1, sizeof(*map->entries));
	if (map->entries == NULL)
		return -ENOMEM;
	for (uint32_t l = 0; l < lb->nb_listeners; l++) {
		const struct weir_listener *listener = &lb->listeners[l];

		for (uint32_t r = 0; listener->protocol == protocol && r < listener->nb_ranges; r++)
			map->entries[map->nb++] = (struct weir_port_entry){
				listener->ranges[r].first, listener->ranges[r].last, l};
	}
	qsort(map->entries, map->nb, sizeof(*map->entries), compare_ports);
	for (uint32_t i = 1; i < map->nb; i++)
		if (map->entries[i].first <= map->entries[i - 1].last)
			return weir_refuse(reject, "INVALID_CONFIG",
					   "port %u is on two listeners of load balancer %s",
					   map->entries[i].first, lb->id);
	return 0;
}

static int read_vips(struct weir_lb *lb, const Weir__V1__LoadBalancerConfig *message,
		     struct weir_reject *reject)
{
	lb->vips = calloc(message->n_vips > 0 ? message->n_vips : 1, sizeof(*lb->vips));
	if (lb->vips == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < message->n_vips; i++) {
		if (weir_copy_address(&lb->vips[i].address, &message->vips[i]->address, "a VIP",
				      reject) != 0)
			return -EINVAL;
		if (!weir_address_usable(&lb->vips[i].address))
			return weir_refuse(reject, "INVALID_CONFIG", "a VIP is no host address");
		lb->vips[i].claim_sequence = message->vips[i]->claim_sequence;
		lb->nb_vips++;
	}
	return 0;
}

static int read_parts(struct weir_lb *lb, const Weir__V1__LoadBalancerConfig *message,
		      struct weir_flow_file *file, char *const *unhealthy, uint32_t nb_unhealthy,
		      struct weir_reject *reject)
{
	int ret = read_vips(lb, message, reject);

	lb->pools = calloc(message->n_pools > 0 ? message->n_pools : 1, sizeof(*lb->pools));
	lb->listeners =
		calloc(message->n_listeners > 0 ? message->n_listeners : 1, sizeof(*lb->listeners));
	if (lb->pools == NULL || lb->listeners == NULL)
		return -ENOMEM;
	for (size_t i = 0; ret == 0 && i < message->n_pools; i++) {
		lb->nb_pools++;
		ret = weir_pool_build(&lb->pools[i], message->pools[i], file, lb->lb_id, unhealthy,
				      nb_unhealthy, reject);
	}
	for (size_t i = 0; ret == 0 && i < message->n_listeners; i++) {
		lb->nb_listeners++;
		ret = read_listener(lb, &lb->listeners[i], message->listeners[i], file, reject);
	}
	if (ret == 0)
		ret = map_ports(lb, WEIR_IP_TCP, &lb->tcp, reject);
	if (ret == 0)
		ret = map_ports(lb, WEIR_IP_UDP, &lb->udp, reject);
	return ret;
}

static int read_head(struct weir_lb *lb, const Weir__V1__LoadBalancerConfig *message,
		     struct weir_flow_file *file, struct weir_bytes raw, char *const *unhealthy,
		     uint32_t nb_unhealthy, struct weir_reject *reject)
{
	if (check_features(message, reject) != 0 ||
	    weir_copy_id(lb->id, message->load_balancer_id, "load_balancer_id", reject) != 0 ||
	    weir_copy_id(lb->project_id, message->project_id, "project_id", reject) != 0)
		return -EINVAL;
	lb->generation = message->generation;
	lb->enabled = message->enabled;
	lb->raw = malloc(raw.length > 0 ? raw.length : 1);
	lb->unhealthy = calloc(nb_unhealthy > 0 ? nb_unhealthy : 1, sizeof(*lb->unhealthy));
	if (lb->raw == NULL || lb->unhealthy == NULL)
		return -ENOMEM;
	memcpy(lb->raw, raw.data, raw.length);
	lb->raw_length = (uint32_t)raw.length;
	weir_sha256(raw.data, raw.length, lb->config_sha256);
	for (uint32_t i = 0; i < nb_unhealthy; i++)
		if (strlen(unhealthy[i]) < WEIR_ID_SIZE)
			strcpy(lb->unhealthy[lb->nb_unhealthy++], unhealthy[i]);
	lb->lb_id = weir_registry_lb(file, lb->id, lb->project_id);
	if (lb->lb_id == WEIR_ID_NONE)
		return weir_refuse(reject, "TOO_MANY_LOAD_BALANCERS",
				   "the engine holds %d load balancers", WEIR_MAX_LBS - 1);
	return 0;
}

static void lb_free(struct weir_lb *lb)
{
	for (uint32_t i = 0; i < lb->nb_pools; i++)
		weir_pool_destroy(&lb->pools[i]);
	for (uint32_t i = 0; i < lb->nb_listeners; i++) {
		free(lb->listeners[i].ranges);
		free(lb->listeners[i].allowed);
		free(lb->listeners[i].denied);
		free(lb->listeners[i].binding_ids);
	}
	free(lb->tcp.entries);
	free(lb->udp.entries);
	free(lb->pools);
	free(lb->listeners);
	free(lb->vips);
	free(lb->raw);
	free(lb->unhealthy);
	free(lb);
}

int weir_lb_build(struct weir_flow_file *file, uint64_t epoch, uint64_t sequence,
		  struct weir_bytes raw, char *const *unhealthy, uint32_t nb_unhealthy,
		  struct weir_lb **out, struct weir_reject *reject)
{
	Weir__V1__LoadBalancerConfig *message =
		weir__v1__load_balancer_config__unpack(NULL, raw.length, raw.data);
	struct weir_lb *lb = calloc(1, sizeof(*lb));
	int ret = -ENOMEM;

	if (message == NULL) {
		ret = weir_refuse(reject, "INVALID_CONFIG", "the configuration can't be decoded");
		goto err;
	}
	if (lb == NULL)
		goto err;
	lb->references = 1; // the caller's
	lb->epoch = epoch;
	lb->sequence = sequence;
	ret = read_head(lb, message, file, raw, unhealthy, nb_unhealthy, reject);
	if (ret == 0)
		ret = read_parts(lb, message, file, unhealthy, nb_unhealthy, reject);
	if (ret != 0)
		goto err;
	weir__v1__load_balancer_config__free_unpacked(message, NULL);
	*out = lb;
	return 0;
err:
	if (ret == -ENOMEM)
		weir_refuse(reject, "OUT_OF_MEMORY", "the engine has no memory for this");
	if (message != NULL)
		weir__v1__load_balancer_config__free_unpacked(message, NULL);
	if (lb != NULL)
		lb_free(lb);
	return ret;
}

void weir_lb_release(struct weir_lb *lb)
{
	if (--lb->references == 0)
		lb_free(lb);
}
