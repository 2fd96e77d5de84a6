// SPDX-License-Identifier: Apache-2.0

#include "lib/maglev.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/flow_hash.h"
#include "tests/cmocka_all.h"

enum { MAX_TEST_MEMBERS = 1024 };

static char names[MAX_TEST_MEMBERS][64];
static struct weir_maglev_member members[MAX_TEST_MEMBERS];
static uint16_t table[1 << 17];

static void make_members(uint32_t nb, uint32_t weight)
{
	for (uint32_t i = 0; i < nb; i++) {
		snprintf(names[i], sizeof(names[i]), "mbr_%08x", i * 2654435761u);
		members[i] = (struct weir_maglev_member){names[i], weight};
	}
}

static void count_slots(uint32_t size, uint32_t nb, uint32_t *counts)
{
	memset(counts, 0, nb * sizeof(*counts));
	for (uint32_t s = 0; s < size; s++) {
		assert_true(table[s] < nb);
		counts[table[s]]++;
	}
}

static void check_golden_line(const char *line, uint32_t *nb, uint32_t *size, int *checks)
{
	char id[64];
	char client[32];
	char vip[32];
	unsigned int weight;
	unsigned int client_port;
	unsigned int vip_port;
	unsigned int protocol;
	unsigned long value;

	if (sscanf(line, "size %u", size) == 1)
		return;
	if (sscanf(line, "member %63s %u", id, &weight) == 2) {
		strcpy(names[*nb], id);
		members[*nb] = (struct weir_maglev_member){names[*nb], weight};
		(*nb)++;
	} else if (strncmp(line, "slots ", 6) == 0) {
		assert_int_equal(weir_maglev_build(table, *size, members, *nb), 0);
		char *at = (char *)(uintptr_t)line + 6;
		for (uint32_t s = 0; s < *size; s++) {
			long expected = strtol(at, &at, 10);
			long found = table[s] == WEIR_MAGLEV_EMPTY ? -1 : (long)table[s];

			assert_int_equal(found, expected);
		}
		(*checks)++;
	} else if (sscanf(line, "slots_xxh64 %lx", &value) == 1) {
		assert_int_equal(weir_maglev_build(table, *size, members, *nb), 0);
		assert_true(weir_xxh64(table, *size * sizeof(*table), 0) == value);
		(*checks)++;
	} else if (sscanf(line, "hash %31s %u %31s %u %u %lx", client, &client_port, vip, &vip_port,
			  &protocol, &value) == 6) {
		struct weir_address from = weir_address_v4(inet_addr(client));
		struct weir_address to = weir_address_v4(inet_addr(vip));
		assert_true(weir_select_hash(&from, htons((uint16_t)client_port), &to,
					     htons((uint16_t)vip_port),
					     (uint8_t)protocol) == value);
		(*checks)++;
	} else if (sscanf(line, "hash_source %31s %lx", client, &value) == 2) {
		struct weir_address from = weir_address_v4(inet_addr(client));
		assert_true(weir_select_hash_source(&from) == value);
		(*checks)++;
	}
}

static void tables_equal_the_golden_files(void **state)
{
	static char line[1 << 16];
	const char *folder = getenv("WEIR_GOLDEN_DIR");
	const struct dirent *entry;
	int files = 0;

	(void)state;
	assert_non_null(folder);
	if (folder == NULL)
		return;
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		char path[1024];
		uint32_t nb = 0;
		uint32_t size = 0;
		int checks = 0;

		if (strncmp(entry->d_name, "maglev_", 7) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		FILE *file = fopen(path, "r");
		assert_non_null(file);
		while (file != NULL && fgets(line, sizeof(line), file) != NULL)
			check_golden_line(line, &nb, &size, &checks);
		if (file != NULL)
			fclose(file);
		assert_int_equal(checks, 6); // the table, four hashes, one of the source
		files++;
	}
	closedir(dir);
	assert_true(files >= 10);
}

static void at_equal_weights_slots_differ_by_at_most_one(void **state)
{
	static const uint32_t sizes[] = {1009, 10007, 65537};
	uint32_t counts[MAX_TEST_MEMBERS];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (uint32_t nb = 1; nb < 1000; nb += 83) {
			make_members(nb, 7);
			assert_int_equal(weir_maglev_build(table, sizes[i], members, nb), 0);
			count_slots(sizes[i], nb, counts);
			for (uint32_t m = 0; m < nb; m++) {
				assert_true(counts[m] >= sizes[i] / nb);
				assert_true(counts[m] <= sizes[i] / nb + 1);
			}
		}
	}
}

static void shares_follow_weights_over_the_whole_table(void **state)
{
	uint32_t counts[4];
	const uint32_t size = 65537;

	(void)state;
	make_members(4, 1);
	members[0].weight = 256;
	members[1].weight = 128;
	members[2].weight = 1;
	members[3].weight = 0;
	assert_int_equal(weir_maglev_build(table, size, members, 4), 0);
	count_slots(size, 4, counts);
	assert_in_range(counts[0], size * 256 / 385 - 2, size * 256 / 385 + 2);
	assert_in_range(counts[1], size * 128 / 385 - 2, size * 128 / 385 + 2);
	assert_in_range(counts[2], size / 385 - 2, size / 385 + 2);
	assert_int_equal(counts[3], 0);
}

static void maglev_moves_few_flows_when_one_backend_leaves(void **state)
{
	static uint16_t before[65537];
	const uint32_t size = 65537;
	const uint32_t nb = 100;
	uint32_t moved = 0;

	(void)state;
	make_members(nb, 1);
	assert_int_equal(weir_maglev_build(before, size, members, nb), 0);
	members[17].weight = 0;
	assert_int_equal(weir_maglev_build(table, size, members, nb), 0);
	for (uint32_t s = 0; s < size; s++)
		moved += before[s] != 17 && before[s] != table[s];
	assert_true(moved < size / 20);
}

static void order_of_members_does_not_matter(void **state)
{
	static uint16_t before[10007];
	struct weir_maglev_member reversed[50];

	(void)state;
	make_members(50, 3);
	assert_int_equal(weir_maglev_build(before, 10007, members, 50), 0);
	for (int i = 0; i < 50; i++)
		reversed[i] = members[49 - i];
	assert_int_equal(weir_maglev_build(table, 10007, reversed, 50), 0);
	for (int s = 0; s < 10007; s++)
		assert_int_equal(before[s], 49 - table[s]);
}

static void refuses_sizes_that_are_no_prime_or_too_small(void **state)
{
	(void)state;
	make_members(10, 1);
	assert_int_equal(weir_maglev_build(table, 1000, members, 10), -EINVAL);
	assert_int_equal(weir_maglev_build(table, 7, members, 10), -EINVAL);
	assert_int_equal(weir_maglev_build(table, 0, members, 0), -EINVAL);
	assert_int_equal(weir_maglev_build(table, 11, members, WEIR_MAGLEV_MAX_MEMBERS + 1),
			 -E2BIG);
}

static void xxh64_equals_published_values(void **state)
{
	(void)state;
	assert_true(weir_xxh64("", 0, 0) == UINT64_C(0xEF46DB3751D8E999));
	assert_true(weir_xxh64("abc", 3, 0) == UINT64_C(0x44BC2CF5AD770999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_equal_the_golden_files),
		cmocka_unit_test(at_equal_weights_slots_differ_by_at_most_one),
		cmocka_unit_test(shares_follow_weights_over_the_whole_table),
		cmocka_unit_test(maglev_moves_few_flows_when_one_backend_leaves),
		cmocka_unit_test(order_of_members_does_not_matter),
		cmocka_unit_test(refuses_sizes_that_are_no_prime_or_too_small),
		cmocka_unit_test(xxh64_equals_published_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
