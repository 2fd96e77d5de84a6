// SPDX-License-Identifier: Apache-2.0

#include "lib/ndp.h"

#include <errno.h>
#include <string.h>

#include "lib/checksum.h"
#include "tests/cmocka_all.h"

static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 2};
static const struct weir_address own = {.bytes = {0x20, 0x01, 0x0d, 0xb8, [13] = 0xab, 0xcd, 0xef}};
static const struct weir_address other = {.bytes = {0xfe, 0x80, [15] = 9}};
static uint8_t frame[256];

static void write_solicitation(void)
{
	struct weir_ndp ndp = {.type = WEIR_NDP_SOLICIT, .source = other, .target = own};

	ndp.destination = weir_solicited_node(&own);
	weir_ndp_write(frame, other_mac, own_mac, &ndp);
}

// Reads the frame with its checksum made right again.
static int read_frame(uint32_t length, struct weir_ndp *ndp)
{
	struct weir_packet packet;
	uint16_t sum = 0;

	memcpy(frame + 56, &sum, 2);
	assert_int_equal(weir_packet_parse(frame, length, &packet), WEIR_PARSE_NDP);
	sum = (uint16_t)~weir_checksum_transport(&packet.source, &packet.destination,
						 WEIR_IP_ICMPV6, frame + 54, packet.l4_length);
	memcpy(frame + 56, &sum, 2);
	return weir_ndp_read(frame, &packet, ndp);
}

static void groups_follow_from_the_address(void **state)
{
	static const uint8_t wanted_group[16] = {0xff, 2, 0, 0, 0,    0,    0,    0,
						 0,    0, 0, 1, 0xff, 0xab, 0xcd, 0xef};
	static const uint8_t wanted_mac[6] = {0x33, 0x33, 0xff, 0xab, 0xcd, 0xef};
	struct weir_address group = weir_solicited_node(&own);
	uint8_t mac[6];

	(void)state;
	assert_memory_equal(group.bytes, wanted_group, 16);
	weir_multicast_mac(&group, mac);
	assert_memory_equal(mac, wanted_mac, 6);
}

static void what_is_written_is_read(void **state)
{
	struct weir_ndp ndp;
	struct weir_packet packet;

	(void)state;
	write_solicitation();
	assert_int_equal(weir_packet_parse(frame, WEIR_NDP_FRAME, &packet), WEIR_PARSE_NDP);
	assert_int_equal(weir_ndp_read(frame, &packet, &ndp), 0);
	assert_int_equal(ndp.type, WEIR_NDP_SOLICIT);
	assert_true(weir_address_equal(&ndp.target, &own));
	assert_true(weir_address_equal(&ndp.source, &other));
	assert_true(ndp.has_mac);
	assert_memory_equal(ndp.mac, other_mac, 6);
	frame[60]++; // the checksum covers it
	assert_int_equal(weir_ndp_read(frame, &packet, &ndp), -EBADMSG);
}

static void unsound_messages_are_discarded(void **state)
{
	struct weir_ndp ndp;

	(void)state;
	write_solicitation();
	frame[21] = 254; // from beyond the link
	assert_int_equal(read_frame(WEIR_NDP_FRAME, &ndp), -EBADMSG);
	write_solicitation();
	frame[55] = 1; // code
	assert_int_equal(read_frame(WEIR_NDP_FRAME, &ndp), -EBADMSG);
	write_solicitation();
	frame[62] = 0xff; // a group as target
	assert_int_equal(read_frame(WEIR_NDP_FRAME, &ndp), -EBADMSG);
	write_solicitation();
	frame[79] = 0; // an option without length
	assert_int_equal(read_frame(WEIR_NDP_FRAME, &ndp), -EBADMSG);
	write_solicitation();
	frame[79] = 2; // an option beyond the end
	assert_int_equal(read_frame(WEIR_NDP_FRAME, &ndp), -EBADMSG);
	write_solicitation();
	memset(frame + 22, 0, 16); // a MAC address of nobody
	assert_int_equal(read_frame(WEIR_NDP_FRAME, &ndp), -EBADMSG);
	write_solicitation();
	frame[54] = WEIR_NDP_ADVERTISE; // "solicited", to a group
	frame[58] = WEIR_NDP_SOLICITED;
	assert_int_equal(read_frame(WEIR_NDP_FRAME, &ndp), -EBADMSG);
	write_solicitation();
	frame[54] = 134; // a router's advertisement
	assert_int_equal(read_frame(WEIR_NDP_FRAME, &ndp), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_follow_from_the_address),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(unsound_messages_are_discarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
