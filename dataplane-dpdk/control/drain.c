// SPDX-License-Identifier: Apache-2.0
//
// Flows that lost their place: their member takes no new flows by an operator's wish or is gone,
// their listener or load balancer is gone or disabled, their VIP is detached. They go on until the
// pool's drain timeout, then a purge removes their entries. See docs/drain.md.

#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "main/log.h"

enum { IDLE_CHECK_US = 100000 };

// Of rules that are not about a VIP.
static const struct weir_address no_vip;

static const struct weir_backend *find_backend(const struct weir_lb *lb, uint32_t backend_id)
{
	for (uint32_t p = 0; lb != NULL && p < lb->nb_pools; p++)
		for (uint32_t b = 0; b < lb->pools[p].nb_backends; b++)
			if (lb->pools[p].backends[b].backend_id == backend_id)
				return &lb->pools[p].backends[b];
	return NULL;
}

static const struct weir_listener *find_listener(const struct weir_lb *lb, const char *id)
{
	for (uint32_t i = 0; lb != NULL && i < lb->nb_listeners; i++)
		if (strcmp(lb->listeners[i].listener_id, id) == 0)
			return &lb->listeners[i];
	return NULL;
}

static bool has_vip(const struct weir_lb *lb, const struct weir_address *address)
{
	for (uint32_t i = 0; lb != NULL && i < lb->nb_vips; i++)
		if (weir_address_equal(&lb->vips[i].address, address))
			return true;
	return false;
}

static bool serves(const struct weir_lb *lb, const struct weir_backend *backend)
{
	return lb != NULL && lb->enabled && backend != NULL && backend->enabled &&
	       backend->weight > 0;
}

static struct weir_purge_rule *find_rule(struct weir_control *control, enum weir_purge_kind kind,
					 uint32_t id, const struct weir_address *vip)
{
	for (uint32_t i = 0; i < control->nb_rules; i++)
		if (control->rules[i].kind == kind && control->rules[i].id == id &&
		    weir_address_equal(&control->rules[i].vip, vip))
			return &control->rules[i];
	return NULL;
}

static void set_deadline_record(struct weir_control *control, const struct weir_purge_rule *rule,
				int64_t deadline_us)
{
	// Kept with the flows: the deadline of a drain outlives the process as they do.
	if (rule->kind == WEIR_PURGE_BACKEND)
		control->engine->file.backends[rule->id].drain_deadline_us = deadline_us;
}

static uint32_t rule_lb(const struct weir_control *control, const struct weir_purge_rule *rule)
{
	return rule->kind == WEIR_PURGE_BINDING ? control->engine->file.bindings[rule->id].lb_id
						: rule->id;
}

static void add_rule(struct weir_control *control, enum weir_purge_kind kind, uint32_t id,
		     const struct weir_address *vip, int64_t deadline_us)
{
	if (find_rule(control, kind, id, vip) != NULL)
		return; // draining already: its deadline stays
	struct weir_purge_rule *grown =
		realloc(control->rules, (control->nb_rules + 1) * sizeof(*control->rules));
	if (grown == NULL) {
		weir_error("no memory to drain: flows stay until they end");
		return;
	}
	control->rules = grown;
	control->rules[control->nb_rules++] = (struct weir_purge_rule){
		.kind = kind, .id = id, .vip = *vip, .deadline_us = deadline_us};
	const struct weir_purge_rule *rule = &control->rules[control->nb_rules - 1];
	set_deadline_record(control, rule, deadline_us);
	if (kind != WEIR_PURGE_BACKEND)
		weir_draining_hold(control, rule_lb(control, rule), deadline_us);
	control->next_idle_check_us = 0;
}

static void remove_rule(struct weir_control *control, struct weir_purge_rule *rule)
{
	if (rule == NULL)
		return;
	set_deadline_record(control, rule, 0);
	if (rule->kind != WEIR_PURGE_BACKEND)
		weir_draining_release(control, rule_lb(control, rule));
	*rule = control->rules[--control->nb_rules];
}

// Its pool wishes that flows of a member end when the member turns unhealthy.
static bool turns_unhealthy(const struct weir_backend *before, const struct weir_lb *new,
			    uint32_t id)
{
	for (uint32_t p = 0; before->healthy && new != NULL &&p < new->nb_pools; p++) {
		uint32_t at = new->pools[p].reset_unhealthy
				      ? weir_pool_find(&new->pools[p], id, UINT32_MAX)
				      : UINT32_MAX;

		if (at != UINT32_MAX)
			return !new->pools[p].backends[at].healthy;
	}
	return false;
}

static void drain_backends(struct weir_control *control, const struct weir_lb *old,
			   const struct weir_lb *new, int64_t now)
{
	for (uint32_t p = 0; p < old->nb_pools; p++) {
		const struct weir_pool *pool = &old->pools[p];

		for (uint32_t b = 0; b < pool->nb_backends; b++) {
			uint32_t id = pool->backends[b].backend_id;
			bool served = serves(old, &pool->backends[b]);

			if (served && !serves(new, find_backend(new, id)))
				add_rule(control, WEIR_PURGE_BACKEND, id, &no_vip,
					 now + (int64_t)pool->drain_timeout_s * 1000000);
			if (served && turns_unhealthy(&pool->backends[b], new, id))
				add_rule(control, WEIR_PURGE_BACKEND, id, &no_vip, now);
		}
	}
}

static void drain_listeners(struct weir_control *control, const struct weir_lb *old,
			    const struct weir_lb *new, int64_t now)
{
	for (uint32_t l = 0; l < old->nb_listeners; l++) {
		const struct weir_listener *listener = &old->listeners[l];
		const struct weir_listener *next = find_listener(new, listener->listener_id);

		if (!listener->enabled || (next != NULL && next->enabled))
			continue;
		for (uint32_t b = 0; b < listener->pool->nb_backends; b++)
			add_rule(control, WEIR_PURGE_BINDING, listener->binding_ids[b], &no_vip,
				 now + (int64_t)listener->pool->drain_timeout_s * 1000000);
	}
}

static uint32_t longest_drain_s(const struct weir_lb *lb)
{
	uint32_t longest = 0;

	for (uint32_t p = 0; p < lb->nb_pools; p++)
		if (lb->pools[p].drain_timeout_s > longest)
			longest = lb->pools[p].drain_timeout_s;
	return longest;
}

// What `lb` serves again is no longer draining.
static void undo_rules(struct weir_control *control, const struct weir_lb *lb)
{
	for (uint32_t p = 0; p < lb->nb_pools; p++)
		for (uint32_t b = 0; b < lb->pools[p].nb_backends; b++)
			if (serves(lb, &lb->pools[p].backends[b]))
				remove_rule(control, find_rule(control, WEIR_PURGE_BACKEND,
							       lb->pools[p].backends[b].backend_id,
							       &no_vip));
	for (uint32_t l = 0; l < lb->nb_listeners; l++)
		for (uint32_t b = 0;
		     lb->listeners[l].enabled && b < lb->listeners[l].pool->nb_backends; b++)
			remove_rule(control, find_rule(control, WEIR_PURGE_BINDING,
						       lb->listeners[l].binding_ids[b], &no_vip));
	for (uint32_t v = 0; lb->enabled && v < lb->nb_vips; v++)
		remove_rule(control,
			    find_rule(control, WEIR_PURGE_VIP, lb->lb_id, &lb->vips[v].address));
}

// Does any mapping of `old` go missing in `new`?
static bool loses_reverse(const struct weir_lb *old, const struct weir_lb *new)
{
	if (new == NULL)
		return true;
	for (uint32_t v = 0; v < old->nb_vips; v++)
		if (!has_vip(new, &old->vips[v].address))
			return true;
	for (uint32_t l = 0; l < old->nb_listeners; l++)
		if (find_listener(new, old->listeners[l].listener_id) == NULL)
			return true;
	for (uint32_t p = 0; p < old->nb_pools; p++)
		for (uint32_t b = 0; b < old->pools[p].nb_backends; b++)
			if (!old->pools[p].backends[b].removed &&
			    find_backend(new, old->pools[p].backends[b].backend_id) == NULL)
				return true;
	return false;
}

static void retire(struct weir_control *control, struct weir_lb *lb, int64_t replaced_us,
		   int64_t deadline_us)
{
	struct weir_retired *grown =
		realloc(control->retired, (control->nb_retired + 1) * sizeof(*control->retired));

	if (grown == NULL)
		return;
	control->retired = grown;
	lb->references++;
	control->retired[control->nb_retired++] = (struct weir_retired){
		.lb = lb, .replaced_us = replaced_us, .deadline_us = deadline_us};
	if (!control->loading)
		weir_store_retired(control, &control->retired[control->nb_retired - 1]);
}

// Flows of `old` that lost their listener, their VIP or all of it at `replaced_us`. It is kept for
// their replies, and for what must be known of them after a restart.
static void drain_lost(struct weir_control *control, struct weir_lb *old, const struct weir_lb *new,
		       int64_t replaced_us)
{
	int64_t deadline = replaced_us + (int64_t)longest_drain_s(old) * 1000000;
	uint64_t before = control->last_drain_id;
	bool disabled = old->enabled && (new == NULL || !new->enabled);

	drain_listeners(control, old, new, replaced_us);
	for (uint32_t v = 0; v < old->nb_vips; v++)
		if (!has_vip(new, &old->vips[v].address) || disabled)
			add_rule(control, WEIR_PURGE_VIP, old->lb_id, &old->vips[v].address,
				 deadline);
	bool lost = control->last_drain_id != before;
	if ((lost || loses_reverse(old, new)) && deadline > replaced_us)
		retire(control, old, replaced_us, deadline);
}

void weir_drain_replaced(struct weir_control *control, struct weir_lb *old,
			 const struct weir_lb *new)
{
	int64_t now = weir_unix_us();

	if (new != NULL)
		undo_rules(control, new);
	if (old == NULL)
		return;
	drain_backends(control, old, new, now);
	drain_lost(control, old, new, now);
}

void weir_drain_restored(struct weir_control *control, struct weir_lb *old, int64_t replaced_us)
{
	drain_lost(control, old, weir_find_lb(control, old->id), replaced_us);
}

static void mark_served(const struct weir_lb *lb, uint8_t *served)
{
	for (uint32_t p = 0; p < lb->nb_pools; p++)
		for (uint32_t b = 0; b < lb->pools[p].nb_backends; b++)
			if (serves(lb, &lb->pools[p].backends[b]))
				served[lb->pools[p].backends[b].backend_id] = 1;
}

void weir_drain_recovered(struct weir_control *control)
{
	const struct weir_flow_file *file = &control->engine->file;
	uint8_t *served = calloc(1, WEIR_MAX_BACKENDS);

	if (served == NULL) {
		weir_error("no memory to drain: flows of members that left stay until they end");
		return;
	}
	for (uint32_t i = 0; i < control->nb_lbs; i++)
		mark_served(control->lbs[i], served);
	for (uint32_t id = 0; id < file->header->nb_backends; id++) {
		const struct weir_backend_record *record = &file->backends[id];

		if (!record->used || served[id] || weir_backend_active(file, id) == 0)
			continue;
		int64_t deadline = record->drain_deadline_us;
		add_rule(control, WEIR_PURGE_BACKEND, id, &no_vip,
			 deadline != 0 ? deadline : weir_unix_us());
	}
	free(served);
}

// The drain that `rule` stands for is over.
static void end_rule(struct weir_control *control, struct weir_purge_rule *rule)
{
	const struct weir_flow_file *file = &control->engine->file;

	for (uint32_t i = 0; rule->kind == WEIR_PURGE_BACKEND && i < control->nb_lbs; i++)
		if (control->lbs[i]->lb_id == file->backends[rule->id].lb_id)
			control->lbs[i]->drained = true;
	remove_rule(control, rule);
}

// Load balancers keep members that left, and second chances, only while those drain.
static void rebuild_drained(struct weir_control *control)
{
	bool changed = false;

	for (uint32_t i = 0; i < control->nb_lbs; i++) {
		if (!control->lbs[i]->drained)
			continue;
		control->lbs[i]->drained = false;
		changed = weir_rebuild_lb(control, control->lbs[i]) == 0 || changed;
	}
	if (changed)
		weir_config_publish(control);
}

static void purge_due(struct weir_control *control, int64_t now)
{
	struct weir_purge *purge = weir_purge_of_rules(control, now);

	if (purge == NULL)
		return; // tried again at the next maintenance
	for (uint32_t i = control->nb_rules; i-- > 0;)
		if (control->rules[i].deadline_us <= now)
			end_rule(control, &control->rules[i]);
	rebuild_drained(control); // before its flows go: none comes any more
	weir_purge_start(control, purge);
}

static bool forget_retired(struct weir_control *control, int64_t now)
{
	bool changed = false;

	for (uint32_t i = control->nb_retired; i-- > 0;) {
		if (control->retired[i].deadline_us > now)
			continue;
		weir_lb_release(control->retired[i].lb);
		memmove(&control->retired[i], &control->retired[i + 1],
			(control->nb_retired - i - 1) * sizeof(*control->retired));
		control->nb_retired--;
		changed = true;
	}
	return changed;
}

// What holds no active flow any more needs no deadline.
static void finish_early(struct weir_control *control, int64_t now)
{
	if (now < control->next_idle_check_us)
		return;
	control->next_idle_check_us = now + IDLE_CHECK_US;
	uint8_t *active = calloc(1, control->nb_rules + 1);
	if (active == NULL || weir_drain_mark_active(control, active, now) != 0) {
		free(active);
		return; // tried again at the next check
	}
	for (uint32_t i = control->nb_rules; i-- > 0;)
		if (!active[i])
			end_rule(control, &control->rules[i]);
	free(active);
	rebuild_drained(control);
}

int64_t weir_drain_maintain(struct weir_control *control)
{
	int64_t now = weir_unix_us();
	int64_t next = INT64_MAX;

	if (forget_retired(control, now))
		weir_config_publish(control);
	if (weir_purge_running(control))
		return 1000;
	finish_early(control, now);
	for (uint32_t i = 0; i < control->nb_rules; i++)
		if (control->rules[i].deadline_us < next)
			next = control->rules[i].deadline_us;
	if (next <= now) {
		purge_due(control, now);
		return 1000;
	}
	weir_draining_finish(control);
	if (control->nb_rules == 0)
		return INT64_MAX;
	return RTE_MIN(next, control->next_idle_check_us) - now;
}
