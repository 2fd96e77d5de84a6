// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/build.h"
#include "lib/flow_hash.h"
#include "lib/maglev.h"

enum { MAX_WEIGHT = 256, GUE_PORT = 6080 };

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

// Shares rise in steps of a tenth, at times that are multiples of a ninth of the slow start: all
// nodes step at the same moments, and the last step comes before the slow start is over.
static uint32_t percent_of(uint32_t slow_start_s, int64_t since_us, int64_t now_us,
			   int64_t *next_us)
{
	enum { STEPS = 9 };
	int64_t quantum = (int64_t)slow_start_s * 1000000 / STEPS;

	if (quantum == 0 || since_us <= 0)
		return 100;
	int64_t passed = since_us < now_us ? now_us / quantum - since_us / quantum : 0;
	if (passed >= STEPS)
		return 100;
	int64_t next = (now_us / quantum + 1) * quantum;
	if (next < *next_us)
		*next_us = next;
	return (uint32_t)(passed + 1) * 10;
}

static void read_verdict(struct weir_pool *pool, struct weir_backend *backend,
			 const Weir__V1__Pool *message, const Weir__V1__Member *member,
			 const struct weir_lb_input *input)
{
	int64_t since = member->serving_since_us;

	backend->healthy = true;
	for (uint32_t u = 0; u < input->nb_unhealthy; u++)
		if (strcmp(input->unhealthy[u], backend->member_id) == 0)
			backend->healthy = false;
	for (uint32_t r = 0; r < input->nb_recovered; r++)
		if (strcmp(input->recovered[r].member_id, backend->member_id) == 0 &&
		    input->recovered[r].since_us > since)
			since = input->recovered[r].since_us;
	backend->percent =
		percent_of(message->slow_start_s, since, input->now_us, &pool->next_step_us);
}

static const struct weir_pool *find_pool(const struct weir_lb *lb, const char *pool_id)
{
	for (uint32_t i = 0; lb != NULL && i < lb->nb_pools; i++)
		if (strcmp(lb->pools[i].pool_id, pool_id) == 0)
			return &lb->pools[i];
	return NULL;
}

uint32_t weir_pool_find(const struct weir_pool *pool, uint32_t backend_id, uint32_t hint)
{
	if (hint < pool->nb_backends && pool->backends[hint].backend_id == backend_id)
		return hint;
	for (uint32_t i = 0; i < pool->nb_backends; i++)
		if (pool->backends[i].backend_id == backend_id)
			return i;
	return UINT32_MAX;
}

// Members that left the configuration stay while their flows drain: for replies, for packets in
// mid-flow, and to be reported.
static int keep_removed(struct weir_pool *pool, const struct weir_pool *old,
			const struct weir_flow_file *file, int64_t now_us)
{
	uint32_t configured = pool->nb_backends;

	for (uint32_t i = 0; old != NULL && i < old->nb_backends; i++) {
		const struct weir_backend *before = &old->backends[i];
		bool served = before->enabled && before->weight > 0 && old->drain_timeout_s > 0;

		if (!served && file->backends[before->backend_id].drain_deadline_us <= now_us)
			continue;
		if (pool->nb_backends >= UINT16_MAX - 1 ||
		    weir_pool_find(pool, before->backend_id, i) != UINT32_MAX)
			continue;
		struct weir_backend *grown =
			realloc(pool->backends, (pool->nb_backends + 1) * sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		pool->backends = grown;
		pool->backends[pool->nb_backends] = *before;
		pool->backends[pool->nb_backends].enabled = false;
		pool->backends[pool->nb_backends].eligible = false;
		pool->backends[pool->nb_backends++].removed = true;
	}
	pool->nb_configured = configured;
	return 0;
}

static uint64_t key_of(const struct weir_pool *pool, const struct weir_lb *lb)
{
	return weir_xxh64(pool->pool_id, strlen(pool->pool_id),
			  weir_xxh64(lb->id, strlen(lb->id), 0));
}

int weir_pool_build(struct weir_pool *pool, const struct weir_lb *lb, const Weir__V1__Pool *message,
		    struct weir_flow_file *file, const struct weir_lb_input *input,
		    struct weir_reject *reject)
{
	if (weir_copy_id(pool->pool_id, message->pool_id, "pool_id", reject) != 0 ||
	    check_pool(message, reject) != 0 || read_algorithm(pool, message, reject) != 0 ||
	    read_mode(pool, message, reject) != 0)
		return -EINVAL;
	pool->key = key_of(pool, lb);
	pool->drain_timeout_s = message->drain_timeout_s;
	pool->reset_unhealthy = message->on_unhealthy == WEIR__V1__ON_UNHEALTHY__ON_UNHEALTHY_RESET;
	pool->next_step_us = INT64_MAX;
	pool->backends = calloc(message->n_members + 1, sizeof(*pool->backends));
	if (pool->backends == NULL)
		return -ENOMEM;
	pool->nb_backends = (uint32_t)message->n_members;
	for (uint32_t i = 0; i < pool->nb_backends; i++) {
		if (read_member(&pool->backends[i], pool, message->members[i], file, lb->lb_id,
				reject) != 0)
			return -EINVAL;
		read_verdict(pool, &pool->backends[i], message, message->members[i], input);
	}
	const struct weir_pool *old = find_pool(input->old, pool->pool_id);
	if (keep_removed(pool, old, file, input->now_us) != 0)
		return -ENOMEM;
	return weir_serving_build(pool, message, old, file, input->now_us);
}

void weir_pool_destroy(struct weir_pool *pool)
{
	weir_serving_destroy(pool);
	free(pool->backends);
}
