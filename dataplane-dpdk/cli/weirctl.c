// SPDX-License-Identifier: Apache-2.0
//
// weirctl: looks into a running engine over its control socket. See README.md for the commands.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/engine_link.h"
#include "cli/message_json.h"
#include "cli/print.h"

// A question to the engine: the body of the request, filled from the options, and how to show the
// answer.
union body {
	ProtobufCMessage base;
	Weir__V1__GetStatusRequest status;
	Weir__V1__GetStateRequest state;
	Weir__V1__GetCountersRequest counters;
	Weir__V1__ListFlowsRequest flows;
	Weir__V1__ListMembersRequest members;
	Weir__V1__ExplainRequest explain;
};

struct question {
	const char *name;
	unsigned int request_case;
	int nb_arguments;
	void (*fill)(union body *body, struct options *options);
	void (*print)(const Weir__V1__EngineMessage *message, const struct options *options);
};

static void fill_status(union body *body, struct options *options)
{
	(void)options;
	weir__v1__get_status_request__init(&body->status);
}

static void fill_state(union body *body, struct options *options)
{
	(void)options;
	weir__v1__get_state_request__init(&body->state);
}

static void fill_counters(union body *body, struct options *options)
{
	(void)options;
	weir__v1__get_counters_request__init(&body->counters);
}

static void fill_flows(union body *body, struct options *options)
{
	Weir__V1__ListFlowsRequest *flows = &body->flows;

	weir__v1__list_flows_request__init(flows);
	flows->load_balancer_id = options->lb;
	flows->listener_id = options->listener;
	flows->member_id = options->member;
	flows->state = options->state;
	flows->limit = options->limit;
	flows->min_age_s = options->min_age_s;
	flows->protocol = options->protocol;
	flows->vip_address = options->vip;
	flows->vip_port = options->vip_port;
	if (options->prefix.address.len != 0)
		flows->client_prefix = &options->prefix;
}

static void fill_members(union body *body, struct options *options)
{
	weir__v1__list_members_request__init(&body->members);
	body->members.load_balancer_id = options->lb;
}

static void fill_explain(union body *body, struct options *options)
{
	static uint8_t client[16];
	static uint8_t vip[16];
	Weir__V1__ExplainRequest *explain = &body->explain;

	weir__v1__explain_request__init(explain);
	explain->protocol = strcmp(options->arguments[0], "udp") == 0
				    ? WEIR__V1__PROTOCOL__PROTOCOL_UDP
				    : WEIR__V1__PROTOCOL__PROTOCOL_TCP;
	explain->client_address.data = client;
	explain->vip_address.data = vip;
	if (options_endpoint(options->arguments[1], &explain->client_address,
			     &explain->client_port) != 0 ||
	    options_endpoint(options->arguments[2], &explain->vip_address, &explain->vip_port) != 0)
		engine_die("endpoints are written as 192.0.2.1:12345 or [2001:db8::1]:12345");
}

static const struct question questions[] = {
	{"status", WEIR__V1__ENGINE_REQUEST__REQUEST_GET_STATUS, 0, fill_status, print_status},
	{"histogram", WEIR__V1__ENGINE_REQUEST__REQUEST_GET_STATUS, 0, fill_status,
	 print_histogram},
	{"state", WEIR__V1__ENGINE_REQUEST__REQUEST_GET_STATE, 0, fill_state, print_state},
	{"counters", WEIR__V1__ENGINE_REQUEST__REQUEST_GET_COUNTERS, 0, fill_counters,
	 print_counters},
	{"drops", WEIR__V1__ENGINE_REQUEST__REQUEST_GET_COUNTERS, 0, fill_counters, print_drops},
	{"flows", WEIR__V1__ENGINE_REQUEST__REQUEST_LIST_FLOWS, 0, fill_flows, print_flows},
	{"members", WEIR__V1__ENGINE_REQUEST__REQUEST_LIST_MEMBERS, 0, fill_members, print_members},
	{"explain", WEIR__V1__ENGINE_REQUEST__REQUEST_EXPLAIN, 3, fill_explain, print_explain},
};

static void show(const Weir__V1__EngineMessage *message, const struct options *options,
		 void (*print)(const Weir__V1__EngineMessage *message,
			       const struct options *options))
{
	if (options->json) {
		message_json_print(stdout, engine_body(message));
		fputc('\n', stdout);
	} else {
		print(message, options);
	}
}

// An answer may come in pieces; with --json each is a line of its own.
static bool is_last(const Weir__V1__EngineMessage *message)
{
	return message->message_case != WEIR__V1__ENGINE_MESSAGE__MESSAGE_LIST_FLOWS ||
	       message->list_flows->last;
}

static int put_question(int fd, const struct question *question, struct options *options)
{
	Weir__V1__EngineRequest request = WEIR__V1__ENGINE_REQUEST__INIT;
	union body body;
	bool last = false;

	question->fill(&body, options);
	engine_set_body(&request, question->request_case, &body.base);
	Weir__V1__EngineMessage *message = engine_ask(fd, &request);
	for (;;) {
		show(message, options, question->print);
		last = is_last(message);
		weir__v1__engine_message__free_unpacked(message, NULL);
		if (last)
			return EXIT_SUCCESS;
		message = engine_receive(fd, -1);
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int watch(int fd, struct options *options)
{
	Weir__V1__EngineRequest request = WEIR__V1__ENGINE_REQUEST__INIT;
	Weir__V1__StreamFlowsRequest body = WEIR__V1__STREAM_FLOWS_REQUEST__INIT;
	int64_t end = now_ms() + (int64_t)options->seconds * 1000;

	setvbuf(stdout, NULL, _IOLBF, 0);
	body.records = strcmp(options->arguments[0], "flows") == 0;
	body.top_sources = strcmp(options->arguments[0], "top") == 0;
	if (!body.records && !body.top_sources)
		options_usage(false);
	engine_set_body(&request, WEIR__V1__ENGINE_REQUEST__REQUEST_STREAM_FLOWS, &body.base);
	weir__v1__engine_message__free_unpacked(engine_ask(fd, &request), NULL);
	for (;;) {
		int64_t left = options->seconds != 0 ? end - now_ms() : -1;

		if (options->seconds != 0 && left <= 0)
			return EXIT_SUCCESS;
		Weir__V1__EngineMessage *message = engine_receive(fd, (int)left);
		if (message == NULL)
			return EXIT_SUCCESS;
		show(message, options, print_watched);
		weir__v1__engine_message__free_unpacked(message, NULL);
	}
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static void start_capture(int fd, struct options *options)
{
	Weir__V1__EngineRequest request = WEIR__V1__ENGINE_REQUEST__INIT;
	Weir__V1__StartCaptureRequest body = WEIR__V1__START_CAPTURE_REQUEST__INIT;
	Weir__V1__CaptureFilter filter = WEIR__V1__CAPTURE_FILTER__INIT;

	filter.ip_protocol = options->ip_protocol;
	filter.port = options->port;
	filter.load_balancer_id = options->lb;
	filter.member_id = options->member;
	if (options->prefix.address.len != 0)
		filter.host = &options->prefix;
	body.filter = &filter;
	body.max_packets = options->limit;
	body.max_seconds = options->seconds;
	body.snap_length = options->snap_length;
	engine_set_body(&request, WEIR__V1__ENGINE_REQUEST__REQUEST_START_CAPTURE, &body.base);
	weir__v1__engine_message__free_unpacked(engine_ask(fd, &request), NULL);
}

static void stop_capture(int fd)
{
	Weir__V1__EngineRequest request = WEIR__V1__ENGINE_REQUEST__INIT;
	Weir__V1__StopCaptureRequest body = WEIR__V1__STOP_CAPTURE_REQUEST__INIT;

	engine_set_body(&request, WEIR__V1__ENGINE_REQUEST__REQUEST_STOP_CAPTURE, &body.base);
	engine_send(fd, &request);
}

static void write_file(int file, ProtobufCBinaryData data)
{
	for (size_t at = 0; at < data.len;) {
		ssize_t n = write(file, data.data + at, data.len - at);

		if (n < 0 && errno != EINTR)
			engine_die(strerror(errno));
		at += n > 0 ? (size_t)n : 0;
	}
}

// Returns true at the capture's end.
static bool take_capture(const Weir__V1__EngineMessage *message, int file)
{
	if (message->message_case == WEIR__V1__ENGINE_MESSAGE__MESSAGE_ERROR)
		engine_die(message->error->message);
	if (message->message_case != WEIR__V1__ENGINE_MESSAGE__MESSAGE_CAPTURE_DATA)
		return false;
	const Weir__V1__CaptureData *data = message->capture_data;
	write_file(file, data->data);
	if (data->ended)
		fprintf(stderr, "%lu packets, %lu lost\n", data->packets, data->lost);
	return data->ended;
}

static int capture(int fd, struct options *options)
{
	bool stopping = false;

	if (options->output == NULL)
		options_usage(false);
	int file = open(options->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0)
		engine_die(strerror(errno));
	signal(SIGINT, on_interrupt);
	signal(SIGTERM, on_interrupt);
	start_capture(fd, options);
	for (bool ended = false; !ended;) {
		Weir__V1__EngineMessage *message = engine_receive(fd, 200);

		if (interrupted && !stopping) {
			stopping = true;
			stop_capture(fd);
		}
		if (message == NULL)
			continue;
		ended = take_capture(message, file);
		weir__v1__engine_message__free_unpacked(message, NULL);
	}
	return close(file) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static uint8_t *read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(WEIRCTL_MAX_FRAME);

	if (file == NULL || data == NULL) {
		fprintf(stderr, "weirctl: %s: %s\n", path, strerror(errno));
		exit(EXIT_FAILURE);
	}
	*length = fread(data, 1, WEIRCTL_MAX_FRAME, file);
	fclose(file);
	return data;
}

// True if the reply refuses something.
static bool refused(const Weir__V1__EngineMessage *message)
{
	if (message->message_case == WEIR__V1__ENGINE_MESSAGE__MESSAGE_ERROR)
		return true;
	if (message->message_case == WEIR__V1__ENGINE_MESSAGE__MESSAGE_APPLY_NODE)
		return message->apply_node->rejected_code[0] != '\0';
	if (message->message_case != WEIR__V1__ENGINE_MESSAGE__MESSAGE_APPLY)
		return false;
	for (size_t i = 0; i < message->apply->n_results; i++)
		if (message->apply->results[i]->rejected_code[0] != '\0')
			return true;
	return false;
}

static int replay(int fd, struct options *options)
{
	int status = EXIT_SUCCESS;

	for (int i = 0; i < options->nb_arguments; i++) {
		size_t length;
		uint8_t *data = read_file(options->arguments[i], &length);

		engine_send_frame(fd, data, length);
		free(data);
		Weir__V1__EngineMessage *message = engine_receive(fd, -1);
		if (refused(message))
			status = EXIT_FAILURE;
		message_json_print(stdout, &message->base);
		fputc('\n', stdout);
		weir__v1__engine_message__free_unpacked(message, NULL);
	}
	return status;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int least_arguments;
		Weir__V1__EngineRole role;
		int (*run)(int fd, struct options *options);
	} actions[] = {
		{"watch", 1, WEIR__V1__ENGINE_ROLE__ENGINE_ROLE_READER, watch},
		{"capture", 0, WEIR__V1__ENGINE_ROLE__ENGINE_ROLE_READER, capture},
		{"replay", 1, WEIR__V1__ENGINE_ROLE__ENGINE_ROLE_CONTROLLER, replay},
	};
	struct options options;
	const char *command = options_parse(argc, argv, &options);

	if (command == NULL)
		options_usage(false);
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (strcmp(command, questions[i].name) != 0 ||
		    options.nb_arguments != questions[i].nb_arguments)
			continue;
		int fd = engine_connect(options.socket);

		engine_greet(fd, WEIR__V1__ENGINE_ROLE__ENGINE_ROLE_READER);
		return put_question(fd, &questions[i], &options);
	}
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(command, actions[i].name) != 0 ||
		    options.nb_arguments < actions[i].least_arguments)
			continue;
		int fd = engine_connect(options.socket);

		engine_greet(fd, actions[i].role);
		return actions[i].run(fd, &options);
	}
	options_usage(false);
}
