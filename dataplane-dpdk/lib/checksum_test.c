// SPDX-License-Identifier: Apache-2.0

#include "lib/checksum.h"

#include <stdlib.h>

#include "tests/cmocka_all.h"

static void full_sum_of_a_known_header(void **state)
{
	// The example of RFC 1071's literature: its checksum is 0xb861.
	const uint8_t header[20] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
				    0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

	(void)state;
	assert_int_equal(weir_checksum(header, sizeof(header)), weir_be16(0xb861));
}

static void odd_lengths_are_padded_with_zero(void **state)
{
	const uint8_t odd[3] = {0x12, 0x34, 0x56};
	const uint8_t even[4] = {0x12, 0x34, 0x56, 0x00};

	(void)state;
	assert_int_equal(weir_checksum(odd, 3), weir_checksum(even, 4));
}

// RFC 1624's own counter-example to the older equation: a sum of 0x0000 must not become 0xffff.
static void update_keeps_the_corner_case_of_rfc_1624(void **state)
{
	(void)state;
	assert_int_equal(weir_checksum_update16(0xdd2f, 0x5555, 0x3285), 0x0000);
}

// Over random segments and random rewrites, the incremental update and a full sum agree as
// one's complement numbers: 0x0000 and 0xffff are one value.
static void updates_equal_a_full_sum(void **state)
{
	uint8_t segment[64];

	(void)state;
	srandom(1);
	for (int turn = 0; turn < 200000; turn++) {
		size_t length = 8 + (size_t)random() % 57;
		uint32_t old_word;
		uint32_t new_word = (uint32_t)random() << 1;
		uint16_t checksum;
		uint16_t zero = 0;

		for (size_t i = 0; i < length; i++)
			segment[i] = (uint8_t)(turn % 7 == 0 ? (random() & 1) * 0xff : random());
		memcpy(segment + 4, &zero, 2);
		checksum = weir_checksum(segment, length);
		memcpy(&old_word, segment, 4);
		if (turn % 3 == 0) {
			uint16_t old_half = (uint16_t)old_word;
			uint16_t new_half = (uint16_t)new_word;

			checksum = weir_checksum_update16(checksum, old_half, new_half);
			memcpy(segment, &new_half, 2);
		} else {
			checksum = weir_checksum_update32(checksum, old_word, new_word);
			memcpy(segment, &new_word, 4);
		}
		assert_int_equal(checksum % 0xffff, weir_checksum(segment, length) % 0xffff);
	}
}

// Addresses of either family, random ports: what the data path does to a transport's checksum.
static void address_changes_equal_a_full_sum(void **state)
{
	uint8_t segment[40];
	struct weir_address old[2];
	struct weir_address new[2];

	(void)state;
	srandom(2);
	for (int turn = 0; turn < 100000; turn++) {
		for (size_t i = 0; i < sizeof(segment); i++)
			segment[i] = (uint8_t)random();
		for (int i = 0; i < 2; i++) {
			for (int w = 0; w < 4; w++) {
				old[i].words[w] = (uint32_t)random() << (turn % 2);
				new[i].words[w] = (uint32_t)random() << (turn % 2);
			}
			if (turn % 3 == 0) {
				old[i] = weir_address_v4(old[i].words[3]);
				new[i] = weir_address_v4(new[i].words[3]);
			}
		}
		memset(segment + 16, 0, 2);
		uint16_t checksum = (uint16_t)~weir_checksum_transport(&old[0], &old[1], 6, segment,
								       sizeof(segment));
		uint64_t change = weir_checksum_change(&old[0], &new[0]) +
				  weir_checksum_change(&old[1], &new[1]);
		checksum = weir_checksum_apply(checksum, change);
		memcpy(segment + 16, &checksum, 2);
		assert_int_equal(
			weir_checksum_transport(&new[0], &new[1], 6, segment, sizeof(segment)),
			0xffff);
		if (turn % 3 == 0)
			assert_int_equal(weir_checksum_l4(new[0].words[3], new[1].words[3], 6,
							  segment, sizeof(segment)),
					 0xffff);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_sum_of_a_known_header),
		cmocka_unit_test(odd_lengths_are_padded_with_zero),
		cmocka_unit_test(update_keeps_the_corner_case_of_rfc_1624),
		cmocka_unit_test(updates_equal_a_full_sum),
		cmocka_unit_test(address_changes_equal_a_full_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
