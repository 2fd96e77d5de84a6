// SPDX-License-Identifier: Apache-2.0

#include <stdlib.h>

#include "control/control.h"
#include "main/log.h"

enum { FIELD_APPLY_PREFIX_LISTS = 30, FIELD_UPSERTS = 1 };

static int upsert_prefix_list(struct weir_control *control,
			      const Weir__V1__EnginePrefixList *upsert, struct weir_bytes raw,
			      uint32_t index, struct weir_reject *reject)
{
	struct weir_bytes one = {0};

	if (weir_wire_field(raw, FIELD_UPSERTS, index, &one) != 0)
		return weir_refuse(reject, "INVALID_PREFIX_LIST", "the list can't be decoded");
	return weir_apply_prefix_list(control, upsert, one, reject);
}

void weir_api_apply_prefix_lists(struct weir_control *control, struct weir_connection *connection,
				 const Weir__V1__EngineRequest *request, struct weir_bytes raw)
{
	const Weir__V1__ApplyPrefixListsRequest *apply = request->apply_prefix_lists;
	size_t nb = apply->n_upserts + apply->n_delete_prefix_list_ids;
	Weir__V1__ApplyPrefixListsReply reply = WEIR__V1__APPLY_PREFIX_LISTS_REPLY__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;
	Weir__V1__PrefixListResult *results = calloc(nb + 1, sizeof(*results));
	struct weir_reject *rejects = calloc(nb + 1, sizeof(*rejects));
	struct weir_bytes lists = {0};

	reply.results = calloc(nb + 1, sizeof(Weir__V1__PrefixListResult *));
	if (results == NULL || rejects == NULL || reply.results == NULL) {
		weir_api_error(connection, request->request_id,
			       WEIR__V1__ERROR_CODE__ERROR_CODE_INTERNAL, "out of memory");
		goto out;
	}
	(void)weir_wire_field(raw, FIELD_APPLY_PREFIX_LISTS, 0, &lists);
	for (size_t i = 0; i < nb; i++) {
		const Weir__V1__EnginePrefixList *upsert =
			i < apply->n_upserts ? apply->upserts[i] : NULL;
		Weir__V1__PrefixListResult *result = &results[i];
		int ret;

		weir__v1__prefix_list_result__init(result);
		if (upsert == NULL)
			result->prefix_list_id =
				apply->delete_prefix_list_ids[i - apply->n_upserts];
		else if (upsert->list != NULL)
			result->prefix_list_id = upsert->list->prefix_list_id;
		ret = upsert != NULL
			      ? upsert_prefix_list(control, upsert, lists, (uint32_t)i, &rejects[i])
			      : weir_delete_prefix_list(control, result->prefix_list_id,
							&rejects[i]);
		if (ret < 0) {
			weir_warn("prefix list refused: list=%s code=%s reason=%s",
				  result->prefix_list_id, rejects[i].code, rejects[i].reason);
			result->rejected_code = (char *)(uintptr_t)rejects[i].code;
			result->rejected_reason = rejects[i].reason;
		}
		reply.results[reply.n_results++] = result;
	}
	weir_store_commit(control, true);
	message.request_id = request->request_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_APPLY_PREFIX_LISTS;
	message.apply_prefix_lists = &reply;
	weir_api_send(connection, &message);
out:
	free(results);
	free(rejects);
	free(reply.results);
}
