// SPDX-License-Identifier: Apache-2.0
//
// A file of records that is only appended to. Each record carries its length and a hash of its
// bytes and its place, so that whatever a kill or a power cut left of the last ones is told from
// whole ones. What was committed is on disk; records of one commit share one wait for it. When most
// of the file is outdated its owner writes all that still counts to a new one, which takes the old
// one's place in a single step.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weir_journal {
	bool open; // else nothing is taken
	int dir_fd;
	int fd;
	char name[32];
	uint64_t length;    // of what is in the file
	uint64_t rewritten; // its length when it was last written anew
	uint64_t lost;      // bytes at the end that were no whole records when it was opened
	uint8_t *pending;   // records that are not in the file yet
	size_t nb_pending;
	size_t capacity;
	bool failed; // memory ran out for a record: the next commit says so
};

// The bytes of one record; they stay where they are until weir_journal_records_free().
struct weir_journal_record {
	const uint8_t *data;
	size_t length;
};

struct weir_journal_records {
	uint8_t *bytes;
	size_t nb;
	struct weir_journal_record *records; // in the order in which they were appended
};

// Opens `name` in folder `dir`, or makes it, and reads its records. An end that is not whole is cut
// off. Returns 0 or -errno.
int weir_journal_open(struct weir_journal *journal, const char *dir, const char *name,
		      struct weir_journal_records *records);
void weir_journal_records_free(struct weir_journal_records *records);
void weir_journal_close(struct weir_journal *journal);

// Adds a record of `head` and `body`, one after the other, to the next commit.
void weir_journal_append(struct weir_journal *journal, const void *head, size_t head_length,
			 const void *body, size_t body_length);
// Writes what was appended; with `wait`, returns when it is on disk. Returns 0 or -errno, and then
// nothing of the commit is in the file.
int weir_journal_commit(struct weir_journal *journal, bool wait);

// The file is more than twice as long as when it was last written anew.
bool weir_journal_wants_rewrite(const struct weir_journal *journal);
// Writes a file of what `fill` appends, waits until it is on disk, and puts it in the old one's
// place. Returns 0 or -errno, with the old one untouched. Nothing may be pending.
int weir_journal_rewrite(struct weir_journal *journal,
			 void (*fill)(struct weir_journal *journal, void *context), void *context);
