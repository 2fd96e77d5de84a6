// SPDX-License-Identifier: Apache-2.0
//
// A purge is made from the rules that are due, read by all workers, and freed when each has walked
// its table by it.

#include <stdlib.h>

#include "control/control.h"
#include "main/log.h"

static void purge_free(struct weir_purge *purge)
{
	free((void *)(uintptr_t)purge->backends);
	free((void *)(uintptr_t)purge->bindings);
	free(purge->vips);
	free(purge);
}

bool weir_purge_running(struct weir_control *control)
{
	struct weir_engine *engine = control->engine;
	struct weir_purge *purge = atomic_load(&engine->purge);

	if (purge == NULL)
		return false;
	for (uint32_t w = 0; w < engine->nb_workers; w++)
		if (__atomic_load_n(&engine->workers[w].purged, __ATOMIC_ACQUIRE) != purge->number)
			return true;
	atomic_store(&engine->purge, NULL);
	weir_config_wait(engine);
	purge_free(purge);
	return false;
}

static struct weir_purge *purge_alloc(uint32_t nb_rules)
{
	struct weir_purge *purge = calloc(1, sizeof(*purge));

	if (purge == NULL)
		return NULL;
	purge->backends = calloc(1, WEIR_MAX_BACKENDS);
	purge->bindings = calloc(1, WEIR_MAX_BINDINGS);
	purge->vips = calloc(nb_rules + 1, sizeof(*purge->vips));
	if (purge->backends == NULL || purge->bindings == NULL || purge->vips == NULL) {
		purge_free(purge);
		return NULL;
	}
	return purge;
}

struct weir_purge *weir_purge_of_rules(const struct weir_control *control, int64_t now)
{
	struct weir_purge *purge = purge_alloc(control->nb_rules);

	for (uint32_t i = 0; purge != NULL && i < control->nb_rules; i++) {
		const struct weir_purge_rule *rule = &control->rules[i];

		if (rule->deadline_us > now)
			continue;
		if (rule->kind == WEIR_PURGE_BACKEND) {
			((uint8_t *)(uintptr_t)purge->backends)[rule->id] = 1;
		} else if (rule->kind == WEIR_PURGE_BINDING) {
			((uint8_t *)(uintptr_t)purge->bindings)[rule->id] = 1;
		} else {
			purge->vips[purge->nb_vips].address = rule->vip;
			purge->vips[purge->nb_vips++].lb_id = rule->id;
		}
	}
	return purge;
}

void weir_purge_start(struct weir_control *control, struct weir_purge *purge)
{
	purge->number = ++control->purge_number;
	weir_info("purging flows past their drain deadline: purge=%lu", purge->number);
	atomic_store(&control->engine->purge, purge);
}
