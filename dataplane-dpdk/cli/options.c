// SPDX-License-Identifier: Apache-2.0

#include "cli/options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

static const char usage_text[] =
	"usage: weirctl [--socket PATH] [--json] COMMAND\n"
	"  status                             engine, worker lcores, flow table, neighbours\n"
	"  state                              node and load balancers that it runs\n"
	"  counters [--all]                   per listener and member, and drops by reason\n"
	"  drops [--lb ID]                    drops by reason\n"
	"  histogram                          time that packets spend in the engine\n"
	"  flows [FILTER...] [--limit N]\n"
	"    filters: --lb ID, --listener ID, --member ID, --client PREFIX, --vip ADDRESS[:PORT],\n"
	"    --protocol tcp|udp, --state NAME, --min-age SECONDS\n"
	"  members [--lb ID]                  weight, verdict, drain, active flows\n"
	"  explain tcp|udp CLIENT:PORT VIP:PORT\n"
	"  watch flows|top [--seconds N]      flows that start and end; sources of most new flows\n"
	"  capture -o FILE [--filter 'WORD VALUE...'] [--count N] [--seconds N] [--snaplen N]\n"
	"    filter words: proto tcp|udp|icmp|icmp6, host ADDRESS[/LENGTH], port N, lb ID, member "
	"ID\n"
	"  replay FILE...                     sends encoded EngineRequests as the controller\n"
	"IPv6 endpoints are written as [2001:db8::1]:443. The socket is also taken from\n"
	"WEIR_ENGINE_SOCKET.\n";

void options_usage(bool asked)
{
	fputs(usage_text, asked ? stdout : stderr);
	exit(asked ? EXIT_SUCCESS : EXIT_USAGE);
}

__attribute__((noreturn)) static void refuse(const char *what, const char *value)
{
	fprintf(stderr, "weirctl: %s: %s\n", what, value);
	exit(EXIT_USAGE);
}

static uint32_t number(const char *text, uint32_t most)
{
	char *end;

	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value > most)
		refuse("not a number in range", text);
	return (uint32_t)value;
}

// Fills 16 bytes with 4 or 16 of an address. Returns its length, 0 if it is none.
static size_t read_address(const char *text, uint8_t *address)
{
	if (inet_pton(AF_INET, text, address) == 1)
		return 4;
	return inet_pton(AF_INET6, text, address) == 1 ? 16 : 0;
}

static void read_prefix(char *text, struct options *options)
{
	char *slash = strchr(text, '/');

	if (slash != NULL)
		*slash = '\0';
	size_t length = read_address(text, options->prefix_address);
	if (length == 0)
		refuse("not an address", text);
	options->prefix.address = (ProtobufCBinaryData){length, options->prefix_address};
	options->prefix.length =
		slash != NULL ? number(slash + 1, (uint32_t)length * 8) : (uint32_t)length * 8;
}

int options_endpoint(char *text, ProtobufCBinaryData *address, uint32_t *port)
{
	char *colon = strrchr(text, ':');
	char *end;

	if (colon == NULL)
		return -EINVAL;
	*colon = '\0';
	unsigned long value = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || end == colon + 1 || value > 65535)
		return -EINVAL;
	*port = (uint32_t)value;
	size_t length = strlen(text);
	if (text[0] == '[' && text[length - 1] == ']') {
		text[length - 1] = '\0';
		text++;
	}
	address->len = read_address(text, address->data);
	return address->len != 0 ? 0 : -EINVAL;
}

static void read_vip(char *text, struct options *options)
{
	options->vip.data = options->vip_address;
	options->vip.len = read_address(text, options->vip_address);
	if (options->vip.len == 0 && options_endpoint(text, &options->vip, &options->vip_port) != 0)
		refuse("not an address", text);
}

static void read_protocol(const char *text, struct options *options)
{
	static const struct {
		const char *name;
		uint32_t ip_protocol;
		Weir__V1__Protocol protocol;
	} known[] = {
		{"tcp", 6, WEIR__V1__PROTOCOL__PROTOCOL_TCP},
		{"udp", 17, WEIR__V1__PROTOCOL__PROTOCOL_UDP},
		{"icmp", 1, WEIR__V1__PROTOCOL__PROTOCOL_UNSPECIFIED},
		{"icmp6", 58, WEIR__V1__PROTOCOL__PROTOCOL_UNSPECIFIED},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(text, known[i].name) == 0) {
			options->ip_protocol = known[i].ip_protocol;
			options->protocol = known[i].protocol;
			return;
		}
	}
	refuse("not a protocol", text);
}

// Words and values in turn, as in "proto tcp port 80".
static void read_filter(char *text, struct options *options)
{
	char *rest = NULL;

	for (char *word = strtok_r(text, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		char *value = strtok_r(NULL, " ", &rest);

		if (value == NULL)
			refuse("the filter's word lacks a value", word);
		if (strcmp(word, "proto") == 0)
			read_protocol(value, options);
		else if (strcmp(word, "host") == 0)
			read_prefix(value, options);
		else if (strcmp(word, "port") == 0)
			options->port = number(value, 65535);
		else if (strcmp(word, "lb") == 0)
			options->lb = value;
		else if (strcmp(word, "member") == 0)
			options->member = value;
		else
			refuse("a filter knows proto, host, port, lb and member, not", word);
	}
}

static void take(struct options *options, int name, char *value)
{
	switch (name) {
	case 's':
		options->socket = value;
		break;
	case 'j':
		options->json = true;
		break;
	case 'a':
		options->all = true;
		break;
	case 'l':
		options->lb = value;
		break;
	case 'i':
		options->listener = value;
		break;
	case 'm':
		options->member = value;
		break;
	case 't':
		options->state = value;
		break;
	case 'n':
		options->limit = number(value, UINT32_MAX);
		break;
	case 'g':
		options->min_age_s = number(value, UINT32_MAX);
		break;
	case 'e':
		options->seconds = number(value, UINT32_MAX);
		break;
	case 'p':
		options->snap_length = number(value, 65535);
		break;
	case 'c':
		read_prefix(value, options);
		break;
	case 'v':
		read_vip(value, options);
		break;
	case 'r':
		read_protocol(value, options);
		break;
	case 'f':
		read_filter(value, options);
		break;
	case 'o':
		options->output = value;
		break;
	case 'h':
		options_usage(true);
		break;
	default:
		options_usage(false);
	}
}

const char *options_parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"all", no_argument, NULL, 'a'},
		{"lb", required_argument, NULL, 'l'},
		{"listener", required_argument, NULL, 'i'},
		{"member", required_argument, NULL, 'm'},
		{"state", required_argument, NULL, 't'},
		{"limit", required_argument, NULL, 'n'},
		{"count", required_argument, NULL, 'n'},
		{"min-age", required_argument, NULL, 'g'},
		{"seconds", required_argument, NULL, 'e'},
		{"snaplen", required_argument, NULL, 'p'},
		{"client", required_argument, NULL, 'c'},
		{"vip", required_argument, NULL, 'v'},
		{"protocol", required_argument, NULL, 'r'},
		{"filter", required_argument, NULL, 'f'},
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	static char empty[] = "";
	int name;

	*options = (struct options){
		.socket = getenv("WEIR_ENGINE_SOCKET"),
		.lb = empty,
		.listener = empty,
		.member = empty,
		.state = empty,
		.prefix = WEIR__V1__PREFIX__INIT,
	};
	while ((name = getopt_long(argc, argv, "o:", known, NULL)) != -1)
		take(options, name, optarg);
	if (optind >= argc || options->socket == NULL)
		return NULL;
	options->arguments = argv + optind + 1;
	options->nb_arguments = argc - optind - 1;
	return argv[optind];
}
