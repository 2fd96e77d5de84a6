// SPDX-License-Identifier: Apache-2.0
//
// Load balancers of which flows drain because a listener, a VIP or the whole load balancer went.
// The controller counts such a change as passed only when they are gone, so it is told when.

#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "main/log.h"

struct weir_draining *weir_draining_of(struct weir_control *control, uint32_t lb_id)
{
	for (uint32_t i = 0; i < control->nb_drainings; i++)
		if (control->drainings[i].lb_id == lb_id)
			return &control->drainings[i];
	return NULL;
}

void weir_draining_hold(struct weir_control *control, uint32_t lb_id, int64_t deadline_us)
{
	struct weir_draining *draining = weir_draining_of(control, lb_id);

	if (draining == NULL) {
		struct weir_draining *grown =
			realloc(control->drainings, (control->nb_drainings + 1) * sizeof(*grown));

		if (grown == NULL) {
			weir_error("no memory to follow a drain: its end will not be told");
			return;
		}
		control->drainings = grown;
		draining = &grown[control->nb_drainings++];
		*draining = (struct weir_draining){.lb_id = lb_id};
	}
	draining->nb_rules++;
	draining->drain_id = ++control->last_drain_id;
	if (deadline_us > draining->deadline_us)
		draining->deadline_us = deadline_us;
}

void weir_draining_release(struct weir_control *control, uint32_t lb_id)
{
	struct weir_draining *draining = weir_draining_of(control, lb_id);

	if (draining != NULL)
		draining->nb_rules--;
}

static void tell(struct weir_control *control, const struct weir_draining *draining)
{
	Weir__V1__DrainEnded ended = WEIR__V1__DRAIN_ENDED__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;

	ended.load_balancer_id = control->engine->file.lbs[draining->lb_id].lb_id;
	ended.drain_id = draining->drain_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_DRAIN_ENDED;
	message.drain_ended = &ended;
	weir_info("drain ended: lb=%s", ended.load_balancer_id);
	for (size_t i = 0; i < RTE_DIM(control->connections); i++)
		if (control->connections[i].fd >= 0 && control->connections[i].greeted &&
		    control->connections[i].controller)
			weir_api_send(&control->connections[i], &message);
}

void weir_draining_finish(struct weir_control *control)
{
	for (uint32_t i = control->nb_drainings; i-- > 0;) {
		const struct weir_draining *draining = &control->drainings[i];

		if (draining->nb_rules > 0)
			continue;
		if (draining->told)
			tell(control, draining);
		control->drainings[i] = control->drainings[--control->nb_drainings];
	}
}
