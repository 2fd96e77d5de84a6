// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "main/log.h"

enum { STEP_RETRY_US = 1000000 };

// By the registry, which knows every load balancer's name.
static struct weir_lb **find_slot(struct weir_control *control, const char *id)
{
	uint32_t lb_id = weir_registry_find_lb(&control->engine->file, id);
	uint32_t at = lb_id != WEIR_ID_NONE ? control->lb_places[lb_id] : 0;

	return at != 0 ? &control->lbs[at - 1] : NULL;
}

struct weir_lb *weir_find_lb(struct weir_control *control, const char *id)
{
	struct weir_lb **slot = find_slot(control, id);

	return slot != NULL ? *slot : NULL;
}

static bool older(uint64_t epoch, uint64_t sequence, uint64_t than_epoch, uint64_t than_sequence)
{
	return epoch < than_epoch || (epoch == than_epoch && sequence < than_sequence);
}

static bool same_content(const struct weir_lb *a, const struct weir_lb *b)
{
	if (a->epoch != b->epoch || a->sequence != b->sequence ||
	    a->nb_unhealthy != b->nb_unhealthy ||
	    memcmp(a->config_sha256, b->config_sha256, sizeof(a->config_sha256)) != 0)
		return false;
	for (uint32_t i = 0; i < a->nb_unhealthy; i++)
		if (strcmp(a->unhealthy[i], b->unhealthy[i]) != 0)
			return false;
	return true;
}

static int append_lb(struct weir_control *control, struct weir_lb *lb)
{
	struct weir_lb **grown =
		realloc(control->lbs, (control->nb_lbs + 1) * sizeof(*control->lbs));

	if (grown == NULL)
		return -ENOMEM;
	control->lbs = grown;
	control->lbs[control->nb_lbs++] = lb;
	control->lb_places[lb->lb_id] = control->nb_lbs;
	return 0;
}

static int64_t next_step(const struct weir_lb *lb)
{
	int64_t next = INT64_MAX;

	for (uint32_t p = 0; p < lb->nb_pools; p++)
		if (lb->pools[p].next_step_us < next)
			next = lb->pools[p].next_step_us;
	return next;
}

// Puts a built load balancer in the place of the one before and takes over the caller's reference.
static int replace_lb(struct weir_control *control, struct weir_lb *lb, struct weir_reject *reject)
{
	struct weir_lb **slot = find_slot(control, lb->id);

	if (slot == NULL) {
		if (append_lb(control, lb) != 0) {
			weir_lb_release(lb);
			return weir_refuse(reject, "OUT_OF_MEMORY", "no memory for another one");
		}
		weir_drain_replaced(control, NULL, lb);
	} else {
		weir_drain_replaced(control, *slot, lb);
		weir_lb_release(*slot);
		*slot = lb;
	}
	if (next_step(lb) < control->next_step_us)
		control->next_step_us = next_step(lb);
	if (!control->loading)
		weir_store_lb(control, lb);
	return 0;
}

static bool named(char *const *ids, uint32_t nb, const char *id)
{
	for (uint32_t i = 0; i < nb; i++)
		if (strcmp(ids[i], id) == 0)
			return true;
	return false;
}

// Members that were unhealthy under `old` and are not any more: from `since_us` on, unless they
// recovered before.
static struct weir_recovered *recovered_of(const struct weir_lb *old, char *const *unhealthy,
					   uint32_t nb_unhealthy, int64_t since_us, uint32_t *nb)
{
	uint32_t room = old != NULL ? old->nb_unhealthy + old->nb_recovered : 0;
	struct weir_recovered *recovered = calloc(room + 1, sizeof(*recovered));

	*nb = 0;
	if (recovered == NULL || old == NULL)
		return recovered;
	for (uint32_t i = 0; i < old->nb_recovered; i++)
		if (!named(unhealthy, nb_unhealthy, old->recovered[i].member_id))
			recovered[(*nb)++] = old->recovered[i];
	for (uint32_t i = 0; i < old->nb_unhealthy; i++) {
		if (named(unhealthy, nb_unhealthy, old->unhealthy[i]))
			continue;
		strcpy(recovered[*nb].member_id, old->unhealthy[i]);
		recovered[(*nb)++].since_us = since_us;
	}
	return recovered;
}

// The load balancer of that id that runs now; NULL: none, or `raw` names none.
static struct weir_lb *running(struct weir_control *control, struct weir_bytes raw)
{
	char id[WEIR_ID_SIZE] = "";
	struct weir_bytes field;

	if (weir_wire_field(raw, 1, 0, &field) != 0 || field.length >= sizeof(id))
		return NULL;
	memcpy(id, field.data, field.length);
	return weir_find_lb(control, id);
}

static int apply(struct weir_control *control, struct weir_lb_input *input, bool again,
		 struct weir_reject *reject)
{
	struct weir_lb *lb;

	input->prefix_lists = &control->prefix_lists;
	input->now_us = weir_unix_us();
	int ret = weir_lb_build(&control->engine->file, input, &lb, reject);
	if (ret != 0)
		return ret;
	const struct weir_lb *old = input->old;
	// Applying late or twice is harmless: the newer one stays.
	if (old != NULL && (older(lb->epoch, lb->sequence, old->epoch, old->sequence) ||
			    (!again && same_content(old, lb)))) {
		weir_lb_release(lb);
		return 0;
	}
	return replace_lb(control, lb, reject);
}

int weir_apply_lb(struct weir_control *control, uint64_t epoch, uint64_t sequence,
		  struct weir_bytes raw, char *const *unhealthy, uint32_t nb_unhealthy,
		  struct weir_reject *reject)
{
	struct weir_lb *old = running(control, raw);
	uint32_t nb_recovered;
	struct weir_recovered *recovered =
		recovered_of(old, unhealthy, nb_unhealthy, weir_unix_us(), &nb_recovered);

	if (recovered == NULL)
		return weir_refuse(reject, "OUT_OF_MEMORY", "no memory for the verdicts");
	struct weir_lb_input input = {
		.epoch = epoch,
		.sequence = sequence,
		.raw = raw,
		.unhealthy = unhealthy,
		.nb_unhealthy = nb_unhealthy,
		.recovered = recovered,
		.nb_recovered = nb_recovered,
		.old = old,
	};
	int ret = apply(control, &input, false, reject);
	free(recovered);
	return ret;
}

int weir_load_lb(struct weir_control *control, struct weir_lb_input *input, int64_t replaced_us,
		 struct weir_reject *reject)
{
	struct weir_lb *lb;

	if (replaced_us == 0)
		return apply(control, input, false, reject);
	input->prefix_lists = &control->prefix_lists;
	input->now_us = weir_unix_us();
	int ret = weir_lb_build(&control->engine->file, input, &lb, reject);
	if (ret == 0) {
		weir_drain_restored(control, lb, replaced_us);
		weir_lb_release(lb);
	}
	return ret;
}

// Builds what runs again, with other verdicts or at another time.
static int build_again(struct weir_control *control, struct weir_lb *lb, char *const *unhealthy,
		       uint32_t nb_unhealthy, int64_t since_us, struct weir_reject *reject)
{
	uint32_t nb_recovered;
	struct weir_recovered *recovered =
		recovered_of(lb, unhealthy, nb_unhealthy, since_us, &nb_recovered);

	if (recovered == NULL)
		return weir_refuse(reject, "OUT_OF_MEMORY", "no memory for the verdicts");
	struct weir_lb_input input = {
		.epoch = lb->epoch,
		.sequence = lb->sequence,
		.raw = {lb->raw, lb->raw_length},
		.unhealthy = unhealthy,
		.nb_unhealthy = nb_unhealthy,
		.recovered = recovered,
		.nb_recovered = nb_recovered,
		.old = lb,
	};
	lb->references++; // its ids and bytes are read while it is replaced
	int ret = apply(control, &input, true, reject);
	weir_lb_release(lb);
	free(recovered);
	return ret;
}

static char **unhealthy_of(const struct weir_lb *lb)
{
	char **unhealthy = calloc(lb->nb_unhealthy + 1, sizeof(char *));

	for (uint32_t i = 0; unhealthy != NULL && i < lb->nb_unhealthy; i++)
		unhealthy[i] = lb->unhealthy[i];
	return unhealthy;
}

int weir_rebuild_lb(struct weir_control *control, struct weir_lb *lb)
{
	struct weir_reject reject = {0};
	char **unhealthy = unhealthy_of(lb);
	bool loading = control->loading;

	if (unhealthy == NULL)
		return -ENOMEM;
	control->loading = true; // what is stored is the same
	int ret = build_again(control, lb, unhealthy, lb->nb_unhealthy, 0, &reject);
	control->loading = loading;
	if (ret != 0)
		weir_error("load balancer not built again: lb=%s reason=%s", lb->id, reject.reason);
	free(unhealthy);
	return ret;
}

int64_t weir_slow_start_maintain(struct weir_control *control)
{
	int64_t now = weir_unix_us();
	int64_t next = INT64_MAX;
	bool changed = false;

	if (now < control->next_step_us)
		return control->next_step_us - now;
	for (uint32_t i = 0; i < control->nb_lbs; i++) {
		if (next_step(control->lbs[i]) <= now)
			changed = weir_rebuild_lb(control, control->lbs[i]) == 0 || changed;
		if (next_step(control->lbs[i]) < next)
			next = next_step(control->lbs[i]);
	}
	if (changed)
		weir_config_publish(control);
	// A step that could not be taken is tried again soon, not at once.
	control->next_step_us = next > now ? next : now + STEP_RETRY_US;
	return control->next_step_us - now;
}

int weir_apply_verdict(struct weir_control *control, struct weir_lb *lb, const char *member_id,
		       bool healthy, int64_t since_us)
{
	struct weir_reject reject = {0};
	char **unhealthy = unhealthy_of(lb);
	uint32_t nb = lb->nb_unhealthy;
	int ret = 0;

	if (unhealthy == NULL)
		return -ENOMEM;
	if (named(unhealthy, nb, member_id) == healthy) {
		if (!healthy)
			unhealthy[nb++] = (char *)(uintptr_t)member_id;
		for (uint32_t i = 0; healthy && i < nb;) {
			if (strcmp(unhealthy[i], member_id) == 0)
				unhealthy[i] = unhealthy[--nb];
			else
				i++;
		}
		ret = build_again(control, lb, unhealthy, nb,
				  since_us != 0 ? since_us : weir_unix_us(), &reject);
	}
	if (ret != 0)
		weir_error("verdict not applied: lb=%s reason=%s", lb->id, reject.reason);
	free(unhealthy);
	return ret;
}

void weir_delete_lb(struct weir_control *control, const char *id)
{
	struct weir_lb **slot = find_slot(control, id);

	if (slot == NULL)
		return;
	weir_store_delete_lb(control, (*slot)->id);
	weir_drain_replaced(control, *slot, NULL);
	uint32_t gone = (*slot)->lb_id;
	weir_lb_release(*slot);
	struct weir_lb *last = control->lbs[--control->nb_lbs];
	*slot = last;
	control->lb_places[last->lb_id] = (uint32_t)(slot - control->lbs) + 1;
	control->lb_places[gone] = 0;
}

static void keep_raw(struct weir_control *control, const char *id, struct weir_bytes raw)
{
	struct weir_prefix_list *list = weir_prefix_lists_find(&control->prefix_lists, id);
	uint8_t *copy = malloc(raw.length + 1);

	if (list == NULL || copy == NULL) {
		weir_error("prefix list not stored, a restart would load an older one: list=%s",
			   id);
		free(copy);
		return;
	}
	memcpy(copy, raw.data, raw.length);
	free(list->raw);
	list->raw = copy;
	list->raw_length = (uint32_t)raw.length;
	if (!control->loading)
		weir_store_prefix_list(control, list);
}

int weir_apply_prefix_list(struct weir_control *control, const Weir__V1__EnginePrefixList *message,
			   struct weir_bytes raw, struct weir_reject *reject)
{
	struct weir_prefix_set *replaced;
	int ret = weir_prefix_lists_apply(&control->prefix_lists, message, &replaced, reject);

	if (replaced != NULL) {
		weir_config_wait(control->engine);
		weir_prefix_lists_free_set(replaced);
	}
	if (ret == 1)
		keep_raw(control, message->list->prefix_list_id, raw);
	return ret;
}

static bool refers_to(const struct weir_lb *lb, const struct weir_prefix_list *list)
{
	for (uint32_t l = 0; l < lb->nb_listeners; l++) {
		const struct weir_listener *listener = &lb->listeners[l];

		for (uint32_t i = 0; i < listener->nb_allowed_lists; i++)
			if (listener->allowed_lists[i] == list)
				return true;
		for (uint32_t i = 0; i < listener->nb_denied_lists; i++)
			if (listener->denied_lists[i] == list)
				return true;
	}
	return false;
}

int weir_delete_prefix_list(struct weir_control *control, const char *id,
			    struct weir_reject *reject)
{
	const struct weir_prefix_list *list = weir_prefix_lists_find(&control->prefix_lists, id);

	for (uint32_t i = 0; list != NULL && i < control->nb_lbs; i++)
		if (refers_to(control->lbs[i], list))
			return weir_refuse(reject, "PREFIX_LIST_IN_USE",
					   "load balancer %s refers to prefix list %s",
					   control->lbs[i]->id, id);
	weir_store_delete_prefix_list(control, id);
	weir_prefix_lists_delete(&control->prefix_lists, id);
	return 0;
}

int weir_apply_node(struct weir_control *control, struct weir_bytes raw, struct weir_reject *reject)
{
	struct weir_node *node;
	int ret = weir_node_build(control->engine->nb_workers, raw, &node, reject);

	if (ret != 0)
		return ret;
	struct weir_node *old = control->node;
	if (old != NULL && (older(node->epoch, node->sequence, old->epoch, old->sequence) ||
			    (node->raw_length == old->raw_length &&
			     memcmp(node->raw, old->raw, old->raw_length) == 0))) {
		weir_node_release(node);
		return 0;
	}
	bool moved = old == NULL || !weir_address_equal(&old->data_address, &node->data_address) ||
		     !weir_address_equal(&old->data_address_v6, &node->data_address_v6);
	if (old != NULL)
		weir_node_release(old);
	control->node = node;
	weir_store_node(control);
	weir_store_commit(control, true);
	ret = weir_config_publish(control);
	if (ret != 0)
		return weir_refuse(reject, "OUT_OF_MEMORY", "no memory for the configuration");
	if (moved)
		weir_arp_announce(control);
	weir_arp_prepare(control);
	return 0;
}
