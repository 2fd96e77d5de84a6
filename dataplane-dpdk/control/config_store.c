// SPDX-License-Identifier: Apache-2.0
//
// The last applied configuration, in a journal: the node, prefix lists and load balancers in the
// form in which they came, what was deleted, and what was replaced while flows still drain by it.
// Of several records of one name the last one counts.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "lib/flow_hash.h"
#include "main/log.h"

#define JOURNAL_NAME "configuration"

enum kind {
	KIND_NODE = 'N',
	KIND_LB = 'L',
	KIND_LB_GONE = 'l',
	KIND_LIST = 'P',
	KIND_LIST_GONE = 'p',
	KIND_RETIRED = 'R',
};

// What stands before a record's message: kind, the id and its length, and for what was retired when
// that was, in host order.
static void append(struct weir_journal *journal, enum kind kind, const char *id,
		   int64_t replaced_us, const uint8_t *message, size_t length)
{
	uint8_t head[2 + WEIR_ID_SIZE + sizeof(replaced_us)];
	size_t id_length = strnlen(id, WEIR_ID_SIZE - 1);
	size_t at = 0;

	head[at++] = (uint8_t)kind;
	head[at++] = (uint8_t)id_length;
	for (size_t i = 0; i < id_length; i++)
		head[at++] = (uint8_t)id[i];
	if (kind == KIND_RETIRED) {
		memcpy(head + at, &replaced_us, sizeof(replaced_us));
		at += sizeof(replaced_us);
	}
	weir_journal_append(journal, head, at, message, length);
}

// Field 3 of EngineLoadBalancer, the configuration, with its bytes as received: its hash must be
// the same after a restart.
static size_t append_config(uint8_t *out, const struct weir_lb *lb)
{
	uint32_t length = lb->raw_length;
	size_t at = 0;

	out[at++] = 3 << 3 | 2;
	for (; length >= 0x80; length >>= 7)
		out[at++] = (uint8_t)(length | 0x80);
	out[at++] = (uint8_t)length;
	memcpy(out + at, lb->raw, lb->raw_length);
	return at + lb->raw_length;
}

// The load balancer as a message with its verdicts; NULL: no memory. The caller frees it.
static uint8_t *pack_lb(const struct weir_lb *lb, size_t *length)
{
	enum { FIELD_HEAD = 6 }; // tag and the longest length
	Weir__V1__EngineLoadBalancer message = WEIR__V1__ENGINE_LOAD_BALANCER__INIT;
	char **unhealthy = calloc(lb->nb_unhealthy + 1, sizeof(char *));
	Weir__V1__MemberVerdict *verdicts = calloc(lb->nb_recovered + 1, sizeof(*verdicts));
	Weir__V1__MemberVerdict **recovered =
		calloc(lb->nb_recovered + 1, sizeof(Weir__V1__MemberVerdict *));
	uint8_t *packed = NULL;

	if (unhealthy == NULL || verdicts == NULL || recovered == NULL)
		goto out;
	for (uint32_t i = 0; i < lb->nb_recovered; i++) {
		weir__v1__member_verdict__init(&verdicts[i]);
		verdicts[i].member_id = lb->recovered[i].member_id;
		verdicts[i].healthy = true;
		verdicts[i].since_us = lb->recovered[i].since_us;
		recovered[i] = &verdicts[i];
	}
	message.recovered = recovered;
	message.n_recovered = lb->nb_recovered;
	for (uint32_t i = 0; i < lb->nb_unhealthy; i++)
		unhealthy[i] = lb->unhealthy[i];
	message.epoch = lb->epoch;
	message.sequence = lb->sequence;
	message.unhealthy_member_ids = unhealthy;
	message.n_unhealthy_member_ids = lb->nb_unhealthy;
	packed = malloc(weir__v1__engine_load_balancer__get_packed_size(&message) + FIELD_HEAD +
			lb->raw_length);
	if (packed != NULL) {
		*length = weir__v1__engine_load_balancer__pack(&message, packed);
		*length += append_config(packed + *length, lb);
	}
out:
	free(unhealthy);
	free(verdicts);
	free(recovered);
	return packed;
}

static void append_lb(struct weir_journal *journal, enum kind kind, const struct weir_lb *lb,
		      int64_t replaced_us)
{
	size_t length = 0;
	uint8_t *packed = pack_lb(lb, &length);

	if (packed != NULL)
		append(journal, kind, lb->id, replaced_us, packed, length);
	else
		journal->failed = true;
	free(packed);
}

void weir_store_node(struct weir_control *control)
{
	append(&control->journal, KIND_NODE, "", 0, control->node->raw, control->node->raw_length);
}

void weir_store_lb(struct weir_control *control, const struct weir_lb *lb)
{
	append_lb(&control->journal, KIND_LB, lb, 0);
}

void weir_store_delete_lb(struct weir_control *control, const char *id)
{
	append(&control->journal, KIND_LB_GONE, id, 0, NULL, 0);
}

void weir_store_retired(struct weir_control *control, const struct weir_retired *retired)
{
	append_lb(&control->journal, KIND_RETIRED, retired->lb, retired->replaced_us);
}

void weir_store_prefix_list(struct weir_control *control, const struct weir_prefix_list *list)
{
	append(&control->journal, KIND_LIST, list->id, 0, list->raw, list->raw_length);
}

void weir_store_delete_prefix_list(struct weir_control *control, const char *id)
{
	append(&control->journal, KIND_LIST_GONE, id, 0, NULL, 0);
}

static void append_everything(struct weir_journal *journal, void *context)
{
	const struct weir_control *control = context;

	if (control->node != NULL)
		append(journal, KIND_NODE, "", 0, control->node->raw, control->node->raw_length);
	for (uint32_t i = 0; i < control->prefix_lists.nb; i++) {
		const struct weir_prefix_list *list = control->prefix_lists.lists[i];

		append(journal, KIND_LIST, list->id, 0, list->raw, list->raw_length);
	}
	for (uint32_t i = 0; i < control->nb_lbs; i++)
		append_lb(journal, KIND_LB, control->lbs[i], 0);
	for (uint32_t i = 0; i < control->nb_retired; i++)
		append_lb(journal, KIND_RETIRED, control->retired[i].lb,
			  control->retired[i].replaced_us);
}

void weir_store_commit(struct weir_control *control, bool wait)
{
	struct weir_journal *journal = &control->journal;
	int ret = weir_journal_commit(journal, wait);

	if (ret == 0 && weir_journal_wants_rewrite(journal))
		ret = weir_journal_rewrite(journal, append_everything, control);
	if (ret != 0)
		weir_error("configuration not stored, a restart would load an older one: %s",
			   strerror(-ret));
}

// loading

// A record taken apart.
struct stored {
	enum kind kind;
	char id[WEIR_ID_SIZE];
	int64_t replaced_us;
	struct weir_bytes message;
};

static bool take_apart(const struct weir_journal_record *record, struct stored *out)
{
	size_t at = 2;

	*out = (struct stored){0};
	if (record->length < at || record->data[1] >= sizeof(out->id) ||
	    record->length < at + record->data[1])
		return false;
	out->kind = (enum kind)record->data[0];
	memcpy(out->id, record->data + at, record->data[1]);
	at += record->data[1];
	if (out->kind == KIND_RETIRED) {
		if (record->length < at + sizeof(out->replaced_us))
			return false;
		memcpy(&out->replaced_us, record->data + at, sizeof(out->replaced_us));
		at += sizeof(out->replaced_us);
	}
	out->message = (struct weir_bytes){record->data + at, record->length - at};
	return true;
}

static uint64_t name_hash(const struct stored *stored)
{
	// A deletion has the name of what it deletes.
	uint64_t seed = (uint64_t)stored->kind & ~UINT64_C(0x20);

	return weir_xxh64(stored->id, strlen(stored->id), seed);
}

// Leaves of each name the last record that is not a deletion; what is outdated becomes empty.
static int drop_outdated(struct weir_journal_records *records)
{
	size_t slots = 64;
	struct stored stored;

	while (slots < records->nb * 2)
		slots *= 2;
	uint64_t *seen = calloc(slots, sizeof(*seen));
	if (seen == NULL)
		return -ENOMEM;
	for (size_t i = records->nb; i-- > 0;) {
		struct weir_journal_record *record = &records->records[i];

		if (!take_apart(record, &stored)) {
			record->length = 0;
			continue;
		}
		if (stored.kind == KIND_RETIRED)
			continue; // each stands for itself
		uint64_t name = name_hash(&stored) | 1;
		size_t at = (size_t)(name >> 1) & (slots - 1);
		while (seen[at] != 0 && seen[at] != name)
			at = (at + 1) & (slots - 1);
		if (seen[at] == name || stored.kind == KIND_LB_GONE ||
		    stored.kind == KIND_LIST_GONE)
			record->length = 0;
		seen[at] = name;
	}
	free(seen);
	return 0;
}

static void load_node(struct weir_control *control, const struct stored *stored)
{
	struct weir_reject reject = {0};

	if (weir_node_build(control->engine->nb_workers, stored->message, &control->node,
			    &reject) != 0)
		weir_error("stored node configuration refused: code=%s reason=%s", reject.code,
			   reject.reason);
}

static struct weir_recovered *read_recovered(const Weir__V1__EngineLoadBalancer *message,
					     uint32_t *nb)
{
	struct weir_recovered *recovered = calloc(message->n_recovered + 1, sizeof(*recovered));

	*nb = 0;
	for (size_t i = 0; recovered != NULL && i < message->n_recovered; i++) {
		const Weir__V1__MemberVerdict *verdict = message->recovered[i];

		if (strlen(verdict->member_id) >= WEIR_ID_SIZE)
			continue;
		strcpy(recovered[*nb].member_id, verdict->member_id);
		recovered[(*nb)++].since_us = verdict->since_us;
	}
	return recovered;
}

static void load_lb(struct weir_control *control, const struct stored *stored)
{
	struct weir_bytes config = {0};
	struct weir_reject reject = {.code = "OUT_OF_MEMORY"};
	uint32_t nb_recovered;
	Weir__V1__EngineLoadBalancer *message = weir__v1__engine_load_balancer__unpack(
		NULL, stored->message.length, stored->message.data);

	if (message == NULL || weir_wire_field(stored->message, 3, 0, &config) != 0) {
		weir_error("stored load balancer can't be decoded: lb=%s", stored->id);
	} else {
		struct weir_recovered *recovered = read_recovered(message, &nb_recovered);
		struct weir_lb_input input = {
			.epoch = message->epoch,
			.sequence = message->sequence,
			.raw = config,
			.unhealthy = message->unhealthy_member_ids,
			.nb_unhealthy = (uint32_t)message->n_unhealthy_member_ids,
			.recovered = recovered,
			.nb_recovered = nb_recovered,
		};

		if (recovered == NULL ||
		    weir_load_lb(control, &input, stored->replaced_us, &reject) != 0)
			weir_error("stored load balancer refused: lb=%s code=%s reason=%s",
				   stored->id, reject.code, reject.reason);
		free(recovered);
	}
	if (message != NULL)
		weir__v1__engine_load_balancer__free_unpacked(message, NULL);
}

static void load_list(struct weir_control *control, const struct stored *stored)
{
	struct weir_reject reject = {0};
	Weir__V1__EnginePrefixList *message = weir__v1__engine_prefix_list__unpack(
		NULL, stored->message.length, stored->message.data);

	if (message == NULL)
		weir_error("stored prefix list can't be decoded: list=%s", stored->id);
	else if (weir_apply_prefix_list(control, message, stored->message, &reject) < 0)
		weir_error("stored prefix list refused: list=%s code=%s reason=%s", stored->id,
			   reject.code, reject.reason);
	if (message != NULL)
		weir__v1__engine_prefix_list__free_unpacked(message, NULL);
}

// Loads what is of one kind, in the order in which it was stored.
static void load_kind(struct weir_control *control, const struct weir_journal_records *records,
		      enum kind kind,
		      void (*load)(struct weir_control *control, const struct stored *stored))
{
	struct stored stored;

	for (size_t i = 0; i < records->nb; i++)
		if (records->records[i].length > 0 && records->records[i].data[0] == kind &&
		    take_apart(&records->records[i], &stored))
			load(control, &stored);
}

void weir_store_load(struct weir_control *control)
{
	struct weir_journal_records records;
	int ret = weir_journal_open(&control->journal, control->engine->options.state_dir,
				    JOURNAL_NAME, &records);

	if (ret == 0)
		ret = drop_outdated(&records);
	if (ret != 0) {
		weir_error("stored configuration can't be read: %s", strerror(-ret));
		return;
	}
	if (control->journal.lost > 0)
		weir_warn("stored configuration ends in what is not whole: bytes=%lu",
			  control->journal.lost);
	for (size_t i = 0; i < records.nb; i++)
		control->journal.rewritten += records.records[i].length;
	control->loading = true;
	load_kind(control, &records, KIND_NODE, load_node);
	load_kind(control, &records, KIND_LIST, load_list); // before what refers to them
	load_kind(control, &records, KIND_LB, load_lb);
	load_kind(control, &records, KIND_RETIRED, load_lb);
	control->loading = false;
	weir_journal_records_free(&records);
}
