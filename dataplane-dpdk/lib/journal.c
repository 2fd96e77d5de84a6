// SPDX-License-Identifier: Apache-2.0

#include "lib/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/flow_hash.h"

enum { MIN_REWRITE = 4 << 20, MAX_RECORD = 32 << 20 };

static const uint8_t magic[8] = "WEIRJRN1";

struct frame {
	uint32_t length;
	uint32_t reserved;
	uint64_t hash; // of the bytes, seeded by where in the file they begin
};

_Static_assert(sizeof(struct frame) == 16, "no padding on disk");

static int write_all(int fd, const uint8_t *data, size_t length, uint64_t at)
{
	while (length > 0) {
		ssize_t written = pwrite(fd, data, length, (off_t)at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? -errno : -EIO;
		data += written;
		at += (uint64_t)written;
		length -= (size_t)written;
	}
	return 0;
}

static int read_all(int fd, uint8_t **out, size_t *length)
{
	struct stat st;
	size_t at = 0;

	if (fstat(fd, &st) != 0)
		return -errno;
	*length = (size_t)st.st_size;
	*out = malloc(*length + 1);
	if (*out == NULL)
		return -ENOMEM;
	while (at < *length) {
		ssize_t got = pread(fd, *out + at, *length - at, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			free(*out);
			*out = NULL;
			return got < 0 ? -errno : -EIO;
		}
		at += (size_t)got;
	}
	return 0;
}

// The record at `at`; NULL: none that is whole begins there.
static const uint8_t *record_at(const uint8_t *bytes, size_t length, size_t at, size_t *size)
{
	struct frame frame;

	if (length - at < sizeof(frame))
		return NULL;
	memcpy(&frame, bytes + at, sizeof(frame));
	at += sizeof(frame);
	if (frame.length > MAX_RECORD || frame.length > length - at ||
	    weir_xxh64(bytes + at, frame.length, at) != frame.hash)
		return NULL;
	*size = frame.length;
	return bytes + at;
}

// Finds the records and answers where they end.
static int parse(struct weir_journal_records *out, size_t length, uint64_t *end)
{
	size_t at = sizeof(magic);
	size_t capacity = 0;
	size_t size;
	const uint8_t *data;

	*end = 0;
	if (out->bytes == NULL || length < sizeof(magic) ||
	    memcmp(out->bytes, magic, sizeof(magic)) != 0)
		return 0;
	while ((data = record_at(out->bytes, length, at, &size)) != NULL) {
		if (out->nb == capacity) {
			capacity = capacity * 2 + 1024;
			struct weir_journal_record *grown =
				realloc(out->records, capacity * sizeof(*grown));

			if (grown == NULL)
				return -ENOMEM;
			out->records = grown;
		}
		out->records[out->nb++] = (struct weir_journal_record){data, size};
		at += sizeof(struct frame) + size;
	}
	*end = at;
	return 0;
}

// A file's beginning, on disk together with its name.
static int begin(struct weir_journal *journal)
{
	int ret = write_all(journal->fd, magic, sizeof(magic), 0);

	if (ret == 0 && (ftruncate(journal->fd, sizeof(magic)) != 0 || fsync(journal->fd) != 0 ||
			 fsync(journal->dir_fd) != 0))
		ret = -errno;
	journal->length = sizeof(magic);
	return ret;
}

int weir_journal_open(struct weir_journal *journal, const char *dir, const char *name,
		      struct weir_journal_records *records)
{
	size_t length = 0;
	int ret;

	*journal = (struct weir_journal){.fd = -1};
	*records = (struct weir_journal_records){0};
	snprintf(journal->name, sizeof(journal->name), "%s", name);
	journal->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (journal->dir_fd < 0)
		return -errno;
	journal->fd = openat(journal->dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ret = journal->fd < 0 ? -errno : read_all(journal->fd, &records->bytes, &length);
	if (ret == 0)
		ret = parse(records, length, &journal->length);
	if (ret != 0)
		goto err;
	journal->lost = length - journal->length;
	if (journal->length == 0)
		ret = begin(journal);
	else if (journal->lost > 0 && ftruncate(journal->fd, (off_t)journal->length) != 0)
		ret = -errno;
	if (ret != 0)
		goto err;
	journal->open = true;
	return 0;
err:
	weir_journal_records_free(records);
	weir_journal_close(journal);
	return ret;
}

void weir_journal_records_free(struct weir_journal_records *records)
{
	free(records->bytes);
	free(records->records);
	*records = (struct weir_journal_records){0};
}

void weir_journal_close(struct weir_journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	if (journal->dir_fd >= 0)
		close(journal->dir_fd);
	free(journal->pending);
	*journal = (struct weir_journal){.dir_fd = -1, .fd = -1};
}

static bool reserve(struct weir_journal *journal, size_t more)
{
	if (journal->capacity - journal->nb_pending >= more)
		return true;
	size_t capacity = journal->capacity * 2 + more;
	uint8_t *grown = realloc(journal->pending, capacity);

	if (grown == NULL)
		return false;
	journal->pending = grown;
	journal->capacity = capacity;
	return true;
}

void weir_journal_append(struct weir_journal *journal, const void *head, size_t head_length,
			 const void *body, size_t body_length)
{
	struct frame frame = {.length = (uint32_t)(head_length + body_length)};

	if (!journal->open)
		return;
	if (head_length + body_length > MAX_RECORD ||
	    !reserve(journal, sizeof(frame) + head_length + body_length)) {
		journal->failed = true;
		return;
	}
	uint8_t *at = journal->pending + journal->nb_pending;
	uint8_t *data = at + sizeof(frame);
	if (head_length > 0)
		memcpy(data, head, head_length);
	if (body_length > 0)
		memcpy(data + head_length, body, body_length);
	frame.hash = weir_xxh64(data, frame.length,
				journal->length + journal->nb_pending + sizeof(frame));
	memcpy(at, &frame, sizeof(frame));
	journal->nb_pending += sizeof(frame) + frame.length;
}

int weir_journal_commit(struct weir_journal *journal, bool wait)
{
	int ret = journal->failed ? -ENOMEM : 0;

	if (!journal->open)
		ret = -EBADF;
	if (ret == 0 && journal->nb_pending > 0) {
		ret = write_all(journal->fd, journal->pending, journal->nb_pending,
				journal->length);
		if (ret == 0 && wait && fdatasync(journal->fd) != 0)
			ret = -errno;
		if (ret == 0)
			journal->length += journal->nb_pending;
		else // a half-written end would hide what is appended after it
			(void)!ftruncate(journal->fd, (off_t)journal->length);
	}
	journal->nb_pending = 0;
	journal->failed = false;
	return ret;
}

bool weir_journal_wants_rewrite(const struct weir_journal *journal)
{
	return journal->length > 2 * journal->rewritten + MIN_REWRITE;
}

int weir_journal_rewrite(struct weir_journal *journal,
			 void (*fill)(struct weir_journal *journal, void *context), void *context)
{
	struct weir_journal fresh = {.open = true, .dir_fd = journal->dir_fd, .fd = -1};
	char temporary[sizeof(journal->name) + 8];

	snprintf(temporary, sizeof(temporary), "%s.new", journal->name);
	fresh.fd = openat(journal->dir_fd, temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fresh.fd < 0)
		return -errno;
	int ret = begin(&fresh);
	if (ret == 0) {
		fill(&fresh, context);
		ret = weir_journal_commit(&fresh, true);
	}
	if (ret == 0 && renameat(journal->dir_fd, temporary, journal->dir_fd, journal->name) != 0)
		ret = -errno;
	free(fresh.pending);
	if (ret != 0) {
		close(fresh.fd);
		unlinkat(journal->dir_fd, temporary, 0);
		return ret;
	}
	close(journal->fd);
	journal->fd = fresh.fd;
	journal->length = fresh.length;
	journal->rewritten = fresh.length;
	// Until the folder is on disk a power cut leaves the old file, which is whole as well, but
	// for what is committed from here on.
	return fsync(journal->dir_fd) == 0 ? 0 : -errno;
}
