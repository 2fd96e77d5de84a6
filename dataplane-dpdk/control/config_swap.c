// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/control.h"
#include "main/log.h"

static void config_free(struct weir_config *config)
{
	if (config == NULL)
		return;
	for (uint32_t i = 0; i < config->nb_lbs; i++)
		weir_lb_release(config->lbs[i]);
	if (config->node != NULL)
		weir_node_release(config->node);
	free(config->lbs);
	free(config->vips);
	free(config->reverses);
	free(config);
}

static struct weir_vip_slot *vip_slot(struct weir_config *config,
				      const struct weir_address *address)
{
	uint32_t at = weir_address_hash(address) & config->vip_mask;

	while (!weir_address_is_none(&config->vips[at].address) &&
	       !weir_address_equal(&config->vips[at].address, address))
		at = (at + 1) & config->vip_mask;
	return &config->vips[at];
}

static uint64_t claim_of(const struct weir_lb *lb, const struct weir_address *address)
{
	for (uint32_t i = 0; i < lb->nb_vips; i++)
		if (weir_address_equal(&lb->vips[i].address, address))
			return lb->vips[i].claim_sequence;
	return 0;
}

// The highest claim serves a VIP; of equal ones the load balancer with the greater id, so that
// the order of arrival does not matter.
static void claim_vips(struct weir_config *config, const struct weir_lb *lb)
{
	for (uint32_t i = 0; i < lb->nb_vips; i++) {
		struct weir_vip_slot *slot = vip_slot(config, &lb->vips[i].address);
		const struct weir_lb *holder = slot->lb;

		if (holder != NULL) {
			uint64_t held = claim_of(holder, &lb->vips[i].address);

			if (held > lb->vips[i].claim_sequence ||
			    (held == lb->vips[i].claim_sequence && strcmp(holder->id, lb->id) > 0))
				continue;
		}
		slot->address = lb->vips[i].address;
		slot->lb = lb;
	}
}

// VIPs that nobody serves any more, though flows to them may still drain.
static void know_vips(struct weir_config *config, const struct weir_lb *lb)
{
	for (uint32_t v = 0; v < lb->nb_vips; v++)
		vip_slot(config, &lb->vips[v].address)->address = lb->vips[v].address;
}

static int build_vips(struct weir_config *config, const struct weir_control *control)
{
	uint32_t nb = 0;
	uint32_t slots = 16;

	for (uint32_t i = 0; i < config->nb_lbs; i++)
		nb += config->lbs[i]->nb_vips;
	for (uint32_t i = 0; i < control->nb_retired; i++)
		nb += control->retired[i].lb->nb_vips;
	while (slots < nb * 2)
		slots *= 2;
	config->vips = calloc(slots, sizeof(*config->vips));
	if (config->vips == NULL)
		return -ENOMEM;
	config->vip_mask = slots - 1;
	for (uint32_t i = 0; i < config->nb_lbs; i++) {
		if (config->lbs[i]->enabled)
			claim_vips(config, config->lbs[i]);
		else
			know_vips(config, config->lbs[i]);
	}
	for (uint32_t i = 0; i < control->nb_retired; i++)
		know_vips(config, control->retired[i].lb);
	return 0;
}

static uint32_t count_reverses(const struct weir_lb *lb)
{
	uint32_t nb = 0;

	for (uint32_t i = 0; i < lb->nb_listeners; i++)
		nb += lb->listeners[i].nb_ranges * lb->listeners[i].pool->nb_backends * lb->nb_vips;
	return nb;
}

static void add_reverse(struct weir_config *config, const struct weir_listener *listener,
			uint32_t backend_index, const struct weir_address *vip, uint32_t order)
{
	const struct weir_backend *backend = &listener->pool->backends[backend_index];

	// Addresses are translated within a family.
	if (weir_family_of(&backend->address) != weir_family_of(vip))
		return;
	for (uint32_t r = 0; r < listener->nb_ranges; r++) {
		uint16_t first = listener->ranges[r].first;
		int32_t member_first = weir_backend_port(backend, first);
		int32_t span = listener->ranges[r].last - first;

		// Several VIP ports behind one member port have no unique way back.
		if (backend->port_mapping == WEIR_PORT_FIXED && span > 0)
			continue;
		config->reverses[config->nb_reverses++] = (struct weir_reverse){
			.member_address = backend->address,
			.first = (uint16_t)member_first,
			.last = (uint16_t)(member_first + span),
			.offset = member_first - first,
			.vip_address = *vip,
			.protocol = listener->protocol,
			.binding_id = listener->binding_ids[backend_index],
			.lb_id = listener->lb->lb_id,
			.order = order,
		};
	}
}

// Members of weight 0, disabled or unhealthy ones too: their flows go on.
static void add_reverses(struct weir_config *config, const struct weir_lb *lb, uint32_t order)
{
	for (uint32_t l = 0; l < lb->nb_listeners; l++) {
		const struct weir_listener *listener = &lb->listeners[l];

		if (listener->pool->mode != WEIR_MODE_DNAT)
			continue;
		for (uint32_t b = 0; b < listener->pool->nb_backends; b++)
			for (uint32_t v = 0; v < lb->nb_vips; v++)
				add_reverse(config, listener, b, &lb->vips[v].address, order);
	}
}

static int compare_reverses(const void *left, const void *right)
{
	const struct weir_reverse *a = left;
	const struct weir_reverse *b = right;

	int by_address = memcmp(&a->member_address, &b->member_address, sizeof(a->member_address));

	if (by_address != 0)
		return by_address;
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

static int build_reverses(struct weir_config *config, const struct weir_control *control)
{
	uint32_t nb = 0;

	for (uint32_t i = 0; i < config->nb_lbs; i++)
		nb += count_reverses(config->lbs[i]);
	for (uint32_t i = 0; i < control->nb_retired; i++)
		nb += count_reverses(control->retired[i].lb);
	config->reverses = calloc(nb > 0 ? nb : 1, sizeof(*config->reverses));
	if (config->reverses == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < config->nb_lbs; i++)
		add_reverses(config, config->lbs[i], config->lbs[i]->enabled ? 0 : 1);
	// Of several retired ones the newest, which is the last, answers.
	for (uint32_t i = 0; i < control->nb_retired; i++)
		add_reverses(config, control->retired[i].lb, 2 + control->nb_retired - i);
	if (config->nb_reverses > 1)
		qsort(config->reverses, config->nb_reverses, sizeof(*config->reverses),
		      compare_reverses);
	return 0;
}

static struct weir_config *config_build(struct weir_control *control)
{
	struct weir_config *config = calloc(1, sizeof(*config));

	if (config == NULL)
		return NULL;
	config->lbs = calloc(control->nb_lbs > 0 ? control->nb_lbs : 1, sizeof(*config->lbs));
	if (config->lbs == NULL)
		goto err;
	for (uint32_t i = 0; i < control->nb_lbs; i++) {
		control->lbs[i]->references++;
		config->lbs[config->nb_lbs++] = control->lbs[i];
	}
	if (control->node != NULL) {
		control->node->references++;
		config->node = control->node;
	}
	if (build_vips(config, control) != 0 || build_reverses(config, control) != 0)
		goto err;
	return config;
err:
	config_free(config);
	return NULL;
}

static void mark_used(const struct weir_lb *lb, uint8_t *backends, uint8_t *bindings)
{
	for (uint32_t p = 0; p < lb->nb_pools; p++)
		for (uint32_t b = 0; b < lb->pools[p].nb_backends; b++)
			backends[lb->pools[p].backends[b].backend_id] = 1;
	for (uint32_t l = 0; l < lb->nb_listeners; l++)
		for (uint32_t b = 0; b < lb->listeners[l].pool->nb_backends; b++)
			bindings[lb->listeners[l].binding_ids[b]] = 1;
}

static void set_released(uint32_t *released_at, bool used, uint32_t now)
{
	if (used)
		*released_at = 0;
	else if (*released_at == 0)
		*released_at = now;
}

// Tells the registry which ids no configuration names any more.
static void release_ids(struct weir_control *control)
{
	struct weir_flow_file *file = &control->engine->file;
	uint8_t *lbs = calloc(1, WEIR_MAX_LBS + WEIR_MAX_BACKENDS + WEIR_MAX_BINDINGS);
	uint32_t now = weir_tick_now();

	if (lbs == NULL)
		return; // ids stay taken, which is safe
	uint8_t *backends = lbs + WEIR_MAX_LBS;
	uint8_t *bindings = backends + WEIR_MAX_BACKENDS;
	for (uint32_t i = 0; i < control->nb_lbs; i++) {
		lbs[control->lbs[i]->lb_id] = 1;
		mark_used(control->lbs[i], backends, bindings);
	}
	for (uint32_t i = 0; i < control->nb_retired; i++)
		mark_used(control->retired[i].lb, backends, bindings);
	for (uint32_t id = 1; id < file->header->nb_lbs; id++)
		if (file->lbs[id].used)
			set_released(&file->lbs[id].released_at, lbs[id], now);
	for (uint32_t id = 0; id < file->header->nb_backends; id++)
		if (file->backends[id].used)
			set_released(&file->backends[id].released_at, backends[id], now);
	for (uint32_t id = 0; id < file->header->nb_bindings; id++)
		if (file->bindings[id].used)
			set_released(&file->bindings[id].released_at, bindings[id], now);
	free(lbs);
}

void weir_config_wait(struct weir_engine *engine)
{
	const struct timespec pause = {.tv_nsec = 20000};
	uint64_t token = rte_rcu_qsbr_start(engine->qsbr);

	// A worker may sleep for a while; spinning would take its core when cores are shared.
	while (rte_rcu_qsbr_check(engine->qsbr, token, false) == 0)
		nanosleep(&pause, NULL);
}

// Points the bindings of limited listeners to their limits.
static void bind_limits(const struct weir_engine *engine, const struct weir_config *config,
			uint64_t number)
{
	uint32_t nodes = config->node != NULL ? config->node->nb_live_nodes : 1;

	for (uint32_t i = 0; engine->limits_of != NULL && i < config->nb_lbs; i++) {
		for (uint32_t l = 0; l < config->lbs[i]->nb_listeners; l++) {
			const struct weir_listener *listener = &config->lbs[i]->listeners[l];

			if (listener->limits == NULL)
				continue;
			listener->limits->bound_in = number;
			weir_limits_set(listener->limits, &listener->bounds, nodes > 0 ? nodes : 1);
			for (uint32_t b = 0; b < listener->pool->nb_backends; b++)
				atomic_store_explicit(&engine->limits_of[listener->binding_ids[b]],
						      listener->limits, memory_order_release);
		}
	}
}

// Limits that are in the configuration no more let go of their bindings.
static void unbind_limits(const struct weir_engine *engine, uint64_t number)
{
	uint32_t nb = engine->limits_of != NULL ? engine->file.header->nb_bindings : 0;

	for (uint32_t id = 0; id < nb; id++) {
		struct weir_limits *limits =
			atomic_load_explicit(&engine->limits_of[id], memory_order_relaxed);

		if (limits != NULL && limits->bound_in != number)
			atomic_store_explicit(&engine->limits_of[id], NULL, memory_order_release);
	}
}

int weir_config_publish(struct weir_control *control)
{
	struct weir_engine *engine = control->engine;
	struct weir_config *config = config_build(control);

	if (config == NULL)
		return -ENOMEM;
	bind_limits(engine, config, ++control->config_number);
	unbind_limits(engine, control->config_number);
	struct weir_config *old = atomic_exchange(&engine->config, config);
	weir_config_wait(engine);
	config_free(old);
	release_ids(control);
	return 0;
}
