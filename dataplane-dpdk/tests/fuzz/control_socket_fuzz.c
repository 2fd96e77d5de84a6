// SPDX-License-Identifier: Apache-2.0
//
// What peers may send on the control socket, in order: an input is a list of frames on up to four
// connections, of which the first has said hello as the controller. Frames go to the decoder and
// the handlers as if they had been read from a socket, answers to nowhere: a socket would cost more
// than all the rest. After every input connections, load balancers, what drains and its rules go
// away, and what is in force must be what the state says.
//
// An input: per frame a byte that chooses the connection (2 bits) and whether its length is a lie
// (1 bit), two bytes of length, the message.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <rte_eal.h>
#include <rte_malloc.h>

#include "control/control.h"
#include "datapath/datapath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

// Ids are kept for flows that may still live: without an end to it every turn would be slower.
enum { NB_PEERS = 4, FLOWS = 1024, FRAME_HEAD = 4, INPUT_HEAD = 3, MAX_IDS = 512 };

static struct weir_engine engine;
static struct weir_control control;
static char dir[] = "/tmp/weir-fuzz-XXXXXX";
static int nowhere;

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void open_flows(void)
{
	struct weir_worker *worker = &engine.workers[0];

	must(weir_flow_file_open(&engine.file, dir, 1, FLOWS, WEIR_KEEP_FLOWS) == 0);
	struct weir_flow_memory memory = weir_flow_file_memory(&engine.file, 0);
	must(weir_flow_table_init(&worker->table, &memory, FLOWS, engine.file.header->flow_key) ==
	     0);
}

// Nothing is configured and nothing drains: no id means anything any more.
static void forget_ids(void)
{
	char path[64];

	weir_flow_table_destroy(&engine.workers[0].table);
	weir_flow_file_close(&engine.file);
	snprintf(path, sizeof(path), "%s/flows", dir);
	must(unlink(path) == 0);
	open_flows();
}

static void start_engine(void)
{
	static char *arguments[] = {"fuzz",        "--no-huge",   "-m",   "64",
				    "--no-pci",    "-l",          "0",    "--no-telemetry",
				    "--no-shconf", "--log-level", "error"};
	struct weir_worker *worker = &engine.workers[0];

	must(rte_eal_init(RTE_DIM(arguments), arguments) >= 0);
	// No file can be made there: what a node configuration would leave on disk costs more than
	// it.
	engine.options = (struct weir_options){.state_dir = "/dev/null", .shm_dir = dir};
	engine.nb_workers = 1;
	engine.mbufs = rte_pktmbuf_pool_create("mbufs", 1023, 0, WEIR_MBUF_PRIVATE_SIZE,
					       RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	engine.punts = rte_ring_create("punts", 64, 0, 0);
	engine.qsbr = rte_zmalloc("qsbr", rte_rcu_qsbr_get_memsize(1), 64);
	worker->engine = &engine;
	worker->outbound = rte_ring_create("outbound", 64, 0, 0);
	must(engine.mbufs != NULL && engine.punts != NULL && worker->outbound != NULL &&
	     rte_rcu_qsbr_init(engine.qsbr, 1) == 0);
	open_flows();
	control.engine = &engine;
	control.listen_fd = -1;
	control.loading = true; // nothing is stored
	for (size_t i = 0; i < RTE_DIM(control.connections); i++)
		control.connections[i].fd = -1;
	must(weir_config_publish(&control) == 0);
}

static void clean_up(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	(void)!system(command);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
	must(nowhere >= 0 && mkdtemp(dir) != NULL && atexit(clean_up) == 0);
	start_engine();
	return 0;
}

// An end of its own, since a disconnect closes it.
static void connect_peer(struct weir_connection *connection)
{
	*connection = (struct weir_connection){.fd = dup(nowhere)};
	must(connection->fd >= 0);
}

static void greet(struct weir_connection *connection)
{
	// request_id 1, hello { role: CONTROLLER protocol_version: 1 }
	static const uint8_t hello[] = {0, 0, 0, 8, 0x08, 1, 0x52, 4, 0x08, 1, 0x10, 1};

	must(weir_api_receive(&control, connection, hello, sizeof(hello)));
	must(connection->greeted && connection->controller);
}

static void feed(struct weir_connection *connection, bool lie, const uint8_t *body, uint16_t length)
{
	uint32_t head = htonl(lie ? (uint32_t)length << 12 : length);

	if (connection->fd < 0)
		return;
	if (!weir_api_receive(&control, connection, (const uint8_t *)&head, FRAME_HEAD) ||
	    !weir_api_receive(&control, connection, body, length))
		weir_api_disconnect(&control, connection);
	connection->out_length = 0; // as if the peer had read its answers
}

// The deadlines of all that drains have come, and the worker passes the purges.
static void end_drains(void)
{
	for (uint32_t i = 0; i < control.nb_retired; i++)
		control.retired[i].deadline_us = 0;
	for (uint32_t i = 0; i < control.nb_rules; i++)
		control.rules[i].deadline_us = 0;
	for (int turn = 0; turn < 4 && control.nb_rules + control.nb_retired > 0; turn++) {
		(void)weir_drain_maintain(&control);
		struct weir_purge *purge = atomic_load(&engine.purge);

		if (purge != NULL)
			engine.workers[0].purged = purge->number;
	}
}

static void run_timers(void)
{
	void *frame;

	(void)weir_drain_maintain(&control);
	while (rte_ring_dequeue(engine.workers[0].outbound, &frame) == 0)
		rte_pktmbuf_free(frame);
}

static void forget_load_balancers(void)
{
	while (control.nb_lbs > 0)
		weir_delete_lb(&control, control.lbs[0]->id);
	must(weir_config_publish(&control) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int i = 0; i < NB_PEERS; i++)
		connect_peer(&control.connections[i]);
	greet(&control.connections[0]);
	while (size >= INPUT_HEAD) {
		struct weir_connection *connection = &control.connections[data[0] & 3];
		uint16_t length = (uint16_t)(data[1] | data[2] << 8);

		if (length > size - INPUT_HEAD)
			length = (uint16_t)(size - INPUT_HEAD);
		feed(connection, (data[0] & 4) != 0, data + INPUT_HEAD, length);
		data += INPUT_HEAD + length;
		size -= INPUT_HEAD + (size_t)length;
	}
	// Whoever else said hello, the configuration in force is what the state says.
	must(atomic_load(&engine.config)->nb_lbs == control.nb_lbs);
	run_timers();
	for (int i = 0; i < NB_PEERS; i++)
		weir_api_disconnect(&control, &control.connections[i]);
	if (control.nb_lbs > 0)
		forget_load_balancers();
	end_drains();
	if (engine.file.header->nb_bindings > MAX_IDS || engine.file.header->nb_lbs > MAX_IDS) {
		must(control.nb_retired == 0);
		forget_ids();
	}
	return 0;
}
