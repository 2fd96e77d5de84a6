// SPDX-License-Identifier: Apache-2.0

#include "main/options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
	"usage: weir-engine EAL-ARGUMENTS -- --socket PATH --state-dir DIR --heartbeat FILE\n"
	"                   --shm-dir DIR [--flow-entries N] [--port N] [--discard-flows]\n"
	"                   [--kernel-address ADDRESS]...\n"
	"  --socket        Unix socket of the control protocol\n"
	"  --state-dir     where the last applied configuration is kept\n"
	"  --heartbeat     file that the guard watches\n"
	"  --shm-dir       folder on tmpfs for flow table and counters\n"
	"  --flow-entries  flows per worker lcore, 1024 to 16777216 (default 65536)\n"
	"  --port          DPDK port to serve (default 0)\n"
	"  --flood-new-flows-per-s\n"
	"                  new flows per worker lcore beyond which they get no entry\n"
	"                  (default 500000, 0: never)\n"
	"  --discard-flows start although the flow table was made by another version or for\n"
	"                  another size and holds flows; they are cut off\n"
	"  --kernel-address  address whose BGP, ping and neighbour discovery stay with the kernel\n"
	"                    (net_af_xdp with xdp_prog=steer.bpf.o; up to 16 times)\n";

enum option_name {
	OPT_SOCKET = 1,
	OPT_STATE,
	OPT_HEARTBEAT,
	OPT_SHM,
	OPT_FLOWS,
	OPT_PORT,
	OPT_DISCARD,
	OPT_KERNEL,
	OPT_FLOOD
};

static int read_number(const char *text, unsigned long low, unsigned long high, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *out >= low && *out <= high ? 0
											: -EINVAL;
}

static int add_kernel_address(struct weir_options *options, const char *text)
{
	struct weir_address *address = &options->kernel_addresses[options->nb_kernel_addresses];
	weir_be32_t ipv4;

	if (options->nb_kernel_addresses == WEIR_MAX_KERNEL_ADDRESSES)
		return -EINVAL;
	if (inet_pton(AF_INET, text, &ipv4) == 1)
		*address = weir_address_v4(ipv4);
	else if (inet_pton(AF_INET6, text, address->bytes) != 1)
		return -EINVAL;
	options->nb_kernel_addresses++;
	return 0;
}

static int set_option(struct weir_options *options, int name, const char *value)
{
	unsigned long number;

	switch (name) {
	case OPT_SOCKET:
		options->socket_path = value;
		return 0;
	case OPT_STATE:
		options->state_dir = value;
		return 0;
	case OPT_HEARTBEAT:
		options->heartbeat_path = value;
		return 0;
	case OPT_SHM:
		options->shm_dir = value;
		return 0;
	case OPT_FLOWS:
		if (read_number(value, 1024, 1 << 24, &number) != 0)
			return -EINVAL;
		options->flow_entries = (uint32_t)number;
		return 0;
	case OPT_PORT:
		if (read_number(value, 0, UINT16_MAX - 1, &number) != 0)
			return -EINVAL;
		options->port = (uint16_t)number;
		return 0;
	case OPT_DISCARD:
		options->flow_wish = WEIR_DISCARD_FLOWS;
		return 0;
	case OPT_FLOOD:
		if (read_number(value, 0, UINT32_MAX, &number) != 0)
			return -EINVAL;
		options->flood_new_flows_per_s = (uint32_t)number;
		return 0;
	case OPT_KERNEL:
		return add_kernel_address(options, value);
	default:
		return -EINVAL;
	}
}

int weir_options_parse(int argc, char **argv, struct weir_options *options)
{
	static const struct option known[] = {
		{"socket", required_argument, NULL, OPT_SOCKET},
		{"state-dir", required_argument, NULL, OPT_STATE},
		{"heartbeat", required_argument, NULL, OPT_HEARTBEAT},
		{"shm-dir", required_argument, NULL, OPT_SHM},
		{"flow-entries", required_argument, NULL, OPT_FLOWS},
		{"port", required_argument, NULL, OPT_PORT},
		{"discard-flows", no_argument, NULL, OPT_DISCARD},
		{"kernel-address", required_argument, NULL, OPT_KERNEL},
		{"flood-new-flows-per-s", required_argument, NULL, OPT_FLOOD},
		{NULL, 0, NULL, 0},
	};
	int name;

	*options = (struct weir_options){.flow_entries = 65536, .flood_new_flows_per_s = 500000};
	optind = 1;
	while ((name = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (set_option(options, name, optarg) != 0) {
			fputs(usage, stderr);
			return -EINVAL;
		}
	}
	if (optind != argc || options->socket_path == NULL || options->state_dir == NULL ||
	    options->heartbeat_path == NULL || options->shm_dir == NULL) {
		fputs(usage, stderr);
		return -EINVAL;
	}
	return 0;
}
