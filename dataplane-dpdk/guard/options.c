// SPDX-License-Identifier: Apache-2.0

#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_MS 600000

static const char usage[] = "usage: weir-guard --heartbeat FILE --bird-dir DIR --socket PATH\n"
			    "                  [--hold-ms 1000] [--fresh-ms 200] -- bird -f -c "
			    "DIR/bird.conf -s DIR/bird.ctl\n";

static int parse_ms(const char *name, const char *text, uint32_t *ms)
{
	char *end;
	const long value = strtol(text, &end, 10);

	if (end == text || *end != '\0' || value < 1 || value > MAX_MS) {
		fprintf(stderr, "weir-guard: %s takes 1 to %d milliseconds, not \"%s\"\n", name,
			MAX_MS, text);
		return -EINVAL;
	}
	*ms = (uint32_t)value;
	return 0;
}

int weir_guard_options_parse(int argc, char **argv, struct weir_guard_options *options)
{
	static const struct option known[] = {
		{"heartbeat", required_argument, NULL, 'b'},
		{"bird-dir", required_argument, NULL, 'd'},
		{"socket", required_argument, NULL, 's'},
		{"hold-ms", required_argument, NULL, 'h'},
		{"fresh-ms", required_argument, NULL, 'f'},
		{NULL, 0, NULL, 0},
	};
	int rc = 0;
	int c;

	*options = (struct weir_guard_options){.hold_ms = 1000, .fresh_ms = 200};
	while (rc == 0 && (c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'b':
			options->heartbeat = optarg;
			break;
		case 'd':
			options->bird_dir = optarg;
			break;
		case 's':
			options->socket = optarg;
			break;
		case 'h':
			rc = parse_ms("--hold-ms", optarg, &options->hold_ms);
			break;
		case 'f':
			rc = parse_ms("--fresh-ms", optarg, &options->fresh_ms);
			break;
		default:
			rc = -EINVAL;
			break;
		}
	}
	options->bird_argv = argv + optind;
	if (rc != 0 || options->heartbeat == NULL || options->bird_dir == NULL ||
	    options->socket == NULL || options->bird_argv[0] == NULL) {
		fputs(usage, stderr);
		return -EINVAL;
	}
	return 0;
}
