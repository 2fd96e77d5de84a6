// SPDX-License-Identifier: Apache-2.0
//
// The last applied configuration, one file per load balancer and one for the node, in the form in
// which it came. Written aside and renamed: a kill leaves the old file or the new one.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/control.h"
#include "main/log.h"

#define LB_SUFFIX   ".lb"
#define LIST_SUFFIX ".prefixes"

static int write_all(int fd, const uint8_t *data, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, data, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return -EIO;
		data += written;
		length -= (size_t)written;
	}
	return 0;
}

static int write_file(const struct weir_control *control, const char *name, const uint8_t *data,
		      size_t length)
{
	char path[4096];
	char temporary[4096];
	const char *dir = control->engine->options.state_dir;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) ||
	    snprintf(temporary, sizeof(temporary), "%s/.%s.new", dir, name) >=
		    (int)sizeof(temporary))
		return -ENAMETOOLONG;
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int ret = write_all(fd, data, length);
	if (close(fd) != 0 && ret == 0)
		ret = -errno;
	if (ret == 0 && rename(temporary, path) != 0)
		ret = -errno;
	if (ret != 0)
		unlink(temporary);
	return ret;
}

// An id becomes a file's name; anything but these characters could leave the folder.
static bool safe_name(const char *id)
{
	return id[0] != '\0' && id[0] != '.' &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
		       strlen(id);
}

int weir_store_node(const struct weir_control *control)
{
	return write_file(control, "node", control->node->raw, control->node->raw_length);
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

int weir_store_lb(const struct weir_control *control, const struct weir_lb *lb)
{
	enum { FIELD_HEAD = 6 }; // tag and the longest length
	char name[WEIR_ID_SIZE + 8];
	Weir__V1__EngineLoadBalancer message = WEIR__V1__ENGINE_LOAD_BALANCER__INIT;
	char **unhealthy = calloc(lb->nb_unhealthy + 1, sizeof(char *));
	Weir__V1__MemberVerdict *verdicts = calloc(lb->nb_recovered + 1, sizeof(*verdicts));
	Weir__V1__MemberVerdict **recovered =
		calloc(lb->nb_recovered + 1, sizeof(Weir__V1__MemberVerdict *));
	uint8_t *packed = NULL;
	int ret = safe_name(lb->id) ? -ENOMEM : -EINVAL;

	if (ret == -EINVAL || unhealthy == NULL || verdicts == NULL || recovered == NULL)
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
		size_t length = weir__v1__engine_load_balancer__pack(&message, packed);

		length += append_config(packed + length, lb);
		snprintf(name, sizeof(name), "%s%s", lb->id, LB_SUFFIX);
		ret = write_file(control, name, packed, length);
	}
out:
	free(packed);
	free(unhealthy);
	free(verdicts);
	free(recovered);
	return ret;
}

static void remove_file(const struct weir_control *control, const char *id, const char *suffix)
{
	char path[4096];

	if (safe_name(id) &&
	    snprintf(path, sizeof(path), "%s/%s%s", control->engine->options.state_dir, id,
		     suffix) < (int)sizeof(path))
		unlink(path);
}

void weir_store_delete_lb(const struct weir_control *control, const char *id)
{
	remove_file(control, id, LB_SUFFIX);
}

int weir_store_prefix_list(const struct weir_control *control, const char *id,
			   struct weir_bytes raw)
{
	char name[WEIR_ID_SIZE + 16];

	if (!safe_name(id) ||
	    snprintf(name, sizeof(name), "%s%s", id, LIST_SUFFIX) >= (int)sizeof(name))
		return -EINVAL;
	return write_file(control, name, raw.data, raw.length);
}

void weir_store_delete_prefix_list(const struct weir_control *control, const char *id)
{
	remove_file(control, id, LIST_SUFFIX);
}

static int read_file(const struct weir_control *control, const char *name, struct weir_bytes *out)
{
	char path[4096];
	struct stat st;
	int ret = -EIO;

	if (snprintf(path, sizeof(path), "%s/%s", control->engine->options.state_dir, name) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && st.st_size <= (off_t)WEIR_MAX_FRAME) {
		uint8_t *data = malloc((size_t)st.st_size + 1);

		if (data != NULL && read(fd, data, (size_t)st.st_size) == st.st_size) {
			*out = (struct weir_bytes){data, (size_t)st.st_size};
			ret = 0;
		} else {
			free(data);
		}
	}
	close(fd);
	return ret;
}

static void load_node(struct weir_control *control)
{
	struct weir_bytes raw = {0};
	struct weir_reject reject = {0};

	if (read_file(control, "node", &raw) != 0)
		return;
	if (weir_node_build(control->engine->nb_workers, raw, &control->node, &reject) != 0)
		weir_error("stored node configuration refused: code=%s reason=%s", reject.code,
			   reject.reason);
	free((void *)(uintptr_t)raw.data);
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

static void load_lb(struct weir_control *control, const char *name, struct weir_bytes raw)
{
	struct weir_bytes config = {0};
	struct weir_reject reject = {.code = "OUT_OF_MEMORY"};
	uint32_t nb_recovered;
	Weir__V1__EngineLoadBalancer *message =
		weir__v1__engine_load_balancer__unpack(NULL, raw.length, raw.data);

	if (message == NULL || weir_wire_field(raw, 3, 0, &config) != 0) {
		weir_error("stored load balancer can't be decoded: file=%s", name);
	} else {
		struct weir_recovered *recovered = read_recovered(message, &nb_recovered);

		if (recovered == NULL || weir_load_lb(control, message->epoch, message->sequence,
						      config, message->unhealthy_member_ids,
						      (uint32_t)message->n_unhealthy_member_ids,
						      recovered, nb_recovered, &reject) != 0)
			weir_error("stored load balancer refused: file=%s code=%s reason=%s", name,
				   reject.code, reject.reason);
		free(recovered);
	}
	if (message != NULL)
		weir__v1__engine_load_balancer__free_unpacked(message, NULL);
}

static void load_prefix_list(struct weir_control *control, const char *name, struct weir_bytes raw)
{
	struct weir_reject reject = {0};
	Weir__V1__EnginePrefixList *message =
		weir__v1__engine_prefix_list__unpack(NULL, raw.length, raw.data);

	if (message == NULL)
		weir_error("stored prefix list can't be decoded: file=%s", name);
	else if (weir_apply_prefix_list(control, message, raw, &reject) < 0)
		weir_error("stored prefix list refused: file=%s code=%s reason=%s", name,
			   reject.code, reject.reason);
	if (message != NULL)
		weir__v1__engine_prefix_list__free_unpacked(message, NULL);
}

// Every file of the state folder with that suffix.
static void load_files(struct weir_control *control, const char *suffix,
		       void (*load)(struct weir_control *control, const char *name,
				    struct weir_bytes raw))
{
	DIR *dir = opendir(control->engine->options.state_dir);
	const struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		size_t length = strlen(entry->d_name);
		struct weir_bytes raw = {0};

		if (entry->d_name[0] == '.' || length <= strlen(suffix) ||
		    strcmp(entry->d_name + length - strlen(suffix), suffix) != 0)
			continue;
		if (read_file(control, entry->d_name, &raw) == 0)
			load(control, entry->d_name, raw);
		free((void *)(uintptr_t)raw.data);
	}
	closedir(dir);
}

void weir_store_load(struct weir_control *control)
{
	load_node(control);
	control->loading = true;
	load_files(control, LIST_SUFFIX, load_prefix_list); // before what refers to them
	load_files(control, LB_SUFFIX, load_lb);
	control->loading = false;
}
