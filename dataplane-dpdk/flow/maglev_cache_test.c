// SPDX-License-Identifier: Apache-2.0

#include "flow/maglev_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/cmocka_all.h"

static char dir[32];
static struct weir_maglev_cache *cache;
static uint16_t table[10007];
static uint16_t expected[10007];

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/weir-maglev-XXXXXX");
	cache = mkdtemp(dir) != NULL ? weir_maglev_cache_open(dir) : NULL;
	return cache != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	char path[64];

	(void)state;
	weir_maglev_cache_close(cache);
	snprintf(path, sizeof(path), "%s/maglev", dir);
	unlink(path);
	return rmdir(dir);
}

static void build(uint32_t size, const char *first, uint32_t weight)
{
	const struct weir_maglev_member members[2] = {{.id = first, .weight = weight},
						      {.id = "mbr_2", .weight = 1}};

	assert_int_equal(weir_maglev_cache_build(cache, table, size, members, 2), 0);
	assert_int_equal(weir_maglev_build(expected, size, members, 2), 0);
	assert_memory_equal(table, expected, size * sizeof(*table));
}

static void a_table_is_found_by_what_it_was_made_of(void **state)
{
	(void)state;
	build(101, "mbr_1", 1);
	build(101, "mbr_1", 2);
	build(101, "mbr_3", 1);
	build(103, "mbr_1", 1);
	assert_int_equal(weir_maglev_cache_hits(cache), 0);
	build(101, "mbr_1", 1);
	build(101, "mbr_1", 2);
	assert_int_equal(weir_maglev_cache_hits(cache), 2);
	weir_maglev_cache_close(cache);
	cache = weir_maglev_cache_open(dir);
	assert_non_null(cache);
	build(101, "mbr_3", 1);
	build(103, "mbr_1", 1);
	assert_int_equal(weir_maglev_cache_hits(cache), 2);
}

static void a_full_cache_begins_anew(void **state)
{
	char id[16];

	(void)state;
	for (int n = 0; n < 4000; n++) { // 80 MB
		snprintf(id, sizeof(id), "mbr_%d", n);
		build(10007, id, 1);
	}
	build(10007, "mbr_3999", 1);
	assert_int_equal(weir_maglev_cache_hits(cache), 1);
	build(10007, "mbr_0", 1);
	assert_int_equal(weir_maglev_cache_hits(cache), 1);
}

static void a_damaged_file_is_not_believed(void **state)
{
	char path[64];
	const uint64_t used = UINT64_MAX / 2;

	(void)state;
	build(101, "mbr_1", 1);
	weir_maglev_cache_close(cache);
	snprintf(path, sizeof(path), "%s/maglev", dir);
	FILE *file = fopen(path, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, 8, SEEK_SET), 0);
	assert_int_equal(fwrite(&used, sizeof(used), 1, file), 1);
	assert_int_equal(fclose(file), 0);
	cache = weir_maglev_cache_open(dir);
	assert_non_null(cache);
	build(101, "mbr_1", 1);
	assert_int_equal(weir_maglev_cache_hits(cache), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_table_is_found_by_what_it_was_made_of, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_full_cache_begins_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_damaged_file_is_not_believed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
