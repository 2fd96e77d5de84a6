// SPDX-License-Identifier: Apache-2.0

#include "lib/wire_field.h"

#include <errno.h>
#include <string.h>

#include "lib/sha256.h"
#include "tests/cmocka_all.h"

// field 1 varint 300, field 2 "abc", field 3 fixed64, field 2 "de", field 4 fixed32
static const uint8_t message[] = {0x08, 0xac, 0x02, 0x12, 3,    'a', 'b', 'c', 0x19, 1, 2, 3, 4,
				  5,    6,    7,    8,    0x12, 2,   'd', 'e', 0x25, 1, 2, 3, 4};

static void finds_the_nth_occurrence(void **state)
{
	struct weir_bytes out;
	struct weir_bytes in = {message, sizeof(message)};

	(void)state;
	assert_int_equal(weir_wire_field(in, 2, 0, &out), 0);
	assert_int_equal(out.length, 3);
	assert_memory_equal(out.data, "abc", 3);
	assert_int_equal(weir_wire_field(in, 2, 1, &out), 0);
	assert_memory_equal(out.data, "de", 2);
	assert_int_equal(weir_wire_field(in, 2, 2, &out), -ENOENT);
	assert_int_equal(weir_wire_field(in, 1, 0, &out), -ENOENT);
}

static void every_truncation_is_refused_or_finds_less(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof(message); length++) {
		struct weir_bytes in = {message, length};
		struct weir_bytes out = {0};

		if (weir_wire_field(in, 2, 1, &out) == 0) {
			assert_true(out.data + out.length <= message + length);
			assert_true(length >= 21);
		}
	}
}

static void lengths_beyond_the_message_are_refused(void **state)
{
	const uint8_t bad[] = {0x12, 0xff, 0xff, 0xff, 0xff, 0x0f, 'a'};
	const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1};
	struct weir_bytes out;

	(void)state;
	assert_int_equal(weir_wire_field((struct weir_bytes){bad, sizeof(bad)}, 2, 0, &out),
			 -EBADMSG);
	assert_int_equal(weir_wire_field((struct weir_bytes){endless, sizeof(endless)}, 2, 0, &out),
			 -EBADMSG);
}

static void sha256_of_published_messages(void **state)
{
	static const uint8_t of_abc[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
					   0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
					   0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
					   0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
	static const uint8_t of_two_blocks[32] = {0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8,
						  0xe5, 0xc0, 0x26, 0x93, 0x0c, 0x3e, 0x60, 0x39,
						  0xa3, 0x3c, 0xe4, 0x59, 0x64, 0xff, 0x21, 0x67,
						  0xf6, 0xec, 0xed, 0xd4, 0x19, 0xdb, 0x06, 0xc1};
	const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	uint8_t digest[32];

	(void)state;
	weir_sha256((const uint8_t *)"abc", 3, digest);
	assert_memory_equal(digest, of_abc, 32);
	weir_sha256((const uint8_t *)two_blocks, strlen(two_blocks), digest);
	assert_memory_equal(digest, of_two_blocks, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_nth_occurrence),
		cmocka_unit_test(every_truncation_is_refused_or_finds_less),
		cmocka_unit_test(lengths_beyond_the_message_are_refused),
		cmocka_unit_test(sha256_of_published_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
