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

#define C WEIR_FROM_CLIENT
#define M WEIR_FROM_MEMBER

struct step {
	enum weir_direction from;
	uint8_t flags;
	enum weir_flow_state expected;
};

// A connection from its SYN on; the steps end where flags are 0.
struct walk {
	const char *description;
	struct step steps[10];
};

static const struct walk walks[] = {
	{"a whole connection, closed by the member first",
	 {{C, SYN, WEIR_FLOW_SYN_SENT},
	  {M, SYN_ACK, WEIR_FLOW_SYN_SENT},
	  {C, ACK, WEIR_FLOW_ESTABLISHED},
	  {M, ACK, WEIR_FLOW_ESTABLISHED},
	  {M, FIN, WEIR_FLOW_FIN_MEMBER},
	  {C, ACK, WEIR_FLOW_FIN_MEMBER},
	  {C, FIN, WEIR_FLOW_TIME_WAIT},
	  {M, ACK, WEIR_FLOW_TIME_WAIT}}},
	{"closed by the client first, the member sends on for a while",
	 {{C, ACK, WEIR_FLOW_ESTABLISHED},
	  {C, FIN, WEIR_FLOW_FIN_CLIENT},
	  {M, ACK, WEIR_FLOW_FIN_CLIENT},
	  {C, ACK, WEIR_FLOW_FIN_CLIENT},
	  {M, FIN, WEIR_FLOW_TIME_WAIT},
	  {C, ACK, WEIR_FLOW_TIME_WAIT}}},
	{"simultaneous close: both FINs cross",
	 {{C, ACK, WEIR_FLOW_ESTABLISHED},
	  {C, FIN, WEIR_FLOW_FIN_CLIENT},
	  {M, FIN, WEIR_FLOW_TIME_WAIT},
	  {C, ACK, WEIR_FLOW_TIME_WAIT},
	  {M, ACK, WEIR_FLOW_TIME_WAIT}}},
	{"FINs are repeated when their acknowledgement is lost",
	 {{C, ACK, WEIR_FLOW_ESTABLISHED},
	  {C, FIN, WEIR_FLOW_FIN_CLIENT},
	  {C, FIN, WEIR_FLOW_FIN_CLIENT},
	  {M, FIN, WEIR_FLOW_TIME_WAIT},
	  {M, FIN, WEIR_FLOW_TIME_WAIT},
	  {C, FIN, WEIR_FLOW_TIME_WAIT}}},
	{"the client's direction alone",
	 {{C, SYN, WEIR_FLOW_SYN_SENT},
	  {C, ACK, WEIR_FLOW_ESTABLISHED},
	  {C, ACK, WEIR_FLOW_ESTABLISHED},
	  {C, FIN, WEIR_FLOW_FIN_CLIENT},
	  {C, ACK, WEIR_FLOW_FIN_CLIENT}}},
	{"the SYN-ACK passed another node, data come first",
	 {{M, ACK, WEIR_FLOW_ESTABLISHED}, {C, ACK, WEIR_FLOW_ESTABLISHED}}},
	{"a repeated SYN-ACK changes nothing",
	 {{M, SYN_ACK, WEIR_FLOW_SYN_SENT},
	  {M, SYN_ACK, WEIR_FLOW_SYN_SENT},
	  {C, ACK, WEIR_FLOW_ESTABLISHED},
	  {M, SYN_ACK, WEIR_FLOW_ESTABLISHED}}},
	{"refused by the member",
	 {{M, RST | ACK, WEIR_FLOW_RESET_MEMBER}, {C, ACK, WEIR_FLOW_RESET_MEMBER}}},
	{"aborted by the client, the member's data in flight do not revive it",
	 {{C, ACK, WEIR_FLOW_ESTABLISHED},
	  {C, RST | ACK, WEIR_FLOW_RESET_CLIENT},
	  {M, ACK, WEIR_FLOW_RESET_CLIENT},
	  {M, FIN, WEIR_FLOW_RESET_CLIENT},
	  {C, RST, WEIR_FLOW_RESET_CLIENT}}},
	{"a RST forged in the client's name: the client sends on",
	 {{C, ACK, WEIR_FLOW_ESTABLISHED},
	  {C, RST, WEIR_FLOW_RESET_CLIENT},
	  {M, ACK, WEIR_FLOW_RESET_CLIENT},
	  {C, ACK, WEIR_FLOW_ESTABLISHED}}},
	{"a RST forged in the member's name: the member sends on",
	 {{C, ACK, WEIR_FLOW_ESTABLISHED},
	  {M, RST, WEIR_FLOW_RESET_MEMBER},
	  {C, ACK, WEIR_FLOW_RESET_MEMBER},
	  {M, ACK, WEIR_FLOW_ESTABLISHED}}},
	{"a RST forged during the handshake: the member accepts after all",
	 {{M, RST, WEIR_FLOW_RESET_MEMBER},
	  {M, SYN_ACK, WEIR_FLOW_SYN_SENT},
	  {C, ACK, WEIR_FLOW_ESTABLISHED}}},
	{"after a forged RST the flow may still close",
	 {{C, ACK, WEIR_FLOW_ESTABLISHED},
	  {C, RST, WEIR_FLOW_RESET_CLIENT},
	  {C, FIN, WEIR_FLOW_FIN_CLIENT},
	  {M, FIN, WEIR_FLOW_TIME_WAIT}}},
	{"a RST after both closed changes nothing",
	 {{C, FIN, WEIR_FLOW_FIN_CLIENT},
	  {M, FIN, WEIR_FLOW_TIME_WAIT},
	  {C, RST, WEIR_FLOW_TIME_WAIT},
	  {M, RST, WEIR_FLOW_TIME_WAIT}}},
	{"a client that forgot: the member answers its SYN, the client resets",
	 {{C, ACK, WEIR_FLOW_ESTABLISHED},
	  {C, SYN, WEIR_FLOW_ESTABLISHED},
	  {M, ACK, WEIR_FLOW_ESTABLISHED},
	  {C, RST, WEIR_FLOW_RESET_CLIENT}}},
};

static void connections_move_through_the_states(void **state)
{
	(void)state;
	for (size_t w = 0; w < sizeof(walks) / sizeof(walks[0]); w++) {
		enum weir_flow_state at = WEIR_FLOW_SYN_SENT;

		for (const struct step *step = walks[w].steps; step->flags != 0; step++) {
			at = weir_flow_state_next(at, step->from, step->flags);
			if (at != step->expected)
				fail_msg("%s, step %ld: %s instead of %s", walks[w].description,
					 (long)(step - walks[w].steps), weir_flow_state_name(at),
					 weir_flow_state_name(step->expected));
		}
	}
}

// What each state means to those who ask about it.
static void states_have_timeouts_ends_and_heirs(void **state)
{
	static const struct {
		enum weir_flow_state state;
		uint32_t timeout_s; // with the listener's idle timeout at 900
		uint32_t default_s;
		bool over;
		bool reusable; // by a new SYN
		enum weir_flow_end end;
	} rows[] = {
		{WEIR_FLOW_UDP, 900, 60, false, false, WEIR_END_TIMEOUT},
		{WEIR_FLOW_SYN_SENT, 30, 30, false, false, WEIR_END_TIMEOUT},
		{WEIR_FLOW_ESTABLISHED, 900, 3600, false, false, WEIR_END_TIMEOUT},
		{WEIR_FLOW_FIN_CLIENT, 30, 30, false, true, WEIR_END_FIN},
		{WEIR_FLOW_FIN_MEMBER, 30, 30, false, false, WEIR_END_FIN},
		{WEIR_FLOW_TIME_WAIT, 30, 30, true, true, WEIR_END_FIN},
		{WEIR_FLOW_RESET_CLIENT, 10, 10, true, true, WEIR_END_RST},
		{WEIR_FLOW_RESET_MEMBER, 10, 10, true, true, WEIR_END_RST},
	};

	(void)state;
	assert_int_equal(sizeof(rows) / sizeof(rows[0]), WEIR_FLOW_NB_STATES - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(weir_flow_state_timeout_s(rows[i].state, 900), rows[i].timeout_s);
		assert_int_equal(weir_flow_state_timeout_s(rows[i].state, 0), rows[i].default_s);
		assert_int_equal(weir_flow_state_over(rows[i].state), rows[i].over);
		assert_int_equal(weir_flow_state_reusable(rows[i].state), rows[i].reusable);
		assert_int_equal(weir_flow_state_end(rows[i].state), rows[i].end);
	}
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
			}
		}
	}
}

// A RST never shortens the life of a flow whose ends go on.
static void no_single_rst_ends_a_flow_for_good(void **state)
{
	static const enum weir_flow_state open[] = {
		WEIR_FLOW_SYN_SENT,
		WEIR_FLOW_ESTABLISHED,
		WEIR_FLOW_FIN_CLIENT,
		WEIR_FLOW_FIN_MEMBER,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
		for (int side = 0; side < 2; side++) {
			enum weir_flow_state reset = weir_flow_state_next(
				open[i], (enum weir_direction)side, WEIR_TCP_RST);

			assert_true(weir_flow_state_over(reset));
			assert_false(weir_flow_state_over(weir_flow_state_next(
				reset, (enum weir_direction)side, WEIR_TCP_ACK)));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_move_through_the_states),
		cmocka_unit_test(states_have_timeouts_ends_and_heirs),
		cmocka_unit_test(no_packet_leads_out_of_the_states),
		cmocka_unit_test(no_single_rst_ends_a_flow_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
