// SPDX-License-Identifier: Apache-2.0

#include "lib/prefix_set.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/cmocka_all.h"

enum { NB_LARGE = 100000 };

static size_t put(uint8_t *out, const char *address, uint8_t length)
{
	int family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET;

	out[0] = family == AF_INET6 ? 6 : 4;
	out[1] = length;
	assert_int_equal(inet_pton(family, address, out + 2), 1);
	return family == AF_INET6 ? 18 : 6;
}

static bool has(const struct weir_prefix_set *set, const char *text)
{
	uint8_t bytes[16];
	weir_be32_t v4;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		struct weir_address address = weir_address_v4(v4);

		return weir_prefix_set_has(set, &address);
	}
	assert_int_equal(inet_pton(AF_INET6, text, bytes), 1);
	struct weir_address address = weir_address_v6(bytes);
	return weir_prefix_set_has(set, &address);
}

static void addresses_are_found_by_their_prefixes(void **state)
{
	static const struct {
		const char *address;
		bool member;
	} rows[] = {
		{"0.0.0.0", false},        {"9.255.255.255", false},
		{"10.0.0.0", true},        {"10.255.255.255", true},
		{"11.0.0.0", false},       {"192.0.2.127", false},
		{"192.0.2.128", true},     {"192.0.2.255", true},
		{"192.0.3.255", true},     {"192.0.4.0", false},
		{"255.255.255.255", true}, {"255.255.255.254", false},
		{"2001:db8::", true},      {"2001:db8:0:ffff:ffff:ffff:ffff:ffff", true},
		{"2001:db8:1::", false},   {"2001:db7:ffff::", false},
		{"fe80::1", true},         {"fe80::2", false},
		{"::ffff:10.0.0.1", true}, {"::1", false},
	};
	uint8_t packed[256];
	struct weir_prefix_set set;
	size_t length = 0;

	(void)state;
	length += put(packed + length, "10.0.0.0", 8);
	length += put(packed + length, "10.1.0.0", 16);  // inside the one before
	length += put(packed + length, "192.0.3.0", 24); // touches the next
	length += put(packed + length, "192.0.2.128", 25);
	length += put(packed + length, "255.255.255.255", 32);
	length += put(packed + length, "2001:db8::", 48);
	length += put(packed + length, "fe80::1", 128);
	assert_int_equal(weir_prefix_set_build(&set, packed, length, NULL), WEIR_PREFIX_SET_SOUND);
	assert_int_equal(set.nb_prefixes, 7);
	assert_int_equal(set.v4.nb, 3);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (has(&set, rows[i].address) != rows[i].member)
			fail_msg("%s", rows[i].address);
	weir_prefix_set_destroy(&set);
}

static void everything_and_nothing(void **state)
{
	uint8_t packed[64];
	struct weir_prefix_set set;
	size_t length = put(packed, "0.0.0.0", 0);

	(void)state;
	assert_int_equal(weir_prefix_set_build(&set, packed, 0, NULL), WEIR_PREFIX_SET_SOUND);
	assert_false(has(&set, "192.0.2.1"));
	assert_false(has(&set, "2001:db8::1"));
	weir_prefix_set_destroy(&set);
	length += put(packed + length, "::", 0);
	length += put(packed + length, "ff00::", 8); // within ::/0
	assert_int_equal(weir_prefix_set_build(&set, packed, length, NULL), WEIR_PREFIX_SET_SOUND);
	assert_true(has(&set, "0.0.0.0"));
	assert_true(has(&set, "255.255.255.255"));
	assert_true(has(&set, "::"));
	assert_true(has(&set, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	weir_prefix_set_destroy(&set);
}

static void flaws_are_named_with_their_place(void **state)
{
	uint8_t packed[64];
	struct weir_prefix_set set;
	size_t one = put(packed, "10.0.0.0", 8);
	uint32_t at;

	(void)state;
	assert_int_equal(weir_prefix_set_build(&set, packed, one - 1, &at),
			 WEIR_PREFIX_SET_TRUNCATED);
	size_t two = one + put(packed + one, "11.0.0.1", 8);
	assert_int_equal(weir_prefix_set_build(&set, packed, two, &at), WEIR_PREFIX_SET_HOST_BITS);
	assert_int_equal(at, 1);
	put(packed + one, "10.0.0.0", 8); // twice
	assert_int_equal(weir_prefix_set_build(&set, packed, two, &at), WEIR_PREFIX_SET_UNSORTED);
	put(packed + one, "9.0.0.0", 8);
	assert_int_equal(weir_prefix_set_build(&set, packed, two, &at), WEIR_PREFIX_SET_UNSORTED);
	packed[one] = 5;
	assert_int_equal(weir_prefix_set_build(&set, packed, two, &at), WEIR_PREFIX_SET_FAMILY);
	packed[1] = 33;
	assert_int_equal(weir_prefix_set_build(&set, packed, two, &at), WEIR_PREFIX_SET_LENGTH);
	assert_int_equal(at, 0);
	two = put(packed, "2001:db8::", 32);
	two += put(packed + two, "10.0.0.0", 8); // IPv4 stands first
	assert_int_equal(weir_prefix_set_build(&set, packed, two, &at), WEIR_PREFIX_SET_UNSORTED);
}

static void a_list_beyond_the_limit_is_refused(void **state)
{
	size_t length = ((size_t)NB_LARGE + 1) * 6;
	uint8_t *packed = malloc(length);
	struct weir_prefix_set set;

	(void)state;
	for (uint32_t i = 0; i <= NB_LARGE; i++) {
		uint8_t entry[6] = {4, 32, 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

		memcpy(packed + (size_t)i * 6, entry, 6);
	}
	assert_int_equal(weir_prefix_set_build(&set, packed, length, NULL),
			 WEIR_PREFIX_SET_TOO_MANY);
	assert_int_equal(weir_prefix_set_build(&set, packed, length - 6, NULL),
			 WEIR_PREFIX_SET_SOUND);
	assert_int_equal(set.v4.nb, 1); // all of them touch
	weir_prefix_set_destroy(&set);
	free(packed);
}

static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static int compare_entries(const void *a, const void *b)
{
	return memcmp(a, b, 6);
}

// 100,000 random /24 to /32: compared with a bitmap of what each prefix holds, looked up a million
// times.
static void many_prefixes_answer_as_a_bitmap_does(void **state)
{
	uint8_t *packed = malloc((size_t)NB_LARGE * 6);
	uint8_t *bitmap = calloc(1, (size_t)1 << 24); // of the 27 upper bits
	struct weir_prefix_set set;
	struct timespec start;
	struct timespec end;
	uint32_t x = 7;
	uint32_t hits = 0;
	size_t nb = 0;

	(void)state;
	for (uint32_t i = 0; i < NB_LARGE; i++) {
		uint8_t bits = (uint8_t)(20 + next_random(&x) % 8);
		uint32_t address = next_random(&x) & (UINT32_MAX << (32 - bits));
		uint8_t entry[6] = {4,
				    bits,
				    (uint8_t)(address >> 24),
				    (uint8_t)(address >> 16),
				    (uint8_t)(address >> 8),
				    (uint8_t)address};

		memcpy(packed + (size_t)i * 6, entry, 6);
		for (uint32_t b = address >> 5; b <= (address | (UINT32_MAX >> bits)) >> 5; b++)
			bitmap[b >> 3] |= (uint8_t)(1 << (b & 7));
	}
	qsort(packed, NB_LARGE, 6, compare_entries);
	for (size_t i = 0; i < NB_LARGE; i++)
		if (nb == 0 || memcmp(packed + (nb - 1) * 6, packed + i * 6, 6) != 0)
			memmove(packed + nb++ * 6, packed + i * 6, 6);
	assert_int_equal(weir_prefix_set_build(&set, packed, nb * 6, NULL), WEIR_PREFIX_SET_SOUND);
	for (uint32_t i = 0; i < 1000000; i++) {
		uint32_t key = next_random(&x);
		struct weir_address address = weir_address_v4(weir_be32(key));
		bool expected = bitmap[key >> 8] >> (key >> 5 & 7) & 1;

		if (weir_prefix_set_has(&set, &address) != expected)
			fail_msg("%08x", key);
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (uint32_t i = 0; i < 1000000; i++) {
		struct weir_address address = weir_address_v4(next_random(&x));

		hits += weir_prefix_set_has(&set, &address);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	print_message(
		"%u intervals: %.0f ns per lookup, %u of 1000000 inside\n", set.v4.nb,
		(double)((end.tv_sec - start.tv_sec) * 1000000000L + end.tv_nsec - start.tv_nsec) /
			1e6,
		hits);
	assert_true(hits > 0);
	weir_prefix_set_destroy(&set);
	free(packed);
	free(bitmap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_found_by_their_prefixes),
		cmocka_unit_test(everything_and_nothing),
		cmocka_unit_test(flaws_are_named_with_their_place),
		cmocka_unit_test(a_list_beyond_the_limit_is_refused),
		cmocka_unit_test(many_prefixes_answer_as_a_bitmap_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
