// SPDX-License-Identifier: Apache-2.0

#include "control/prefix_lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/build.h"
#include "lib/sha256.h"

struct weir_prefix_list *weir_prefix_lists_find(const struct weir_prefix_lists *lists,
						const char *id)
{
	for (uint32_t i = 0; lists != NULL && i < lists->nb; i++)
		if (strcmp(lists->lists[i]->id, id) == 0)
			return lists->lists[i];
	return NULL;
}

void weir_prefix_lists_free_set(struct weir_prefix_set *set)
{
	if (set != NULL)
		weir_prefix_set_destroy(set);
	free(set);
}

static int read_set(const Weir__V1__PrefixListRecord *record, uint8_t sha256[32],
		    struct weir_prefix_set **out, struct weir_reject *reject)
{
	uint32_t at = 0;

	weir_sha256(record->packed.data, record->packed.len, sha256);
	if (record->content_sha256.len != 32 ||
	    memcmp(record->content_sha256.data, sha256, 32) != 0)
		return weir_refuse(reject, "INVALID_PREFIX_LIST",
				   "content_sha256 is not the hash of the content");
	struct weir_prefix_set *set = calloc(1, sizeof(*set));
	if (set == NULL)
		return weir_refuse(reject, "OUT_OF_MEMORY", "the engine has no memory for this");
	enum weir_prefix_set_fault fault =
		weir_prefix_set_build(set, record->packed.data, record->packed.len, &at);
	if (fault != WEIR_PREFIX_SET_SOUND) {
		free(set);
		return weir_refuse(reject,
				   fault == WEIR_PREFIX_SET_MEMORY ? "OUT_OF_MEMORY"
								   : "INVALID_PREFIX_LIST",
				   "entry %u: %s", at, weir_prefix_set_fault_text(fault));
	}
	*out = set;
	return 0;
}

static struct weir_prefix_list *append(struct weir_prefix_lists *lists, const char id[WEIR_ID_SIZE],
				       struct weir_reject *reject)
{
	struct weir_prefix_list *list = calloc(1, sizeof(*list));
	struct weir_prefix_list **grown =
		realloc(lists->lists, (lists->nb + 1) * sizeof(*lists->lists));

	if (grown != NULL)
		lists->lists = grown;
	if (list == NULL || grown == NULL) {
		weir_refuse(reject, "OUT_OF_MEMORY", "the engine has no memory for this");
		free(list);
		return NULL;
	}
	memcpy(list->id, id, WEIR_ID_SIZE);
	list->references = 1;
	lists->lists[lists->nb++] = list;
	return list;
}

int weir_prefix_lists_apply(struct weir_prefix_lists *lists,
			    const Weir__V1__EnginePrefixList *message,
			    struct weir_prefix_set **replaced, struct weir_reject *reject)
{
	char id[WEIR_ID_SIZE];
	uint8_t sha256[32];
	struct weir_prefix_set *set = NULL;

	*replaced = NULL;
	if (message->list == NULL)
		return weir_refuse(reject, "INVALID_PREFIX_LIST", "an upsert carries no list");
	if (weir_copy_id(id, message->list->prefix_list_id, "prefix_list_id", reject) != 0)
		return -EINVAL;
	struct weir_prefix_list *list = weir_prefix_lists_find(lists, id);
	if (list != NULL && (message->epoch < list->epoch || (message->epoch == list->epoch &&
							      message->sequence <= list->sequence)))
		return 0;
	if (read_set(message->list, sha256, &set, reject) != 0)
		return -EINVAL;
	if (list == NULL)
		list = append(lists, id, reject);
	if (list == NULL) {
		weir_prefix_lists_free_set(set);
		return -EINVAL;
	}
	list->epoch = message->epoch;
	list->sequence = message->sequence;
	memcpy(list->sha256, sha256, sizeof(list->sha256));
	*replaced = atomic_exchange(&list->set, set);
	return 1;
}

void weir_prefix_list_release(struct weir_prefix_list *list)
{
	if (--list->references > 0)
		return;
	weir_prefix_lists_free_set(atomic_load(&list->set));
	free(list->raw);
	free(list);
}

void weir_prefix_lists_delete(struct weir_prefix_lists *lists, const char *id)
{
	for (uint32_t i = 0; i < lists->nb; i++) {
		struct weir_prefix_list *list = lists->lists[i];

		if (strcmp(list->id, id) != 0)
			continue;
		lists->lists[i] = lists->lists[--lists->nb];
		weir_prefix_list_release(list);
		return;
	}
}
