// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "main/log.h"

static struct weir_lb **find_slot(struct weir_control *control, const char *id)
{
	for (uint32_t i = 0; i < control->nb_lbs; i++)
		if (strcmp(control->lbs[i]->id, id) == 0)
			return &control->lbs[i];
	return NULL;
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
	return 0;
}

int weir_apply_lb(struct weir_control *control, uint64_t epoch, uint64_t sequence,
		  struct weir_bytes raw, char *const *unhealthy, uint32_t nb_unhealthy,
		  struct weir_reject *reject)
{
	struct weir_lb *lb;
	int ret = weir_lb_build(&control->engine->file, epoch, sequence, raw, unhealthy,
				nb_unhealthy, &lb, reject);

	if (ret != 0)
		return ret;
	struct weir_lb **slot = find_slot(control, lb->id);
	// Applying late or twice is harmless: the newer one stays.
	if (slot != NULL && (older(epoch, sequence, (*slot)->epoch, (*slot)->sequence) ||
			     same_content(*slot, lb))) {
		weir_lb_release(lb);
		return 0;
	}
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
	if (!control->loading && weir_store_lb(control, lb) != 0)
		weir_error("configuration not stored, a restart would load an older one: lb=%s",
			   lb->id);
	return 0;
}

void weir_delete_lb(struct weir_control *control, const char *id)
{
	struct weir_lb **slot = find_slot(control, id);

	if (slot == NULL)
		return;
	weir_store_delete_lb(control, (*slot)->id);
	weir_drain_replaced(control, *slot, NULL);
	weir_lb_release(*slot);
	*slot = control->lbs[--control->nb_lbs];
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
	if (weir_store_node(control) != 0)
		weir_error("node configuration not stored, a restart would load an older one");
	ret = weir_config_publish(control);
	if (ret != 0)
		return weir_refuse(reject, "OUT_OF_MEMORY", "no memory for the configuration");
	if (moved)
		weir_arp_announce(control);
	weir_arp_prepare(control);
	return 0;
}
