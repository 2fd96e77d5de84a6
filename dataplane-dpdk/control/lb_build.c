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
		      struct weir_flow_file *file, const struct weir_lb_input *input,
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
		ret = weir_pool_build(&lb->pools[i], lb, message->pools[i], file, input, reject);
	}
	for (size_t i = 0; ret == 0 && i < message->n_listeners; i++) {
		lb->nb_listeners++;
		ret = weir_listener_build(lb, &lb->listeners[i], message->listeners[i], file, input,
					  reject);
	}
	if (ret == 0)
		ret = map_ports(lb, WEIR_IP_TCP, &lb->tcp, reject);
	if (ret == 0)
		ret = map_ports(lb, WEIR_IP_UDP, &lb->udp, reject);
	return ret;
}

static int read_verdicts(struct weir_lb *lb, const struct weir_lb_input *input)
{
	lb->unhealthy = calloc(input->nb_unhealthy + 1, sizeof(*lb->unhealthy));
	lb->recovered = calloc(input->nb_recovered + 1, sizeof(*lb->recovered));
	if (lb->unhealthy == NULL || lb->recovered == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < input->nb_unhealthy; i++)
		if (strlen(input->unhealthy[i]) < WEIR_ID_SIZE)
			strcpy(lb->unhealthy[lb->nb_unhealthy++], input->unhealthy[i]);
	for (uint32_t i = 0; i < input->nb_recovered; i++)
		lb->recovered[lb->nb_recovered++] = input->recovered[i];
	return 0;
}

static int read_head(struct weir_lb *lb, const Weir__V1__LoadBalancerConfig *message,
		     struct weir_flow_file *file, const struct weir_lb_input *input,
		     struct weir_reject *reject)
{
	struct weir_bytes raw = input->raw;

	if (check_features(message, reject) != 0 ||
	    weir_copy_id(lb->id, message->load_balancer_id, "load_balancer_id", reject) != 0 ||
	    weir_copy_id(lb->project_id, message->project_id, "project_id", reject) != 0)
		return -EINVAL;
	lb->epoch = input->epoch;
	lb->sequence = input->sequence;
	lb->generation = message->generation;
	lb->enabled = message->enabled;
	lb->raw = malloc(raw.length > 0 ? raw.length : 1);
	if (lb->raw == NULL || read_verdicts(lb, input) != 0)
		return -ENOMEM;
	memcpy(lb->raw, raw.data, raw.length);
	lb->raw_length = (uint32_t)raw.length;
	weir_sha256(raw.data, raw.length, lb->config_sha256);
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
	for (uint32_t i = 0; i < lb->nb_listeners; i++)
		weir_listener_destroy(&lb->listeners[i]);
	free(lb->tcp.entries);
	free(lb->udp.entries);
	free(lb->pools);
	free(lb->listeners);
	free(lb->vips);
	free(lb->raw);
	free(lb->unhealthy);
	free(lb->recovered);
	free(lb);
}

int weir_lb_build(struct weir_flow_file *file, const struct weir_lb_input *input,
		  struct weir_lb **out, struct weir_reject *reject)
{
	Weir__V1__LoadBalancerConfig *message =
		weir__v1__load_balancer_config__unpack(NULL, input->raw.length, input->raw.data);
	struct weir_lb *lb = calloc(1, sizeof(*lb));
	int ret = -ENOMEM;

	if (message == NULL) {
		ret = weir_refuse(reject, "INVALID_CONFIG", "the configuration can't be decoded");
		goto err;
	}
	if (lb == NULL)
		goto err;
	lb->references = 1; // the caller's
	ret = read_head(lb, message, file, input, reject);
	if (ret == 0)
		ret = read_parts(lb, message, file, input, reject);
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
