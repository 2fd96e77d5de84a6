// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/build.h"
#include "lib/maglev.h"

enum { MAX_WEIGHT = 256, MAX_TURNS = 65535, GUE_PORT = 6080 };

static int check_pool(const Weir__V1__Pool *message, struct weir_reject *reject)
{
	if (message->n_members > WEIR_MAGLEV_MAX_MEMBERS)
		return weir_refuse(reject, "TOO_MANY_MEMBERS",
				   "pool %s has %zu members, at most %d fit", message->pool_id,
				   message->n_members, WEIR_MAGLEV_MAX_MEMBERS);
	if (message->proxy_protocol_v2)
		return weir_refuse(reject, "UNSUPPORTED_FEATURE", "proxy_protocol_v2: pool %s",
				   message->pool_id);
	if (message->flow_sync)
		return weir_refuse(reject, "UNSUPPORTED_FEATURE", "flow_sync: pool %s",
				   message->pool_id);
	if (message->slow_start_s != 0)
		return weir_refuse(reject, "UNSUPPORTED_FEATURE", "slow_start: pool %s",
				   message->pool_id);
	if (message->on_unhealthy == WEIR__V1__ON_UNHEALTHY__ON_UNHEALTHY_RESET)
		return weir_refuse(reject, "UNSUPPORTED_FEATURE", "on_unhealthy_reset: pool %s",
				   message->pool_id);
	if (message->n_members > 0 && (!weir_maglev_size_valid(message->maglev_table_size) ||
				       message->maglev_table_size < message->n_members))
		return weir_refuse(reject, "INVALID_CONFIG",
				   "maglev_table_size %u of pool %s is not a prime >= its members",
				   message->maglev_table_size, message->pool_id);
	return 0;
}

static int read_algorithm(struct weir_pool *pool, const Weir__V1__Pool *message,
			  struct weir_reject *reject)
{
	switch (message->algorithm) {
	case WEIR__V1__ALGORITHM__ALGORITHM_ROUND_ROBIN:
		pool->algorithm = WEIR_ROUND_ROBIN;
		return 0;
	case WEIR__V1__ALGORITHM__ALGORITHM_WEIGHTED_ROUND_ROBIN:
		pool->algorithm = WEIR_WEIGHTED_ROUND_ROBIN;
		return 0;
	case WEIR__V1__ALGORITHM__ALGORITHM_LEAST_CONNECTIONS:
		pool->algorithm = WEIR_LEAST_CONNECTIONS;
		return 0;
	case WEIR__V1__ALGORITHM__ALGORITHM_WEIGHTED_LEAST_CONNECTIONS:
		pool->algorithm = WEIR_WEIGHTED_LEAST_CONNECTIONS;
		return 0;
	case WEIR__V1__ALGORITHM__ALGORITHM_MAGLEV:
		pool->algorithm = WEIR_MAGLEV;
		return 0;
	case WEIR__V1__ALGORITHM__ALGORITHM_SOURCE_IP_HASH:
		pool->algorithm = WEIR_SOURCE_IP_HASH;
		return 0;
	default:
		return weir_refuse(reject, "UNSUPPORTED_FEATURE", "algorithm %d of pool %s",
				   message->algorithm, message->pool_id);
	}
}

static int read_encapsulation(struct weir_pool *pool, const Weir__V1__Pool *message,
			      struct weir_reject *reject)
{
	switch (message->tunnel_encapsulation) {
	case WEIR__V1__TUNNEL_ENCAPSULATION__TUNNEL_ENCAPSULATION_UNSPECIFIED:
	case WEIR__V1__TUNNEL_ENCAPSULATION__TUNNEL_ENCAPSULATION_IPIP:
		pool->encapsulation = WEIR_ENCAPSULATION_IPIP;
		return 0;
	case WEIR__V1__TUNNEL_ENCAPSULATION__TUNNEL_ENCAPSULATION_GUE:
		pool->encapsulation = WEIR_ENCAPSULATION_GUE;
		if (message->tunnel_port > 65535)
			return weir_refuse(reject, "INVALID_CONFIG", "tunnel port %u of pool %s",
					   message->tunnel_port, message->pool_id);
		pool->tunnel_port = weir_be16(
			message->tunnel_port != 0 ? (uint16_t)message->tunnel_port : GUE_PORT);
		return 0;
	default:
		return weir_refuse(reject, "UNSUPPORTED_FEATURE",
				   "tunnel_encapsulation %d of pool %s",
				   message->tunnel_encapsulation, message->pool_id);
	}
}

static int read_mode(struct weir_pool *pool, const Weir__V1__Pool *message,
		     struct weir_reject *reject)
{
	switch (message->forwarding_mode) {
	case WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_DNAT:
		pool->mode = WEIR_MODE_DNAT;
		return 0;
	case WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_SNAT:
		pool->mode = WEIR_MODE_SNAT;
		return 0;
	case WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_DSR:
		pool->mode = WEIR_MODE_DSR;
		return 0;
	case WEIR__V1__FORWARDING_MODE__FORWARDING_MODE_TUNNEL:
		pool->mode = WEIR_MODE_TUNNEL;
		return read_encapsulation(pool, message, reject);
	default:
		return weir_refuse(reject, "UNSUPPORTED_FEATURE", "forwarding_mode %d of pool %s",
				   message->forwarding_mode, message->pool_id);
	}
}

static int read_port(struct weir_backend *backend, const Weir__V1__Member *member,
		     struct weir_reject *reject)
{
	const Weir__V1__MemberPort *port = member->port;

	backend->port_mapping = WEIR_PORT_KEEP;
	if (port == NULL)
		return 0;
	if (port->mapping_case == WEIR__V1__MEMBER_PORT__MAPPING_FIXED) {
		if (port->fixed < 1 || port->fixed > 65535)
			return weir_refuse(reject, "INVALID_CONFIG", "port %u of member %s",
					   port->fixed, member->member_id);
		backend->port_mapping = WEIR_PORT_FIXED;
		backend->port = (int32_t)port->fixed;
	} else if (port->mapping_case == WEIR__V1__MEMBER_PORT__MAPPING_OFFSET) {
		if (port->offset < -65534 || port->offset > 65534)
			return weir_refuse(reject, "INVALID_CONFIG", "port offset %d of member %s",
					   port->offset, member->member_id);
		backend->port_mapping = WEIR_PORT_OFFSET;
		backend->port = port->offset;
	}
	return 0;
}

static int read_member(struct weir_backend *backend, const struct weir_pool *pool,
		       const Weir__V1__Member *member, struct weir_flow_file *file, uint32_t lb_id,
		       struct weir_reject *reject)
{
	if (weir_copy_id(backend->member_id, member->member_id, "member_id", reject) != 0 ||
	    weir_copy_address(&backend->address, &member->address, "a member's address", reject) !=
		    0 ||
	    read_port(backend, member, reject) != 0)
		return -EINVAL;
	if (member->weight > MAX_WEIGHT)
		return weir_refuse(reject, "INVALID_CONFIG", "weight %u of member %s exceeds %d",
				   member->weight, member->member_id, MAX_WEIGHT);
	// The member gets the client's packet as it is, port included.
	if (!weir_mode_is_nat(pool->mode) && backend->port_mapping != WEIR_PORT_KEEP)
		return weir_refuse(reject, "INVALID_CONFIG",
				   "the port of member %s can't be mapped in this mode",
				   member->member_id);
	backend->weight = member->weight;
	backend->priority = member->priority;
	backend->enabled = member->enabled;
	backend->backend_id = weir_registry_backend(file, lb_id, pool->pool_id, backend->member_id);
	if (backend->backend_id == WEIR_ID_NONE)
		return weir_refuse(reject, "TOO_MANY_MEMBERS",
				   "the engine's %d backends are in use", WEIR_MAX_BACKENDS);
	return 0;
}

static bool takes_flows(const struct weir_backend *backend)
{
	return backend->enabled && backend->weight > 0;
}

// Opens one tier after the other, the lowest priority first, until enough members are healthy.
static void choose_eligible(struct weir_pool *pool, const Weir__V1__Pool *message)
{
	uint32_t wanted = message->minimum_healthy > 0 ? message->minimum_healthy : 1;
	uint32_t healthy = 0;
	int64_t tier = -1;

	while (healthy < wanted) {
		int64_t next = INT64_MAX;

		for (uint32_t i = 0; i < pool->nb_backends; i++) {
			const struct weir_backend *backend = &pool->backends[i];

			if (takes_flows(backend) && backend->priority > tier &&
			    backend->priority < next)
				next = backend->priority;
		}
		if (next == INT64_MAX)
			break;
		tier = next;
		for (uint32_t i = 0; i < pool->nb_backends; i++) {
			struct weir_backend *backend = &pool->backends[i];

			if (!takes_flows(backend) || backend->priority != tier || !backend->healthy)
				continue;
			backend->eligible = true;
			healthy++;
		}
	}
	if (healthy > 0 ||
	    message->when_all_unhealthy ==
		    WEIR__V1__WHEN_ALL_UNHEALTHY__WHEN_ALL_UNHEALTHY_CLOSED ||
	    message->when_all_unhealthy ==
		    WEIR__V1__WHEN_ALL_UNHEALTHY__WHEN_ALL_UNHEALTHY_WITHDRAW_VIP)
		return;
	// Nobody is healthy and the pool fails open: verdicts count for nothing.
	for (uint32_t i = 0; i < pool->nb_backends; i++)
		pool->backends[i].eligible = takes_flows(&pool->backends[i]);
}

static int build_maglev(struct weir_pool *pool)
{
	struct weir_maglev_member *members = calloc(pool->nb_backends, sizeof(*members));
	int ret = -ENOMEM;

	assert(pool->maglev_size >= 2);
	pool->maglev = malloc(pool->maglev_size * sizeof(*pool->maglev));
	if (members == NULL || pool->maglev == NULL)
		goto out;
	for (uint32_t i = 0; i < pool->nb_backends; i++) {
		members[i].id = pool->backends[i].member_id;
		members[i].weight = pool->backends[i].eligible ? pool->backends[i].weight : 0;
	}
	ret = weir_maglev_build(pool->maglev, pool->maglev_size, members, pool->nb_backends);
out:
	free(members);
	return ret;
}

static uint32_t greatest_common_divisor(uint32_t a, uint32_t b)
{
	while (b != 0) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

// A member's kth of n turns stands at (k + 1/2) / n of the round; turns are sorted by place.
struct turn {
	uint32_t numerator;   // 2k + 1
	uint32_t denominator; // 2n
	uint16_t index;
};

static int compare_turns(const void *left, const void *right)
{
	const struct turn *a = left;
	const struct turn *b = right;
	uint64_t x = (uint64_t)a->numerator * b->denominator;
	uint64_t y = (uint64_t)b->numerator * a->denominator;

	if (x != y)
		return x < y ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

static int build_turns(struct weir_pool *pool)
{
	bool weighted = pool->algorithm == WEIR_WEIGHTED_ROUND_ROBIN;
	uint32_t divisor = 0;
	uint32_t sum = 0;
	uint32_t nb = 0;

	for (uint32_t i = 0; i < pool->nb_eligible; i++) {
		uint32_t weight = weighted ? pool->backends[pool->eligible[i]].weight : 1;

		divisor = greatest_common_divisor(divisor, weight);
		sum += weight;
	}
	if (sum == 0)
		return 0;
	// Pools of very many members give up precision of weights, never a member.
	while (sum / divisor > MAX_TURNS)
		divisor++;
	uint32_t room = sum / divisor + pool->nb_eligible;
	struct turn *turns = calloc(room, sizeof(*turns));
	pool->turns = calloc(room, sizeof(*pool->turns));
	if (turns == NULL || pool->turns == NULL) {
		free(turns);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < pool->nb_eligible; i++) {
		uint32_t weight = weighted ? pool->backends[pool->eligible[i]].weight : 1;
		uint32_t n = weight / divisor > 0 ? weight / divisor : 1;

		for (uint32_t k = 0; k < n; k++)
			turns[nb++] = (struct turn){2 * k + 1, 2 * n, pool->eligible[i]};
	}
	qsort(turns, nb, sizeof(*turns), compare_turns);
	for (uint32_t i = 0; i < nb; i++)
		pool->turns[i] = turns[i].index;
	pool->nb_turns = nb;
	free(turns);
	return 0;
}

static int build_tables(struct weir_pool *pool, uint32_t nb_workers)
{
	pool->eligible = calloc(pool->nb_backends, sizeof(*pool->eligible));
	pool->cursors = aligned_alloc(64, nb_workers * sizeof(*pool->cursors));
	if (pool->eligible == NULL || pool->cursors == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < pool->nb_backends; i++)
		if (pool->backends[i].eligible)
			pool->eligible[pool->nb_eligible++] = (uint16_t)i;
	if (build_maglev(pool) != 0 || build_turns(pool) != 0)
		return -ENOMEM;
	// Workers and nodes begin at different members, so that short runs spread too.
	for (uint32_t w = 0; w < nb_workers; w++)
		pool->cursors[w].next =
			pool->nb_turns > 0 ? (uint32_t)random() % pool->nb_turns : 0;
	return 0;
}

int weir_pool_build(struct weir_pool *pool, const Weir__V1__Pool *message,
		    struct weir_flow_file *file, uint32_t lb_id, char *const *unhealthy,
		    uint32_t nb_unhealthy, struct weir_reject *reject)
{
	if (weir_copy_id(pool->pool_id, message->pool_id, "pool_id", reject) != 0 ||
	    check_pool(message, reject) != 0 || read_algorithm(pool, message, reject) != 0 ||
	    read_mode(pool, message, reject) != 0)
		return -EINVAL;
	pool->drain_timeout_s = message->drain_timeout_s;
	pool->maglev_size = message->n_members > 0 ? message->maglev_table_size : 0;
	if (message->n_members == 0)
		return 0;
	pool->backends = calloc(message->n_members, sizeof(*pool->backends));
	if (pool->backends == NULL)
		return -ENOMEM;
	pool->nb_backends = (uint32_t)message->n_members;
	for (uint32_t i = 0; i < pool->nb_backends; i++) {
		struct weir_backend *backend = &pool->backends[i];

		if (read_member(backend, pool, message->members[i], file, lb_id, reject) != 0)
			return -EINVAL;
		backend->healthy = true;
		for (uint32_t u = 0; u < nb_unhealthy; u++)
			if (strcmp(unhealthy[u], backend->member_id) == 0)
				backend->healthy = false;
	}
	choose_eligible(pool, message);
	return build_tables(pool, file->header->nb_workers);
}

void weir_pool_destroy(struct weir_pool *pool)
{
	free(pool->backends);
	free(pool->maglev);
	free(pool->turns);
	free(pool->eligible);
	free(pool->cursors);
}
