// SPDX-License-Identifier: Apache-2.0
//
// weirctl: looks into a running engine over its control socket. See README.md for the commands.

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/message_json.h"
#include "engine.pb-c.h"

enum { EXIT_USAGE = 2, MAX_FRAME = 16 << 20 };

static const char usage_text[] =
	"usage: weirctl [--socket PATH] [--json] COMMAND\n"
	"  status                             engine, worker lcores, flow table, neighbours\n"
	"  state                              node and load balancers that it runs\n"
	"  counters [--all]                   per listener and member, and drops by reason\n"
	"  flows [--lb ID] [--member ID] [--limit N]\n"
	"  members [--lb ID]                  weight, verdict, drain, active flows\n"
	"  explain tcp|udp CLIENT:PORT VIP:PORT\n"
	"  replay FILE...                     sends encoded EngineRequests as the controller\n"
	"The socket is also taken from WEIR_ENGINE_SOCKET.\n";

static bool as_json;

static void die(const char *what)
{
	fprintf(stderr, "weirctl: %s\n", what);
	exit(EXIT_FAILURE);
}

static int connect_engine(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		die("the socket's path is too long");
	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		fprintf(stderr, "weirctl: no engine answers at %s: %s\n", path, strerror(errno));
		exit(EXIT_FAILURE);
	}
	return fd;
}

static void write_all(int fd, const void *data, size_t length)
{
	const uint8_t *p = data;

	while (length > 0) {
		ssize_t n = send(fd, p, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("the engine closed the connection");
		p += n;
		length -= (size_t)n;
	}
}

static void read_all(int fd, void *data, size_t length)
{
	uint8_t *p = data;

	while (length > 0) {
		ssize_t n = read(fd, p, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("the engine closed the connection");
		p += n;
		length -= (size_t)n;
	}
}

static void send_frame(int fd, const uint8_t *data, size_t length)
{
	uint32_t head = htonl((uint32_t)length);

	write_all(fd, &head, sizeof(head));
	write_all(fd, data, length);
}

static Weir__V1__EngineMessage *receive(int fd)
{
	uint32_t length;

	read_all(fd, &length, sizeof(length));
	length = ntohl(length);
	if (length > MAX_FRAME)
		die("the engine's answer is too long");
	uint8_t *data = malloc(length > 0 ? length : 1);
	if (data == NULL)
		die("out of memory");
	read_all(fd, data, length);
	Weir__V1__EngineMessage *message = weir__v1__engine_message__unpack(NULL, length, data);
	free(data);
	if (message == NULL)
		die("the engine's answer can't be decoded");
	return message;
}

static Weir__V1__EngineMessage *ask(int fd, Weir__V1__EngineRequest *request)
{
	static uint64_t next_id;

	request->request_id = ++next_id;
	size_t length = weir__v1__engine_request__get_packed_size(request);
	uint8_t *data = malloc(length > 0 ? length : 1);
	if (data == NULL)
		die("out of memory");
	weir__v1__engine_request__pack(request, data);
	send_frame(fd, data, length);
	free(data);
	Weir__V1__EngineMessage *message = receive(fd);
	if (message->message_case == WEIR__V1__ENGINE_MESSAGE__MESSAGE_ERROR) {
		fprintf(stderr, "weirctl: %s\n", message->error->message);
		exit(EXIT_FAILURE);
	}
	return message;
}

static void greet(int fd, Weir__V1__EngineRole role)
{
	Weir__V1__HelloRequest hello = WEIR__V1__HELLO_REQUEST__INIT;
	Weir__V1__EngineRequest request = WEIR__V1__ENGINE_REQUEST__INIT;

	hello.role = role;
	hello.protocol_version = 1;
	request.request_case = WEIR__V1__ENGINE_REQUEST__REQUEST_HELLO;
	request.hello = &hello;
	weir__v1__engine_message__free_unpacked(ask(fd, &request), NULL);
}

static const char *address_text(ProtobufCBinaryData address, char text[INET6_ADDRSTRLEN])
{
	if (address.len == 4)
		return inet_ntop(AF_INET, address.data, text, INET6_ADDRSTRLEN);
	if (address.len == 16)
		return inet_ntop(AF_INET6, address.data, text, INET6_ADDRSTRLEN);
	return "-";
}

static void print_status(const Weir__V1__GetStatusReply *s)
{
	char text[INET6_ADDRSTRLEN];

	printf("version %s  start %" PRIu64 "  up %.1f s  %s\n", s->version, s->engine_start_id,
	       (double)s->uptime_us / 1e6, s->ready ? "ready" : "not ready");
	printf("flows %" PRIu64 " of %" PRIu64 ", %" PRIu64 " recovered at start\n",
	       s->flow_table_used, s->flow_table_capacity, s->flows_recovered);
	for (size_t i = 0; i < s->n_lcores; i++)
		printf("lcore %u  rx %" PRIu64 "  tx %" PRIu64 "  tx_dropped %" PRIu64
		       "  flows %" PRIu64 "  sleeps %" PRIu64 "\n",
		       s->lcores[i]->lcore, s->lcores[i]->rx_packets, s->lcores[i]->tx_packets,
		       s->lcores[i]->tx_dropped, s->lcores[i]->flow_table_used,
		       s->lcores[i]->idle_sleeps);
	for (size_t i = 0; i < s->n_neighbours; i++) {
		const ProtobufCBinaryData mac = s->neighbours[i]->mac;

		printf("neighbour %-15s ", address_text(s->neighbours[i]->address, text));
		for (size_t b = 0; b < mac.len; b++)
			printf("%s%02x", b > 0 ? ":" : "", mac.data[b]);
		printf(" %s\n", s->neighbours[i]->state);
	}
}

static void print_state(const Weir__V1__GetStateReply *s)
{
	printf("node epoch %" PRIu64 " sequence %" PRIu64 "\n", s->node_epoch, s->node_sequence);
	for (size_t i = 0; i < s->n_load_balancers; i++) {
		const Weir__V1__AppliedLoadBalancer *lb = s->load_balancers[i];

		printf("%s epoch %" PRIu64 " sequence %" PRIu64 " generation %" PRIu64
		       " unhealthy %zu\n",
		       lb->load_balancer_id, lb->epoch, lb->sequence, lb->generation,
		       lb->n_unhealthy_member_ids);
	}
}

static void print_counters(const Weir__V1__GetCountersReply *c, bool all)
{
	printf("%-37s %-37s %10s %12s %10s %12s %8s %7s %6s %6s %6s %6s\n", "listener", "member",
	       "in_packets", "in_bytes", "out_pkts", "out_bytes", "new", "active", "fin", "rst",
	       "timeout", "evict");
	for (size_t i = 0; i < c->n_counters; i++) {
		const Weir__V1__FlowCounters *f = c->counters[i];

		if (!all && f->in_packets == 0 && f->out_packets == 0 && f->active_flows == 0)
			continue;
		printf("%-37s %-37s %10" PRIu64 " %12" PRIu64 " %10" PRIu64 " %12" PRIu64
		       " %8" PRIu64 " %7" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRIu64
		       "\n",
		       f->listener_id, f->member_id, f->in_packets, f->in_bytes, f->out_packets,
		       f->out_bytes, f->new_flows, f->active_flows, f->ended_fin, f->ended_rst,
		       f->ended_timeout, f->ended_evicted);
	}
	for (size_t i = 0; i < c->n_drops; i++)
		printf("drop %-37s %-24s %" PRIu64 "\n",
		       c->drops[i]->load_balancer_id[0] != '\0' ? c->drops[i]->load_balancer_id
								: "-",
		       c->drops[i]->reason, c->drops[i]->packets);
}

static void print_flows(const Weir__V1__ListFlowsReply *reply)
{
	char client[INET6_ADDRSTRLEN];
	char vip[INET6_ADDRSTRLEN];
	char member[INET6_ADDRSTRLEN];
	char snat[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < reply->n_flows; i++) {
		const Weir__V1__FlowEntry *f = reply->flows[i];

		printf("%s %s:%u -> %s:%u -> %s:%u",
		       f->protocol == WEIR__V1__PROTOCOL__PROTOCOL_UDP ? "udp" : "tcp",
		       address_text(f->client_address, client), f->client_port,
		       address_text(f->vip_address, vip), f->vip_port,
		       address_text(f->member_address, member), f->member_port);
		if (f->snat_port != 0)
			printf(" from %s:%u", address_text(f->snat_address, snat), f->snat_port);
		printf(" %s %us %s\n", f->state, f->expires_in_s, f->member_id);
	}
	if (reply->truncated)
		printf("... and more\n");
}

static void print_members(const Weir__V1__ListMembersReply *reply)
{
	for (size_t i = 0; i < reply->n_members; i++) {
		const Weir__V1__EngineMember *m = reply->members[i];

		printf("%s %s weight %u %s%s active %" PRIu64 "\n", m->load_balancer_id,
		       m->member_id, m->weight, m->healthy ? "healthy" : "unhealthy",
		       m->draining ? " draining" : "", m->active_flows);
	}
}

static int finish(Weir__V1__EngineMessage *message, const ProtobufCMessage *reply)
{
	if (as_json) {
		message_json_print(stdout, reply);
		fputc('\n', stdout);
	}
	weir__v1__engine_message__free_unpacked(message, NULL);
	return EXIT_SUCCESS;
}

static int command_status(int fd)
{
	Weir__V1__GetStatusRequest body = WEIR__V1__GET_STATUS_REQUEST__INIT;
	Weir__V1__EngineRequest request = WEIR__V1__ENGINE_REQUEST__INIT;

	request.request_case = WEIR__V1__ENGINE_REQUEST__REQUEST_GET_STATUS;
	request.get_status = &body;
	Weir__V1__EngineMessage *message = ask(fd, &request);
	if (!as_json)
		print_status(message->get_status);
	return finish(message, &message->get_status->base);
}

static int command_state(int fd)
{
	Weir__V1__GetStateRequest body = WEIR__V1__GET_STATE_REQUEST__INIT;
	Weir__V1__EngineRequest request = WEIR__V1__ENGINE_REQUEST__INIT;

	request.request_case = WEIR__V1__ENGINE_REQUEST__REQUEST_GET_STATE;
	request.get_state = &body;
	Weir__V1__EngineMessage *message = ask(fd, &request);
	if (!as_json)
		print_state(message->get_state);
	return finish(message, &message->get_state->base);
}

static int command_counters(int fd, bool all)
{
	Weir__V1__GetCountersRequest body = WEIR__V1__GET_COUNTERS_REQUEST__INIT;
	Weir__V1__EngineRequest request = WEIR__V1__ENGINE_REQUEST__INIT;

	request.request_case = WEIR__V1__ENGINE_REQUEST__REQUEST_GET_COUNTERS;
	request.get_counters = &body;
	Weir__V1__EngineMessage *message = ask(fd, &request);
	if (!as_json)
		print_counters(message->get_counters, all);
	return finish(message, &message->get_counters->base);
}

static int command_flows(int fd, char *lb, char *member, uint32_t limit)
{
	Weir__V1__ListFlowsRequest body = WEIR__V1__LIST_FLOWS_REQUEST__INIT;
	Weir__V1__EngineRequest request = WEIR__V1__ENGINE_REQUEST__INIT;

	body.load_balancer_id = lb;
	body.member_id = member;
	body.limit = limit;
	request.request_case = WEIR__V1__ENGINE_REQUEST__REQUEST_LIST_FLOWS;
	request.list_flows = &body;
	Weir__V1__EngineMessage *message = ask(fd, &request);
	if (!as_json)
		print_flows(message->list_flows);
	return finish(message, &message->list_flows->base);
}

static int command_members(int fd, char *lb)
{
	Weir__V1__ListMembersRequest body = WEIR__V1__LIST_MEMBERS_REQUEST__INIT;
	Weir__V1__EngineRequest request = WEIR__V1__ENGINE_REQUEST__INIT;

	body.load_balancer_id = lb;
	request.request_case = WEIR__V1__ENGINE_REQUEST__REQUEST_LIST_MEMBERS;
	request.list_members = &body;
	Weir__V1__EngineMessage *message = ask(fd, &request);
	if (!as_json)
		print_members(message->list_members);
	return finish(message, &message->list_members->base);
}

// Splits ADDRESS:PORT in place. Returns 0 or -EINVAL.
static int read_endpoint(char *text, struct in_addr *address, uint32_t *port)
{
	char *colon = strrchr(text, ':');
	char *end;

	if (colon == NULL)
		return -EINVAL;
	*colon = '\0';
	unsigned long number = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || end == colon + 1 || number > 65535)
		return -EINVAL;
	*port = (uint32_t)number;
	return inet_pton(AF_INET, text, address) == 1 ? 0 : -EINVAL;
}

static int command_explain(int fd, char **arguments)
{
	Weir__V1__ExplainRequest body = WEIR__V1__EXPLAIN_REQUEST__INIT;
	Weir__V1__EngineRequest request = WEIR__V1__ENGINE_REQUEST__INIT;
	struct in_addr client;
	struct in_addr vip;

	if (read_endpoint(arguments[1], &client, &body.client_port) != 0 ||
	    read_endpoint(arguments[2], &vip, &body.vip_port) != 0)
		die("addresses are written as 192.0.2.1:12345");
	body.protocol = strcmp(arguments[0], "udp") == 0 ? WEIR__V1__PROTOCOL__PROTOCOL_UDP
							 : WEIR__V1__PROTOCOL__PROTOCOL_TCP;
	body.client_address = (ProtobufCBinaryData){4, (uint8_t *)&client};
	body.vip_address = (ProtobufCBinaryData){4, (uint8_t *)&vip};
	request.request_case = WEIR__V1__ENGINE_REQUEST__REQUEST_EXPLAIN;
	request.explain = &body;
	Weir__V1__EngineMessage *message = ask(fd, &request);
	for (size_t i = 0; !as_json && i < message->explain->n_steps; i++)
		printf("%s\n", message->explain->steps[i]);
	return finish(message, &message->explain->base);
}

static uint8_t *read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(MAX_FRAME);

	if (file == NULL || data == NULL) {
		fprintf(stderr, "weirctl: %s: %s\n", path, strerror(errno));
		exit(EXIT_FAILURE);
	}
	*length = fread(data, 1, MAX_FRAME, file);
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

static int command_replay(int fd, char **files, int nb)
{
	int status = EXIT_SUCCESS;

	for (int i = 0; i < nb; i++) {
		size_t length;
		uint8_t *data = read_file(files[i], &length);

		send_frame(fd, data, length);
		free(data);
		Weir__V1__EngineMessage *message = receive(fd);
		if (refused(message))
			status = EXIT_FAILURE;
		message_json_print(stdout, &message->base);
		fputc('\n', stdout);
		weir__v1__engine_message__free_unpacked(message, NULL);
	}
	return status;
}

struct arguments {
	const char *socket;
	char *lb;
	char *member;
	uint32_t limit;
	bool all;
};

static struct arguments parse(int argc, char **argv)
{
	static const struct option known[] = {
		{"socket", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
		{"lb", required_argument, NULL, 'l'},     {"member", required_argument, NULL, 'm'},
		{"limit", required_argument, NULL, 'n'},  {"all", no_argument, NULL, 'a'},
		{"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
	};
	static char empty[] = "";
	struct arguments a = {.socket = getenv("WEIR_ENGINE_SOCKET"), .lb = empty, .member = empty};
	int name;

	while ((name = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (name) {
		case 's':
			a.socket = optarg;
			break;
		case 'j':
			as_json = true;
			break;
		case 'l':
			a.lb = optarg;
			break;
		case 'm':
			a.member = optarg;
			break;
		case 'n':
			a.limit = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'a':
			a.all = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(EXIT_SUCCESS);
		default:
			fputs(usage_text, stderr);
			exit(EXIT_USAGE);
		}
	}
	return a;
}

int main(int argc, char **argv)
{
	struct arguments a = parse(argc, argv);
	const char *command = optind < argc ? argv[optind] : "";
	int rest = argc - optind - 1;
	bool replay = strcmp(command, "replay") == 0;

	if (a.socket == NULL || command[0] == '\0' || (replay && rest < 1) ||
	    (strcmp(command, "explain") == 0 && rest != 3)) {
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	int fd = connect_engine(a.socket);
	greet(fd, replay ? WEIR__V1__ENGINE_ROLE__ENGINE_ROLE_CONTROLLER
			 : WEIR__V1__ENGINE_ROLE__ENGINE_ROLE_READER);
	if (strcmp(command, "status") == 0)
		return command_status(fd);
	if (strcmp(command, "state") == 0)
		return command_state(fd);
	if (strcmp(command, "counters") == 0)
		return command_counters(fd, a.all);
	if (strcmp(command, "flows") == 0)
		return command_flows(fd, a.lb, a.member, a.limit);
	if (strcmp(command, "members") == 0)
		return command_members(fd, a.lb);
	if (strcmp(command, "explain") == 0)
		return command_explain(fd, argv + optind + 1);
	if (replay)
		return command_replay(fd, argv + optind + 1, rest);
	fputs(usage_text, stderr);
	return EXIT_USAGE;
}
