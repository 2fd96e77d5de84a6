// SPDX-License-Identifier: Apache-2.0

#include "lib/packet_parse.h"

#include <stdlib.h>
#include <string.h>

#include "lib/checksum.h"
#include "tests/cmocka_all.h"

// Ethernet, IPv4 of 192.0.2.1 -> 203.0.113.10, TCP SYN 40000 -> 80.
static const uint8_t tcp_syn[] = {
	2, 0,  0,    0, 0,  1, 2, 0, 0,   0, 0,    2, 8,   0, 0x45, 0,  0,    40,
	0, 0,  0x40, 0, 64, 6, 0, 0, 192, 0, 2,    1, 203, 0, 113,  10, 0x9c, 0x40,
	0, 80, 0,    0, 0,  1, 0, 0, 0,   0, 0x50, 2, 4,   0, 0,    0,  0,    0,
};

static uint8_t frame[2048];

static uint32_t make_frame(void)
{
	uint16_t sum;

	memset(frame, 0, sizeof(frame));
	memcpy(frame, tcp_syn, sizeof(tcp_syn));
	sum = weir_checksum(frame + 14, 20);
	memcpy(frame + 24, &sum, 2);
	sum = (uint16_t)~weir_checksum_l4(0x010200c0, 0x0a7100cb, 6, frame + 34, 20);
	memcpy(frame + 50, &sum, 2);
	return sizeof(tcp_syn);
}

static void fix_ip_checksum(uint32_t header)
{
	uint16_t sum = 0;

	memcpy(frame + 24, &sum, 2);
	sum = weir_checksum(frame + 14, header);
	memcpy(frame + 24, &sum, 2);
}

static void a_syn_is_read_whole(void **state)
{
	struct weir_packet packet;
	uint32_t length = make_frame();

	(void)state;
	assert_int_equal(weir_packet_parse(frame, length, &packet), WEIR_PARSE_L4);
	assert_int_equal(packet.source, 0x010200c0);
	assert_int_equal(packet.destination, 0x0a7100cb);
	assert_int_equal(weir_host16(packet.source_port), 40000);
	assert_int_equal(weir_host16(packet.destination_port), 80);
	assert_int_equal(packet.tcp_flags, WEIR_TCP_SYN);
	assert_int_equal(packet.l3_length, 40);
	assert_int_equal(packet.l4_offset, 34);
	assert_true(weir_packet_checksum_ok(frame, &packet));
	frame[53] ^= 1;
	assert_false(weir_packet_checksum_ok(frame, &packet));
}

static void header_options_are_skipped(void **state)
{
	struct weir_packet packet;
	uint32_t length = make_frame();

	(void)state;
	memmove(frame + 14 + 28, frame + 14 + 20, 20);
	memset(frame + 34, 1, 8); // no-operation options
	frame[14] = 0x47;
	frame[17] = 48;
	fix_ip_checksum(28);
	assert_int_equal(weir_packet_parse(frame, length + 8, &packet), WEIR_PARSE_L4);
	assert_int_equal(packet.l4_offset, 42);
	assert_int_equal(weir_host16(packet.destination_port), 80);
}

static void padding_behind_the_packet_is_not_payload(void **state)
{
	struct weir_packet packet;

	(void)state;
	make_frame();
	assert_int_equal(weir_packet_parse(frame, 60, &packet), WEIR_PARSE_L4);
	assert_int_equal(packet.l4_length, 20);
	assert_true(weir_packet_checksum_ok(frame, &packet));
}

struct broken {
	const char *description;
	uint32_t at;
	uint8_t value;
	bool fix;
	enum weir_parse_result expected;
};

static void broken_headers_are_named(void **state)
{
	static const struct broken table[] = {
		{"IP version 6 in an IPv4 frame", 14, 0x65, true, WEIR_PARSE_BAD_HEADER},
		{"IP header shorter than 20", 14, 0x44, false, WEIR_PARSE_BAD_HEADER},
		{"IP header longer than the packet", 14, 0x4f, false, WEIR_PARSE_BAD_HEADER},
		{"total length below the header", 17, 19, true, WEIR_PARSE_BAD_HEADER},
		{"total length beyond the frame", 17, 200, true, WEIR_PARSE_TRUNCATED},
		{"wrong IP checksum", 22, 63, false, WEIR_PARSE_BAD_HEADER},
		{"first fragment", 20, 0x20, true, WEIR_PARSE_FRAGMENT},
		{"later fragment", 21, 0x10, true, WEIR_PARSE_FRAGMENT},
		{"TCP header shorter than 20", 46, 0x40, true, WEIR_PARSE_BAD_HEADER},
		{"TCP header beyond the packet", 46, 0x60, true, WEIR_PARSE_BAD_HEADER},
		{"TCP cut short", 17, 39, true, WEIR_PARSE_TRUNCATED},
		{"UDP length field below 8", 23, 17, true, WEIR_PARSE_BAD_HEADER},
		{"ICMP", 23, 1, true, WEIR_PARSE_ICMP},
		{"GRE", 23, 47, true, WEIR_PARSE_OTHER_PROTOCOL},
		{"IPv6 ethertype", 12, 0x86, false, WEIR_PARSE_OTHER_ETHERTYPE},
		{"ARP with a foreign head", 13, 6, false, WEIR_PARSE_BAD_HEADER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct weir_packet packet;
		uint32_t length = make_frame();

		frame[table[i].at] = table[i].value;
		if (table[i].fix)
			fix_ip_checksum(20);
		enum weir_parse_result result = weir_packet_parse(frame, length, &packet);
		if (result != table[i].expected)
			fail_msg("%s: %d, not %d", table[i].description, result, table[i].expected);
	}
}

// On the heap, so that the address sanitizer sees a read past the end.
static void no_truncation_is_read_past_its_end(void **state)
{
	(void)state;
	make_frame();
	for (uint32_t length = 0; length <= sizeof(tcp_syn); length++) {
		uint8_t *copy = malloc(length > 0 ? length : 1);
		struct weir_packet packet;

		memcpy(copy, frame, length);
		enum weir_parse_result result = weir_packet_parse(copy, length, &packet);
		assert_int_equal(result == WEIR_PARSE_L4, length == sizeof(tcp_syn));
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_syn_is_read_whole),
		cmocka_unit_test(header_options_are_skipped),
		cmocka_unit_test(padding_behind_the_packet_is_not_payload),
		cmocka_unit_test(broken_headers_are_named),
		cmocka_unit_test(no_truncation_is_read_past_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
