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
	assert_int_equal(packet.family, 4);
	assert_int_equal(weir_address_to_v4(&packet.source), 0x010200c0);
	assert_int_equal(weir_address_to_v4(&packet.destination), 0x0a7100cb);
	assert_true(packet.dont_fragment);
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

// IPv6 from 2001:db8::1 to 2001:db8:1::10 with what `chain` names between header and transport:
// h hop-by-hop, r routing, d destination options, f atomic fragment, 1 first, 2 later fragment.
static uint32_t make_ipv6(const char *chain, uint8_t protocol)
{
	static const uint8_t numbers[256] = {
		['h'] = 0, ['r'] = 43, ['d'] = 60, ['f'] = 44, ['1'] = 44, ['2'] = 44,
	};
	uint8_t *ip = frame + 14;
	uint8_t *next = ip + 6;
	uint8_t *at = ip + 40;
	struct weir_address source = {.bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
	struct weir_address destination = {.bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 0x10}};

	memset(frame, 0, sizeof(frame));
	frame[12] = 0x86;
	frame[13] = 0xdd;
	ip[0] = 0x6a; // traffic class 0xab
	ip[1] = 0xb0;
	ip[7] = 61;
	memcpy(ip + 8, &source, 16);
	memcpy(ip + 24, &destination, 16);
	for (; *chain != '\0'; chain++) {
		*next = numbers[(uint8_t)*chain];
		next = at;
		if (*chain == '1' || *chain == '2')
			at[3] = *chain == '1' ? 1 : 16;
		at += 8;
	}
	*next = protocol;
	memcpy(at, tcp_syn + 34, 20); // any transport's first bytes
	if (protocol == WEIR_IP_UDP)
		at[5] = 20;
	uint32_t length = (uint32_t)(at + 24 - frame); // a multiple of 8, as fragments must be
	uint16_t payload = weir_be16((uint16_t)(length - 54));
	memcpy(ip + 4, &payload, 2);
	uint16_t sum = (uint16_t)~weir_checksum_transport(&source, &destination, protocol, at, 24);
	if (protocol == WEIR_IP_TCP)
		memcpy(at + 16, &sum, 2);
	return length;
}

struct chain {
	const char *headers;
	uint8_t protocol;
	enum weir_parse_result expected;
	uint16_t l4_offset; // 0: of no interest
	uint16_t destination_port;
};

static void ipv6_headers_are_walked(void **state)
{
	static const struct chain table[] = {
		{"", 6, WEIR_PARSE_L4, 54, 80},
		{"", 17, WEIR_PARSE_L4, 54, 80},
		{"h", 6, WEIR_PARSE_L4, 62, 80},
		{"hdrd", 6, WEIR_PARSE_L4, 86, 80},
		{"f", 6, WEIR_PARSE_L4, 62, 80}, // an atomic fragment is a whole packet
		{"1", 6, WEIR_PARSE_FRAGMENT, 62, 80},
		{"h1d", 6, WEIR_PARSE_FRAGMENT, 78, 80},
		{"2", 6, WEIR_PARSE_FRAGMENT, 62, 0},
		{"2d", 6, WEIR_PARSE_FRAGMENT, 62, 0}, // behind it is payload
		{"dh", 6, WEIR_PARSE_BAD_HEADER, 0, 0},
		{"dddddddd", 6, WEIR_PARSE_L4, 118, 80},
		{"ddddddddd", 6, WEIR_PARSE_BAD_HEADER, 0, 0},
		{"", 59, WEIR_PARSE_OTHER_PROTOCOL, 0, 0},
		{"", 1, WEIR_PARSE_OTHER_PROTOCOL, 0, 0}, // ICMP belongs to IPv4
		{"", 58, WEIR_PARSE_NDP, 54, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct weir_packet packet;
		uint32_t length = make_ipv6(table[i].headers, table[i].protocol);

		if (table[i].protocol == WEIR_IP_ICMPV6)
			frame[54] = 135;
		enum weir_parse_result result = weir_packet_parse(frame, length, &packet);
		if (result != table[i].expected)
			fail_msg("row %zu: %d, not %d", i, result, table[i].expected);
		if (table[i].l4_offset == 0)
			continue;
		assert_int_equal(packet.l4_offset, table[i].l4_offset);
		assert_int_equal(packet.l4_offset + packet.l4_length, length);
		assert_int_equal(weir_host16(packet.destination_port), table[i].destination_port);
		assert_int_equal(packet.family, 6);
		assert_int_equal(packet.traffic_class, 0xab);
		assert_int_equal(packet.ttl, 61);
		assert_int_equal(packet.source.bytes[15], 1);
		assert_true(packet.dont_fragment);
		if (result == WEIR_PARSE_L4 && packet.protocol == WEIR_IP_TCP)
			assert_true(weir_packet_checksum_ok(frame, &packet));
	}
}

static void ipv6_lies_are_refused(void **state)
{
	struct weir_packet packet;
	uint32_t length = make_ipv6("r", 6);

	(void)state;
	frame[57] = 1; // a station to go
	assert_int_equal(weir_packet_parse(frame, length, &packet), WEIR_PARSE_BAD_HEADER);
	length = make_ipv6("d", 6);
	frame[55] = 200; // options longer than the packet
	assert_int_equal(weir_packet_parse(frame, length, &packet), WEIR_PARSE_TRUNCATED);
	length = make_ipv6("1", 6);
	frame[19]--; // a first fragment that is no multiple of 8 bytes
	assert_int_equal(weir_packet_parse(frame, length, &packet), WEIR_PARSE_BAD_HEADER);
	length = make_ipv6("2", 6);
	frame[56] = 0xff; // ends beyond 65535
	frame[57] = 0xf8;
	assert_int_equal(weir_packet_parse(frame, length, &packet), WEIR_PARSE_BAD_HEADER);
	length = make_ipv6("", 6);
	memset(frame + 22, 0, 16); // an IPv4-mapped source
	frame[32] = 0xff;
	frame[33] = 0xff;
	assert_int_equal(weir_packet_parse(frame, length, &packet), WEIR_PARSE_BAD_HEADER);
	length = make_ipv6("", 17); // a checksum is not optional over IPv6
	assert_int_equal(weir_packet_parse(frame, length, &packet), WEIR_PARSE_L4);
	assert_false(weir_packet_checksum_ok(frame, &packet));
	make_ipv6("hdrd", 6);
	for (length = 0; length < 110; length++)
		assert_int_equal(weir_packet_parse(frame, length, &packet), WEIR_PARSE_TRUNCATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_syn_is_read_whole),
		cmocka_unit_test(header_options_are_skipped),
		cmocka_unit_test(padding_behind_the_packet_is_not_payload),
		cmocka_unit_test(broken_headers_are_named),
		cmocka_unit_test(ipv6_headers_are_walked),
		cmocka_unit_test(ipv6_lies_are_refused),
		cmocka_unit_test(no_truncation_is_read_past_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
