// SPDX-License-Identifier: Apache-2.0

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/icmp_build.h"
#include "lib/icmp_inner.h"
#include "lib/tcp_mss.h"
#include "lib/token_bucket.h"
#include "tests/cmocka_all.h"

enum { MAX_PACKET = 2048, MAX_WORDS = 9 };

struct bytes {
	uint8_t data[MAX_PACKET];
	uint16_t length;
};

static uint8_t nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static struct bytes from_hex(const char *text)
{
	struct bytes bytes = {0};

	for (; text[0] != '\0' && text[1] != '\0'; text += 2)
		bytes.data[bytes.length++] = (uint8_t)(nibble(text[0]) << 4 | nibble(text[1]));
	return bytes;
}

static struct weir_address address_of(const char *text)
{
	uint8_t v6[16];
	weir_be32_t v4;

	if (inet_pton(AF_INET, text, &v4) == 1)
		return weir_address_v4(v4);
	assert_int_equal(inet_pton(AF_INET6, text, v6), 1);
	return weir_address_v6(v6);
}

// Calls `check` with the words of each line of the golden file that begins with `kind`.
static void each_vector(const char *kind, int expected, void (*check)(char **words))
{
	char path[512];
	static char line[4 * MAX_PACKET * 2];
	static char missing[1];
	int seen = 0;

	snprintf(path, sizeof(path), "%s/icmp_vectors.txt", getenv("WEIR_GOLDEN_DIR"));
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		char *words[MAX_WORDS];
		char *rest = line;
		int nb = 0;

		while (nb < MAX_WORDS && (words[nb] = strtok_r(rest, " \n", &rest)) != NULL)
			nb++;
		for (int i = nb; i < MAX_WORDS; i++)
			words[i] = missing;
		if (strcmp(words[0], kind) != 0)
			continue;
		check(words + 1);
		seen++;
	}
	fclose(file);
	assert_int_equal(seen, expected);
}

static void check_too_big(char **words)
{
	uint16_t mtu = (uint16_t)atoi(words[0]);
	struct bytes packet = from_hex(words[1]);
	struct bytes expected = from_hex(words[2]);
	bool v6 = packet.data[0] >> 4 == 6;
	uint8_t out[WEIR_ICMP_MAX_V6];
	uint16_t length = v6 ? weir_icmp_packet_too_big(out, packet.data, packet.length, mtu)
			     : weir_icmp_fragmentation_needed(out, packet.data, packet.length, mtu);

	assert_int_equal(length, expected.length);
	assert_memory_equal(out, expected.data, length);
	assert_true(length <= (v6 ? WEIR_ICMP_MAX_V6 : WEIR_ICMP_MAX_V4));
}

static void errors_are_built_as_scapy_builds_them(void **state)
{
	(void)state;
	each_vector("too_big", 5, check_too_big);
}

static void check_translation(char **words)
{
	struct bytes packet = from_hex(words[6]);
	struct bytes expected = from_hex(words[7]);
	uint32_t header = packet.data[0] >> 4 == 6 ? 40 : 20;
	uint8_t *icmp = packet.data + header;
	struct weir_inner inner;
	struct weir_icmp_rewrite to = {
		.source = address_of(words[0]),
		.destination = address_of(words[1]),
		.inner = {.source = address_of(words[2]),
			  .source_port = htons((uint16_t)atoi(words[3])),
			  .destination = address_of(words[4]),
			  .destination_port = htons((uint16_t)atoi(words[5]))},
	};

	assert_int_equal(weir_inner_parse(icmp + 8, packet.length - header - 8, &inner),
			 WEIR_INNER_PORTS);
	weir_icmp_error_rewrite(packet.data, icmp, &inner, &to);
	assert_int_equal(packet.length, expected.length);
	assert_memory_equal(packet.data, expected.data, packet.length);
}

static void translated_errors_are_what_scapy_writes(void **state)
{
	(void)state;
	each_vector("translate", 59, check_translation);
}

static void check_mss(char **words)
{
	struct bytes packet = from_hex(words[1]);
	struct bytes expected = from_hex(words[2]);
	bool same = memcmp(packet.data, expected.data, packet.length) == 0;

	assert_int_equal(weir_tcp_mss_clamp(packet.data + 20, (uint16_t)(packet.length - 20),
					    (uint16_t)atoi(words[0])),
			 !same);
	assert_memory_equal(packet.data, expected.data, packet.length);
}

static void mss_is_lowered_as_scapy_writes_it(void **state)
{
	(void)state;
	each_vector("mss", 7, check_mss);
}

static void options_that_make_no_sense_are_left_alone(void **state)
{
	static const uint8_t options[][4] = {
		{2, 3, 0xff, 0},    // too short an MSS
		{2, 5, 0xff, 0xff}, // beyond the header
		{8, 0, 0, 0},       // no length
		{1, 1, 1, 2},       // ends within an option
		{0, 2, 4, 0xff},    // after the end of the list
	};

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		uint8_t segment[24] = {[12] = 6 << 4, [13] = 2};
		uint8_t before[24];

		memcpy(segment + 20, options[i], 4);
		memcpy(before, segment, sizeof(before));
		assert_false(weir_tcp_mss_clamp(segment, sizeof(segment), 100));
		assert_memory_equal(segment, before, sizeof(before));
	}
}

static void quoted_packets_that_can_not_be_read(void **state)
{
	static const struct {
		const char *what;
		const char *hex;
		enum weir_inner_result result;
	} rows[] = {
		{"nothing", "", WEIR_INNER_BAD},
		{"neither family", "50000000", WEIR_INNER_BAD},
		{"half an IPv4 header", "450002800007400040063a5f", WEIR_INNER_BAD},
		{"header length below 20",
		 "44000028000740004006000000000000000000000001000200000000", WEIR_INNER_BAD},
		{"options that are not quoted", "4f00002800074000400600000000000000000000",
		 WEIR_INNER_BAD},
		{"7 bytes of L4", "450000280007400040060000000000000000000000010002000000",
		 WEIR_INNER_NO_PORTS},
		{"a later fragment", "45000028000700014011000000000000000000000001000200000000",
		 WEIR_INNER_NO_PORTS},
		{"the first fragment", "45000028000720004011000000000000000000000001000200000000",
		 WEIR_INNER_PORTS},
		{"ports behind the packet's own end",
		 "45000014000740004006000000000000000000000001000200000000", WEIR_INNER_NO_PORTS},
		{"an echo request", "45000028000740004001000000000000000000000001000200000000",
		 WEIR_INNER_NO_PORTS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes quoted = from_hex(rows[i].hex);
		struct weir_inner inner;

		if (weir_inner_parse(quoted.data, quoted.length, &inner) != rows[i].result)
			fail_msg("%s", rows[i].what);
	}
}

static void extension_headers_are_followed_to_a_bound(void **state)
{
	struct weir_inner inner;
	uint8_t quoted[40 + 9 * 8 + 8] = {[0] = 0x60, [5] = 80, [6] = 60};

	(void)state;
	for (int n = 0; n < 8; n++)
		quoted[40 + n * 8] = n == 7 ? 6 : 60;
	assert_int_equal(weir_inner_parse(quoted, sizeof(quoted), &inner), WEIR_INNER_PORTS);
	assert_int_equal(inner.l4_offset, 40 + 64);
	quoted[40 + 7 * 8] = 60;
	quoted[40 + 8 * 8] = 6;
	assert_int_equal(weir_inner_parse(quoted, sizeof(quoted), &inner), WEIR_INNER_BAD);

	// A later fragment's bytes are no headers.
	uint8_t later[56] = {[0] = 0x60, [5] = 16, [6] = 44, [40] = 6, [43] = 8};
	assert_int_equal(weir_inner_parse(later, sizeof(later), &inner), WEIR_INNER_NO_PORTS);
	later[43] = 1; // more fragments, offset 0
	assert_int_equal(weir_inner_parse(later, sizeof(later), &inner), WEIR_INNER_PORTS);
}

static void a_bucket_gives_its_burst_and_then_its_rate(void **state)
{
	struct weir_token_bucket bucket;
	int taken = 0;

	(void)state;
	weir_token_bucket_init(&bucket, 1000000, 100, 10);
	for (int i = 0; i < 100; i++)
		taken += weir_token_bucket_take(&bucket, 5000000);
	assert_int_equal(taken, 10);
	for (uint64_t now = 5000000; now < 6000000; now += 1000)
		taken += weir_token_bucket_take(&bucket, now);
	assert_in_range(taken, 10 + 99, 10 + 100);
	taken = 0;
	for (int i = 0; i < 100; i++) // a long silence does not save up more
		taken += weir_token_bucket_take(&bucket, 60000000);
	assert_int_equal(taken, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_are_built_as_scapy_builds_them),
		cmocka_unit_test(translated_errors_are_what_scapy_writes),
		cmocka_unit_test(mss_is_lowered_as_scapy_writes_it),
		cmocka_unit_test(options_that_make_no_sense_are_left_alone),
		cmocka_unit_test(quoted_packets_that_can_not_be_read),
		cmocka_unit_test(extension_headers_are_followed_to_a_bound),
		cmocka_unit_test(a_bucket_gives_its_burst_and_then_its_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
