// SPDX-License-Identifier: Apache-2.0
//
// Runs one packet vector, as vector_file.py flattens it, through the data path in process: every
// frame out is compared byte by byte with what Scapy wrote.
//
// usage: vectors-test FILE

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <rte_eal.h>
#include <rte_malloc.h>

#include "control/control.h"
#include "datapath/datapath.h"
#include "lib/checksum.h"
#include "main/worker.h"

enum { LINE_SIZE = 1 << 20, FRAME_SIZE = 9216, MAX_CHOSEN = 16, NAME_SIZE = 64, FLOWS = 1024 };

static struct weir_engine engine;
static struct weir_control control;
static char dir[] = "/tmp/weir-vectors-XXXXXX";
static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1};
static uint32_t nb_packets;

// A value that the engine chose, such as a SNAT port, and what the vector says in its place.
struct chosen {
	char name[NAME_SIZE];
	uint32_t length;
	uint8_t written[16];
	uint8_t actual[16];
};

static struct chosen chosen[MAX_CHOSEN];
static uint32_t nb_chosen;

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

static size_t from_hex(const char *text, uint8_t *out, size_t size)
{
	size_t length = strlen(text) / 2;

	if (length > size)
		fail("a line is too long");
	for (size_t i = 0; i < length; i++) {
		unsigned int byte;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			fail("not hexadecimal: %s", text);
		out[i] = (uint8_t)byte;
	}
	return length;
}

// The engine without a port

static void start_engine(void)
{
	static char *arguments[] = {"vectors",     "--no-huge",   "-m",   "64",
				    "--no-pci",    "-l",          "0",    "--no-telemetry",
				    "--no-shconf", "--log-level", "error"};
	struct weir_worker *worker = &engine.workers[0];

	if (rte_eal_init(RTE_DIM(arguments), arguments) < 0 || mkdtemp(dir) == NULL)
		fail("EAL does not start");
	engine.options = (struct weir_options){.state_dir = dir, .shm_dir = dir};
	engine.nb_workers = 1;
	engine.mbufs = rte_pktmbuf_pool_create("mbufs", 1023, 0, WEIR_MBUF_PRIVATE_SIZE,
					       RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	engine.punts = rte_ring_create("punts", 64, 0, 0);
	memcpy(&engine.mac, own_mac, 6);
	engine.qsbr = rte_zmalloc("qsbr", rte_rcu_qsbr_get_memsize(1), 64);
	worker->engine = &engine;
	worker->rng = 1;
	worker->owns_port = true;
	worker->outbound = rte_ring_create("outbound", 64, 0, 0);
	if (engine.mbufs == NULL || engine.punts == NULL || worker->outbound == NULL ||
	    rte_rcu_qsbr_init(engine.qsbr, 1) != 0 ||
	    weir_flow_file_open(&engine.file, dir, 1, FLOWS, WEIR_KEEP_FLOWS) != 0)
		fail("the engine does not start");
	struct weir_flow_memory memory = weir_flow_file_memory(&engine.file, 0);
	if (weir_flow_table_init(&worker->table, &memory, FLOWS, engine.file.header->flow_key) != 0)
		fail("the engine does not start");
	weir_rss_init(&engine.rss, engine.file.header->flow_key, 1);
	control.engine = &engine;
	control.listen_fd = -1;
	if (weir_config_publish(&control) != 0)
		fail("no memory");
}

static void stop_engine(void)
{
	char command[64];

	weir_flow_file_close(&engine.file);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0)
		fail("%s stays", dir);
}

// Lines

static void take_request(const char *hex)
{
	static uint8_t raw[LINE_SIZE / 2];
	struct weir_connection connection = {.fd = -1, .greeted = true, .controller = true};
	struct weir_bytes request = {raw, from_hex(hex, raw, sizeof(raw))};

	weir_api_request(&control, &connection, request);
}

static void take_neighbour(const char *text, const char *mac)
{
	struct weir_address address;
	uint8_t bytes[16];
	uint64_t word = 0;

	if (inet_pton(AF_INET, text, bytes) == 1) {
		uint32_t v4;

		memcpy(&v4, bytes, sizeof(v4));
		address = weir_address_v4(v4);
	} else if (inet_pton(AF_INET6, text, bytes) == 1) {
		address = weir_address_v6(bytes);
	} else {
		fail("not an address: %s", text);
	}
	for (int i = 0; i < 6; i++) {
		unsigned int byte = (unsigned int)strtoul(mac + 3 * i, NULL, 16);

		word |= (uint64_t)byte << (8 * i);
	}
	uint32_t at = weir_neighbour_hash(&address);
	while (engine.neighbours.slots[at].used_slot != 0)
		at = (at + 1) & (WEIR_NEIGHBOUR_SLOTS - 1);
	atomic_store(&engine.neighbours.slots[at].mac, word | WEIR_NEIGHBOUR_RESOLVED);
	engine.neighbours.slots[at].address = address;
	atomic_store(&engine.neighbours.slots[at].used_slot, 1);
}

// Replaces a value in a frame and corrects the checksum over it (RFC 1624), if there is one.
static void replace(uint8_t *frame, uint32_t offset, uint32_t checksum_at, const uint8_t *value,
		    uint32_t length)
{
	uint16_t checksum;

	if (checksum_at == 0) {
		memcpy(frame + offset, value, length);
		return;
	}
	memcpy(&checksum, frame + checksum_at, 2);
	for (uint32_t i = 0; i < length; i += 2) {
		uint16_t before;
		uint16_t after;

		memcpy(&before, frame + offset + i, 2);
		memcpy(&after, value + i, 2);
		checksum = weir_checksum_update16(checksum, before, after);
	}
	memcpy(frame + offset, value, length);
	memcpy(frame + checksum_at, &checksum, 2);
}

struct place {
	char name[NAME_SIZE];
	uint32_t offset;
	uint32_t length;
	uint32_t checksum;
};

static bool read_place(const char *text, struct place *place)
{
	if (strcmp(text, "-") == 0)
		return false;
	if (sscanf(text, "%63[^:]:%u:%u:%u", place->name, &place->offset, &place->length,
		   &place->checksum) != 4 ||
	    place->length > 16)
		fail("not a place: %s", text);
	return true;
}

static struct chosen *find_chosen(const char *name)
{
	for (uint32_t i = 0; i < nb_chosen; i++)
		if (strcmp(chosen[i].name, name) == 0)
			return &chosen[i];
	return NULL;
}

// What the engine chose the first time must stay the same.
static void put_chosen(uint8_t *want, const uint8_t *frame, const char *text,
		       const char *description)
{
	struct place place;

	if (!read_place(text, &place))
		return;
	struct chosen *known = find_chosen(place.name);
	if (known == NULL) {
		if (nb_chosen == MAX_CHOSEN)
			fail("too many chosen values");
		known = &chosen[nb_chosen++];
		strcpy(known->name, place.name);
		memcpy(known->actual, frame + place.offset, place.length);
	}
	if (memcmp(known->actual, frame + place.offset, place.length) != 0)
		fail("%s: %s is another one than before", description, place.name);
	replace(want, place.offset, place.checksum, known->actual, place.length);
}

static struct rte_mbuf *make_mbuf(const uint8_t *frame, size_t length)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(engine.mbufs);

	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)length), frame, length);
	return mbuf;
}

static void run(struct rte_mbuf *mbuf)
{
	struct weir_worker *worker = &engine.workers[0];
	struct weir_burst burst = {
		.worker = worker, .config = atomic_load(&engine.config), .nb = 1, .mbufs = {mbuf}};

	worker->now = weir_tick_now();
	if (worker->snat != &burst.config->node->snat[0])
		weir_worker_adopt_snat(worker, &burst.config->node->snat[0]);
	weir_burst_process(&burst, true);
}

static const char *dropped_as(const uint64_t *before, uint64_t *after)
{
	const char *name = "nothing";

	memset(after, 0, WEIR_DROP_SLOTS * sizeof(*after));
	for (uint32_t lb = 0; lb < WEIR_MAX_LBS; lb++)
		for (unsigned int r = 0; r < WEIR_DROP_NB_REASONS; r++)
			after[r] +=
				*weir_drop_counter(&engine.file, 0, lb, (enum weir_drop_reason)r);
	for (unsigned int r = 0; r < WEIR_DROP_NB_REASONS; r++)
		if (after[r] != before[r])
			name = weir_drop_reason_name(r);
	return name;
}

static void print_frame(const char *what, const uint8_t *frame, size_t length)
{
	fprintf(stderr, "%s: ", what);
	for (size_t i = 0; i < length; i++)
		fprintf(stderr, "%02x", frame[i]);
	fputc('\n', stderr);
}

static void check_out(uint8_t *want, size_t length, const char *place, const char *description)
{
	struct weir_worker *worker = &engine.workers[0];

	if (worker->nb_tx != 1)
		fail("%s: %u frames left", description, worker->nb_tx);
	struct rte_mbuf *mbuf = worker->tx[--worker->nb_tx];
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	if (rte_pktmbuf_data_len(mbuf) == length)
		put_chosen(want, frame, place, description);
	if (rte_pktmbuf_data_len(mbuf) != length || memcmp(frame, want, length) != 0) {
		print_frame("wanted", want, length);
		print_frame("sent  ", frame, rte_pktmbuf_data_len(mbuf));
		fail("%s: another frame left", description);
	}
	rte_pktmbuf_free(mbuf);
}

static void take_packet(char *rest)
{
	static uint64_t drops[WEIR_DROP_SLOTS];
	uint64_t after[WEIR_DROP_SLOTS];
	static uint8_t in[FRAME_SIZE];
	static uint8_t out[FRAME_SIZE];
	char *words[6];
	struct place uses;

	for (int i = 0; i < 6; i++)
		words[i] = strsep(&rest, " ");
	if (rest == NULL)
		fail("a packet lacks words");
	size_t in_length = from_hex(words[2], in, sizeof(in));
	if (read_place(words[5], &uses)) {
		const struct chosen *known = find_chosen(uses.name);

		if (known == NULL)
			fail("%s: %s was not chosen before", rest, uses.name);
		replace(in, uses.offset, uses.checksum, known->actual, uses.length);
	}
	run(make_mbuf(in, in_length));
	const char *reason = dropped_as(drops, after);
	memcpy(drops, after, sizeof(drops));
	if (strcmp(words[0], "dropped") == 0) {
		if (strcmp(reason, words[1]) != 0)
			fail("%s: dropped as %s, not as %s", rest, reason, words[1]);
	} else {
		if (strcmp(reason, "nothing") != 0)
			fail("%s: dropped as %s", rest, reason);
		check_out(out, from_hex(words[3], out, sizeof(out)), words[4], rest);
	}
	if (engine.workers[0].nb_tx != 0 || rte_ring_count(engine.punts) != 0)
		fail("%s: more happened than a vector may say", rest);
	nb_packets++;
}

static void take_line(char *line)
{
	char *rest = line;
	const char *word = strsep(&rest, " ");

	if (strcmp(word, "request") == 0) {
		take_request(rest);
	} else if (strcmp(word, "neighbour") == 0) {
		const char *address = strsep(&rest, " ");

		take_neighbour(address, rest);
	} else if (strcmp(word, "packet") == 0) {
		if (control.nb_lbs == 0 || control.node == NULL)
			fail("the configuration was refused");
		take_packet(rest);
	} else {
		fail("not a line: %s", word);
	}
}

int main(int argc, char **argv)
{
	static char line[LINE_SIZE];
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;

	if (file == NULL)
		fail("usage: vectors-test FILE");
	start_engine();
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		take_line(line);
	}
	fclose(file);
	stop_engine();
	printf("%u packets\n", nb_packets);
	return nb_packets > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
