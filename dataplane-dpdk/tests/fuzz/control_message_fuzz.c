// SPDX-License-Identifier: Apache-2.0
//
// Requests of any bytes, decoded as the control thread does: the message, the raw bytes of its
// nested configurations, and the configuration built from them.

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "control/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct weir_flow_file file;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char dir[] = "/tmp/weir-fuzz-XXXXXX";
	char command[64];

	(void)argc;
	(void)argv;
	if (mkdtemp(dir) == NULL || weir_flow_file_open(&file, dir, 1, 1024, WEIR_KEEP_FLOWS) != 0)
		abort();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void build_upserts(const Weir__V1__ApplyRequest *apply, struct weir_bytes raw)
{
	for (size_t i = 0; i < apply->n_upserts; i++) {
		const Weir__V1__EngineLoadBalancer *upsert = apply->upserts[i];
		struct weir_reject reject = {0};
		struct weir_bytes upsert_raw;
		struct weir_bytes config_raw;
		struct weir_lb *lb;

		if (weir_wire_field(raw, 1, (uint32_t)i, &upsert_raw) != 0 ||
		    weir_wire_field(upsert_raw, 3, 0, &config_raw) != 0)
			continue;
		struct weir_lb_input input = {
			.epoch = 1,
			.sequence = 1,
			.raw = config_raw,
			.unhealthy = upsert->unhealthy_member_ids,
			.nb_unhealthy = (uint32_t)upsert->n_unhealthy_member_ids,
			.now_us = 1,
		};
		if (weir_lb_build(&file, &input, &lb, &reject) == 0)
			weir_lb_release(lb);
		else if (reject.code == NULL)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weir_bytes raw = {data, size};
	struct weir_bytes nested;
	struct weir_reject reject = {0};
	struct weir_node *node;
	Weir__V1__EngineRequest *request = weir__v1__engine_request__unpack(NULL, size, data);

	if (request == NULL)
		return 0;
	if (request->request_case == WEIR__V1__ENGINE_REQUEST__REQUEST_APPLY &&
	    weir_wire_field(raw, 12, 0, &nested) == 0)
		build_upserts(request->apply, nested);
	if (request->request_case == WEIR__V1__ENGINE_REQUEST__REQUEST_APPLY_NODE &&
	    weir_wire_field(raw, 11, 0, &nested) == 0 &&
	    weir_node_build(1, nested, &node, &reject) == 0)
		weir_node_release(node);
	weir__v1__engine_request__free_unpacked(request, NULL);
	return 0;
}
