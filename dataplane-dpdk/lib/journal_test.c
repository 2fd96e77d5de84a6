// SPDX-License-Identifier: Apache-2.0

#include "lib/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/cmocka_all.h"

#define NAME "journal"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/weir-journal-XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static void path_of(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", dir, name);
}

static int remove_dir(void **state)
{
	char path[128];

	(void)state;
	path_of(path, sizeof(path), NAME);
	unlink(path);
	path_of(path, sizeof(path), NAME ".new");
	unlink(path);
	return rmdir(dir);
}

static void open_new(struct weir_journal *journal)
{
	struct weir_journal_records records;

	assert_int_equal(weir_journal_open(journal, dir, NAME, &records), 0);
	assert_int_equal(records.nb, 0);
	weir_journal_records_free(&records);
}

static size_t read_file(uint8_t *out, size_t room)
{
	char path[128];

	path_of(path, sizeof(path), NAME);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	size_t length = fread(out, 1, room, file);
	fclose(file);
	return length;
}

static void write_file(const uint8_t *data, size_t length)
{
	char path[128];

	path_of(path, sizeof(path), NAME);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, length, file), length);
	fclose(file);
}

static void append(struct weir_journal *journal, const char *text)
{
	weir_journal_append(journal, text, 1, text + 1, strlen(text) - 1);
}

static void assert_record(const struct weir_journal_records *records, size_t i, const char *text)
{
	assert_int_equal(records->records[i].length, strlen(text));
	assert_memory_equal(records->records[i].data, text, strlen(text));
}

static void what_was_committed_is_read_again(void **state)
{
	struct weir_journal journal;
	struct weir_journal_records records;

	(void)state;
	open_new(&journal);
	append(&journal, "one");
	append(&journal, "two, which is longer");
	assert_int_equal(weir_journal_commit(&journal, true), 0);
	append(&journal, "three");
	assert_int_equal(weir_journal_commit(&journal, false), 0);
	append(&journal, "never committed");
	weir_journal_close(&journal);

	assert_int_equal(weir_journal_open(&journal, dir, NAME, &records), 0);

	assert_int_equal(records.nb, 3);
	assert_record(&records, 0, "one");
	assert_record(&records, 1, "two, which is longer");
	assert_record(&records, 2, "three");
	assert_int_equal(journal.lost, 0);
	weir_journal_records_free(&records);
	weir_journal_close(&journal);
}

// A power cut may leave any part of the last commit.
static void any_cut_leaves_the_records_before_it(void **state)
{
	struct weir_journal journal;
	struct weir_journal_records records;
	static uint8_t whole[4096];
	size_t ends[4];

	(void)state;
	open_new(&journal);
	ends[0] = (size_t)journal.length;
	for (int i = 1; i < 4; i++) {
		append(&journal, i == 2 ? "second" : "another record");
		assert_int_equal(weir_journal_commit(&journal, true), 0);
		ends[i] = (size_t)journal.length;
	}
	weir_journal_close(&journal);
	assert_int_equal(read_file(whole, sizeof(whole)), ends[3]);
	for (size_t cut = 0; cut <= ends[3]; cut++) {
		size_t kept = cut >= ends[3] ? 3 : cut >= ends[2] ? 2 : cut >= ends[1] ? 1 : 0;

		write_file(whole, cut);
		assert_int_equal(weir_journal_open(&journal, dir, NAME, &records), 0);
		assert_int_equal(records.nb, kept);
		weir_journal_records_free(&records);
		append(&journal, "after the cut");
		assert_int_equal(weir_journal_commit(&journal, true), 0);
		weir_journal_close(&journal);
		assert_int_equal(weir_journal_open(&journal, dir, NAME, &records), 0);
		assert_int_equal(records.nb, kept + 1);
		assert_record(&records, kept, "after the cut");
		weir_journal_records_free(&records);
		weir_journal_close(&journal);
	}
}

static void a_changed_byte_is_noticed(void **state)
{
	struct weir_journal journal;
	struct weir_journal_records records;
	uint8_t whole[256];

	(void)state;
	open_new(&journal);
	append(&journal, "first");
	size_t first = 8 + 16 + 5;
	append(&journal, "second");
	assert_int_equal(weir_journal_commit(&journal, true), 0);
	weir_journal_close(&journal);
	size_t length = read_file(whole, sizeof(whole));
	for (size_t at = first; at < length; at++) {
		if (at - first >= 4 && at - first < 8)
			continue; // reserved
		whole[at] ^= 0x40;
		write_file(whole, length);
		whole[at] ^= 0x40;

		assert_int_equal(weir_journal_open(&journal, dir, NAME, &records), 0);
		assert_int_equal(records.nb, 1);
		assert_int_equal(journal.lost, length - first);
		weir_journal_records_free(&records);
		weir_journal_close(&journal);
	}
}

static void fill(struct weir_journal *journal, void *context)
{
	append(journal, context);
}

static void rewriting_takes_the_old_files_place(void **state)
{
	struct weir_journal journal;
	struct weir_journal_records records;
	char kept[] = "all that counts";
	static char big[1 << 16];
	char path[128];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	open_new(&journal);
	for (int i = 0; i < 70; i++)
		append(&journal, big);
	assert_int_equal(weir_journal_commit(&journal, true), 0);
	assert_true(weir_journal_wants_rewrite(&journal));

	assert_int_equal(weir_journal_rewrite(&journal, fill, kept), 0);

	assert_false(weir_journal_wants_rewrite(&journal));
	append(&journal, "and more");
	assert_int_equal(weir_journal_commit(&journal, true), 0);
	weir_journal_close(&journal);
	path_of(path, sizeof(path), NAME ".new");
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(weir_journal_open(&journal, dir, NAME, &records), 0);
	assert_int_equal(records.nb, 2);
	assert_record(&records, 0, kept);
	assert_record(&records, 1, "and more");
	weir_journal_records_free(&records);
	weir_journal_close(&journal);
}

// What a kill in the middle of rewriting leaves beside the file is no harm.
static void a_half_written_new_file_is_ignored(void **state)
{
	struct weir_journal journal;
	struct weir_journal_records records;
	char kept[] = "kept";
	char path[128];

	(void)state;
	open_new(&journal);
	append(&journal, kept);
	assert_int_equal(weir_journal_commit(&journal, true), 0);
	weir_journal_close(&journal);
	path_of(path, sizeof(path), NAME ".new");
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	fputs("WEIRJRN1 and then nothing", file);
	fclose(file);

	assert_int_equal(weir_journal_open(&journal, dir, NAME, &records), 0);

	assert_int_equal(records.nb, 1);
	assert_record(&records, 0, kept);
	weir_journal_records_free(&records);
	assert_int_equal(weir_journal_rewrite(&journal, fill, kept), 0);
	weir_journal_close(&journal);
	assert_int_equal(weir_journal_open(&journal, dir, NAME, &records), 0);
	assert_int_equal(records.nb, 1);
	weir_journal_records_free(&records);
	weir_journal_close(&journal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_committed_is_read_again, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(any_cut_leaves_the_records_before_it, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(a_changed_byte_is_noticed, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(rewriting_takes_the_old_files_place, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(a_half_written_new_file_is_ignored, make_dir,
						remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
