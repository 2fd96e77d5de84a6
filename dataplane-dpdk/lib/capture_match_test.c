// SPDX-License-Identifier: Apache-2.0

#include <arpa/inet.h>
#include <stdlib.h>

#include "lib/capture_match.h"
#include "tests/cmocka_all.h"

// Ethernet, IPv4 192.0.2.7 -> 203.0.113.10, TCP 40000 -> 80
static const uint8_t plain[54] = {
	[12] = 0x08, [14] = 0x45, [16] = 0,    [17] = 40,   [22] = 64,  [23] = 6,
	[26] = 192,  [27] = 0,    [28] = 2,    [29] = 7,    [30] = 203, [31] = 0,
	[32] = 113,  [33] = 10,   [34] = 0x9c, [35] = 0x40, [36] = 0,   [37] = 80,
};

// IPv6 2001:db8::1 -> 2001:db8::2 around the same IPv4 packet
static uint32_t tunnelled(uint8_t frame[128])
{
	memset(frame, 0, 128);
	frame[12] = 0x86;
	frame[13] = 0xdd;
	frame[14] = 0x60;
	frame[20] = 4;
	inet_pton(AF_INET6, "2001:db8::1", frame + 22);
	inet_pton(AF_INET6, "2001:db8::2", frame + 38);
	memcpy(frame + 54, plain + 14, 40);
	return 94;
}

static struct weir_address v4(const char *text)
{
	return weir_address_v4(inet_addr(text));
}

static bool wants(struct weir_capture_match match)
{
	return weir_capture_wants(&match, plain, sizeof(plain));
}

static struct weir_capture_match host(const char *text, uint32_t mask)
{
	struct weir_capture_match match = {.has_host = true, .host = v4(text)};

	memset(&match.host_mask, 0xff, sizeof(match.host_mask));
	match.host_mask.words[3] = htonl(mask);
	return match;
}

static void protocol_port_and_host_must_all_match(void **state)
{
	(void)state;
	assert_true(wants((struct weir_capture_match){0}));
	assert_true(wants((struct weir_capture_match){.ip_protocol = 6}));
	assert_false(wants((struct weir_capture_match){.ip_protocol = 17}));
	assert_true(wants((struct weir_capture_match){.port = htons(80)}));
	assert_true(wants((struct weir_capture_match){.port = htons(40000)}));
	assert_false(wants((struct weir_capture_match){.port = htons(81)}));
	assert_true(wants(host("203.0.113.10", UINT32_MAX)));
	assert_true(wants(host("192.0.2.99", 0xffffff00)));
	assert_false(wants(host("192.0.2.99", UINT32_MAX)));
	struct weir_capture_match both = host("203.0.113.10", UINT32_MAX);
	both.port = htons(81);
	assert_false(wants(both));
}

static void one_of_the_addresses_is_enough(void **state)
{
	struct weir_address addresses[] = {v4("203.0.113.10"), v4("10.0.0.9"), v4("10.0.0.1")};
	struct weir_capture_match match = {
		.has_addresses = true, .nb_addresses = 3, .addresses = addresses};

	(void)state;
	weir_capture_match_ready(&match);
	assert_true(wants(match));
	addresses[2] = v4("203.0.113.11");
	weir_capture_match_ready(&match);
	assert_false(wants(match));
}

static void the_packet_inside_a_tunnel_matches_too(void **state)
{
	uint8_t frame[128];
	uint32_t length = tunnelled(frame);
	struct weir_capture_match inner = host("203.0.113.10", UINT32_MAX);
	struct weir_capture_match outer = {.has_host = true};

	(void)state;
	inner.port = htons(80);
	assert_true(weir_capture_wants(&inner, frame, length));
	memset(&outer.host_mask, 0xff, sizeof(outer.host_mask));
	inet_pton(AF_INET6, "2001:db8::2", &outer.host);
	assert_true(weir_capture_wants(&outer, frame, length));
	outer.port = htons(80); // the outer packet has no port, the inner not that host
	assert_false(weir_capture_wants(&outer, frame, length));
}

static void cut_frames_are_never_read_past_their_end(void **state)
{
	uint8_t frame[128];
	uint32_t whole = tunnelled(frame);
	struct weir_capture_match match = {.port = htons(9)};

	(void)state;
	for (uint32_t length = 0; length <= whole; length++) {
		uint8_t *exact = malloc(length + 1); // a sanitizer sees a byte too far

		memcpy(exact + 1, frame, length);
		assert_false(weir_capture_wants(&match, exact + 1, length));
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protocol_port_and_host_must_all_match),
		cmocka_unit_test(one_of_the_addresses_is_enough),
		cmocka_unit_test(the_packet_inside_a_tunnel_matches_too),
		cmocka_unit_test(cut_frames_are_never_read_past_their_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
