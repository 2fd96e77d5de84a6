// SPDX-License-Identifier: Apache-2.0

#include "flow/flow_state.h"

#include "lib/packet_parse.h"
#include "tests/cmocka_all.h"

enum {
	SYN = WEIR_TCP_SYN,
	ACK = WEIR_TCP_ACK,
	FIN = WEIR_TCP_FIN | WEIR_TCP_ACK,
	RST = WEIR_TCP_RST,
	SYN_ACK = WEIR_TCP_SYN | WEIR_TCP_ACK,
};

struct step {
	enum weir_direction from;
	uint8_t flags;
	enum weir_flow_state expected;
};

static void walk(const struct step *steps, size_t nb)
{
	enum weir_flow_state state = WEIR_FLOW_SYN_SENT;

	for (size_t i = 0; i < nb; i++) {
		state = weir_flow_state_next(state, steps[i].from, steps[i].flags);
		assert_int_equal(state, steps[i].expected);
	}
}

#define WALK(...)                                                                                  \
	do {                                                                                       \
		const struct step steps[] = {__VA_ARGS__};                                         \
		walk(steps, sizeof(steps) / sizeof(steps[0]));                                     \
	} while (0)

static void a_whole_connection_ends_in_time_wait(void **state)
{
	(void)state;
	WALK({WEIR_FROM_CLIENT, SYN, WEIR_FLOW_SYN_SENT},
	     {WEIR_FROM_MEMBER, SYN_ACK, WEIR_FLOW_SYN_SENT},
	     {WEIR_FROM_CLIENT, ACK, WEIR_FLOW_ESTABLISHED},
	     {WEIR_FROM_MEMBER, ACK, WEIR_FLOW_ESTABLISHED},
	     {WEIR_FROM_MEMBER, FIN, WEIR_FLOW_FIN_MEMBER},
	     {WEIR_FROM_CLIENT, ACK, WEIR_FLOW_FIN_MEMBER},
	     {WEIR_FROM_CLIENT, FIN, WEIR_FLOW_TIME_WAIT},
	     {WEIR_FROM_MEMBER, ACK, WEIR_FLOW_TIME_WAIT});
}

static void the_clients_direction_alone_is_enough(void **state)
{
	(void)state;
	WALK({WEIR_FROM_CLIENT, SYN, WEIR_FLOW_SYN_SENT},
	     {WEIR_FROM_CLIENT, ACK, WEIR_FLOW_ESTABLISHED},
	     {WEIR_FROM_CLIENT, FIN, WEIR_FLOW_FIN_CLIENT},
	     {WEIR_FROM_CLIENT, ACK, WEIR_FLOW_FIN_CLIENT});
	assert_int_equal(weir_flow_state_end(WEIR_FLOW_FIN_CLIENT), WEIR_END_FIN);
	assert_true(weir_flow_state_reusable(WEIR_FLOW_FIN_CLIENT));
}

static void resets_end_a_flow_from_either_side(void **state)
{
	(void)state;
	WALK({WEIR_FROM_MEMBER, RST, WEIR_FLOW_RESET}, {WEIR_FROM_CLIENT, ACK, WEIR_FLOW_RESET});
	WALK({WEIR_FROM_CLIENT, ACK, WEIR_FLOW_ESTABLISHED},
	     {WEIR_FROM_CLIENT, RST | ACK, WEIR_FLOW_RESET});
	assert_int_equal(weir_flow_state_end(WEIR_FLOW_RESET), WEIR_END_RST);
}

static void no_packet_leads_out_of_the_states(void **state)
{
	(void)state;
	for (int from = WEIR_FLOW_UDP; from < WEIR_FLOW_NB_STATES; from++) {
		for (int flags = 0; flags < 256; flags++) {
			for (int side = 0; side < 2; side++) {
				enum weir_flow_state next = weir_flow_state_next(
					(enum weir_flow_state)from, (enum weir_direction)side,
					(uint8_t)flags);

				assert_in_range(next, WEIR_FLOW_UDP, WEIR_FLOW_NB_STATES - 1);
				assert_true(weir_flow_state_timeout_s(next, 0) > 0);
				// What is over stays over.
				if (weir_flow_state_over((enum weir_flow_state)from))
					assert_int_equal(next, from);
			}
		}
	}
}

static void idle_timeouts_are_the_listeners_or_the_defaults(void **state)
{
	(void)state;
	assert_int_equal(weir_flow_state_timeout_s(WEIR_FLOW_ESTABLISHED, 0), 3600);
	assert_int_equal(weir_flow_state_timeout_s(WEIR_FLOW_ESTABLISHED, 900), 900);
	assert_int_equal(weir_flow_state_timeout_s(WEIR_FLOW_UDP, 0), 60);
	assert_int_equal(weir_flow_state_timeout_s(WEIR_FLOW_UDP, 5), 5);
	assert_int_equal(weir_flow_state_timeout_s(WEIR_FLOW_SYN_SENT, 900), 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_connection_ends_in_time_wait),
		cmocka_unit_test(the_clients_direction_alone_is_enough),
		cmocka_unit_test(resets_end_a_flow_from_either_side),
		cmocka_unit_test(no_packet_leads_out_of_the_states),
		cmocka_unit_test(idle_timeouts_are_the_listeners_or_the_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
