// SPDX-License-Identifier: Apache-2.0
//
// Copies wait in a ring; the control thread turns them into pcapng by way of a file in memory,
// which DPDK's writer wants, and sends the bytes to the connection that asked. Nothing is written
// where the engine runs.

#include "control/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_errno.h>

#include "datapath/capture.h"
#include "main/log.h"

enum {
	RING_SIZE = 1024,
	NB_COPIES = RING_SIZE + WEIR_BURST,
	WRITE_BURST = 64,
	PERIOD_US = 20000,
	MAX_UNSENT = 1 << 20,
	DEFAULT_PACKETS = 1000,
	MAX_PACKETS = 1000000,
	DEFAULT_SECONDS = 60,
	MAX_SECONDS = 3600,
	DEFAULT_SNAP = 256,
	MAX_SNAP = 9216,
	DEFAULT_BYTES = 64 << 20,
	MAX_BYTES = 1 << 30,
};

// What the control thread alone knows of it.
struct weir_capture_run {
	struct weir_capture capture;
	struct weir_connection *connection;
	int file;
	rte_pcapng_t *writer;
	uint64_t packets;
	uint64_t bytes;
	uint64_t lost; // dropped here, because the connection did not read
	uint64_t max_packets;
	uint64_t max_bytes;
	int64_t end_us;
};

static uint64_t bounded(uint64_t value, uint64_t otherwise, uint64_t most)
{
	return value == 0 ? otherwise : RTE_MIN(value, most);
}

// What the filter names

static void add_address(struct weir_capture_match *match, struct weir_address address)
{
	struct weir_address *grown =
		realloc(match->addresses, (match->nb_addresses + 1) * sizeof(*match->addresses));

	if (grown == NULL)
		return;
	match->addresses = grown;
	match->addresses[match->nb_addresses++] = address;
}

static void add_lb(struct weir_capture_match *match, const struct weir_lb *lb,
		   const char *member_id)
{
	for (uint32_t v = 0; v < lb->nb_vips && member_id[0] == '\0'; v++)
		add_address(match, lb->vips[v].address);
	for (uint32_t p = 0; p < lb->nb_pools; p++) {
		for (uint32_t b = 0; b < lb->pools[p].nb_backends; b++) {
			const struct weir_backend *backend = &lb->pools[p].backends[b];

			if (member_id[0] == '\0' || strcmp(backend->member_id, member_id) == 0)
				add_address(match, backend->address);
		}
	}
}

static const char *fill_host(struct weir_capture_match *match, const Weir__V1__Prefix *host)
{
	struct weir_address none = {.bytes = {0}};
	uint32_t bits = host->length;

	if ((host->address.len != 4 && host->address.len != 16) || bits > host->address.len * 8)
		return "the host is no prefix";
	if (host->address.len == 4) {
		uint32_t word;

		memcpy(&word, host->address.data, sizeof(word));
		match->host = weir_address_v4(word);
		bits += WEIR_V4_PREFIX_BITS;
	} else {
		match->host = weir_address_v6(host->address.data);
	}
	match->has_host = true;
	match->host_mask = none;
	for (uint32_t i = 0; i < bits; i++)
		match->host_mask.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return NULL;
}

// Returns NULL or what is wrong.
static const char *fill_match(struct weir_control *control, struct weir_capture_match *match,
			      const Weir__V1__CaptureFilter *filter)
{
	if (filter == NULL)
		return NULL;
	if (filter->ip_protocol > UINT8_MAX || filter->port > UINT16_MAX)
		return "protocol or port is out of range";
	match->ip_protocol = (uint8_t)filter->ip_protocol;
	match->port = weir_be16((uint16_t)filter->port);
	if (filter->host != NULL) {
		const char *wrong = fill_host(match, filter->host);

		if (wrong != NULL)
			return wrong;
	}
	if (filter->load_balancer_id[0] == '\0' && filter->member_id[0] == '\0')
		return NULL;
	match->has_addresses = true;
	for (uint32_t i = 0; i < control->nb_lbs; i++)
		if (filter->load_balancer_id[0] == '\0' ||
		    strcmp(control->lbs[i]->id, filter->load_balancer_id) == 0)
			add_lb(match, control->lbs[i], filter->member_id);
	weir_capture_match_ready(match);
	return match->nb_addresses > 0 ? NULL
				       : "no load balancer or member of this engine has the name";
}

// Its life

static void free_run(struct weir_capture_run *run)
{
	void *copy;

	while (run->capture.ring != NULL && rte_ring_dequeue(run->capture.ring, &copy) == 0)
		rte_pktmbuf_free(copy);
	rte_ring_free(run->capture.ring);
	rte_mempool_free(run->capture.copies);
	free(run->capture.match.addresses);
	if (run->writer != NULL)
		rte_pcapng_close(run->writer);
	if (run->file >= 0)
		close(run->file);
	free(run);
}

static const char *open_run(struct weir_capture_run *run)
{
	run->capture.copies = rte_pktmbuf_pool_create(
		"capture", NB_COPIES, 0, 0,
		(uint16_t)rte_pcapng_mbuf_size(run->capture.snap_length), SOCKET_ID_ANY);
	run->capture.ring = rte_ring_create("capture", RING_SIZE, SOCKET_ID_ANY, RING_F_SC_DEQ);
	if (run->capture.copies == NULL || run->capture.ring == NULL)
		return "no memory for copies of so many bytes";
	run->file = memfd_create("weir-capture", MFD_CLOEXEC);
	int file = dup(run->file); // the writer closes its own; both share the position
	if (file >= 0)
		run->writer =
			rte_pcapng_fdopen(file, NULL, NULL, "weir-engine " WEIR_VERSION, NULL);
	if (run->writer == NULL && file >= 0)
		close(file);
	return run->writer != NULL ? NULL : "pcapng can't be written";
}

static void send_data(struct weir_capture_run *run, bool ended)
{
	Weir__V1__CaptureData data = WEIR__V1__CAPTURE_DATA__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;
	off_t length = lseek(run->file, 0, SEEK_CUR);
	uint8_t *bytes = length > 0 ? malloc((size_t)length) : NULL;

	if (bytes != NULL && pread(run->file, bytes, (size_t)length, 0) == (ssize_t)length) {
		data.data = (ProtobufCBinaryData){(size_t)length, bytes};
		run->bytes += (uint64_t)length;
	}
	if (ftruncate(run->file, 0) != 0 || lseek(run->file, 0, SEEK_SET) != 0)
		run->max_bytes = 0; // ends it
	data.ended = ended;
	if (ended) {
		data.packets = run->packets;
		data.lost = run->lost + atomic_load(&run->capture.lost);
	}
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_CAPTURE_DATA;
	message.capture_data = &data;
	if (ended || data.data.len > 0)
		weir_api_send(run->connection, &message);
	free(bytes);
}

static void write_ready(struct weir_capture_run *run)
{
	struct rte_mbuf *copies[WRITE_BURST];
	unsigned int nb;

	while ((nb = rte_ring_dequeue_burst(run->capture.ring, (void **)copies, WRITE_BURST,
					    NULL)) > 0) {
		uint64_t room = run->max_packets - run->packets;
		unsigned int kept = run->connection->out_length > MAX_UNSENT
					    ? 0
					    : (unsigned int)RTE_MIN(nb, room);

		run->lost += room > 0 ? nb - kept : 0;
		run->packets += kept;
		rte_pktmbuf_free_bulk(copies + kept, nb - kept);
		if (kept > 0)
			rte_pcapng_write_packets(run->writer, copies, (uint16_t)kept);
	}
}

static void end_run(struct weir_control *control, bool tell)
{
	struct weir_capture_run *run = control->capture;

	atomic_store(&control->engine->capture, NULL);
	weir_config_wait(control->engine);
	if (tell) {
		write_ready(run);
		send_data(run, true);
		weir_info("capture ended: packets=%lu lost=%lu", run->packets,
			  run->lost + atomic_load(&run->capture.lost));
	}
	control->capture = NULL;
	free_run(run);
}

void weir_capture_start(struct weir_control *control, struct weir_connection *connection,
			uint64_t request_id, const Weir__V1__StartCaptureRequest *request)
{
	Weir__V1__StartCaptureReply reply = WEIR__V1__START_CAPTURE_REPLY__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;
	struct weir_capture_run *run = calloc(1, sizeof(*run));
	const char *wrong = control->capture != NULL ? "another capture runs" : NULL;

	if (run == NULL)
		wrong = "out of memory";
	if (wrong == NULL) {
		run->file = -1;
		run->connection = connection;
		run->capture.snap_length =
			(uint32_t)bounded(request->snap_length, DEFAULT_SNAP, MAX_SNAP);
		run->max_packets = bounded(request->max_packets, DEFAULT_PACKETS, MAX_PACKETS);
		run->max_bytes = bounded(request->max_bytes, DEFAULT_BYTES, MAX_BYTES);
		run->end_us = weir_boot_us() +
			      (int64_t)bounded(request->max_seconds, DEFAULT_SECONDS, MAX_SECONDS) *
				      1000000;
		wrong = fill_match(control, &run->capture.match, request->filter);
		if (wrong == NULL)
			wrong = open_run(run);
		if (wrong != NULL)
			free_run(run);
	} else {
		free(run);
	}
	if (wrong != NULL) {
		weir_api_error(connection, request_id, WEIR__V1__ERROR_CODE__ERROR_CODE_UNSUPPORTED,
			       wrong);
		return;
	}
	control->capture = run;
	message.request_id = request_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_START_CAPTURE;
	message.start_capture = &reply;
	weir_api_send(connection, &message);
	weir_info("capture started: packets=%lu snap_length=%u", run->max_packets,
		  run->capture.snap_length);
	atomic_store(&control->engine->capture, &run->capture);
}

void weir_capture_stop(struct weir_control *control, struct weir_connection *connection,
		       uint64_t request_id)
{
	Weir__V1__StopCaptureReply reply = WEIR__V1__STOP_CAPTURE_REPLY__INIT;
	Weir__V1__EngineMessage message = WEIR__V1__ENGINE_MESSAGE__INIT;

	message.request_id = request_id;
	message.message_case = WEIR__V1__ENGINE_MESSAGE__MESSAGE_STOP_CAPTURE;
	message.stop_capture = &reply;
	weir_api_send(connection, &message);
	if (control->capture != NULL && control->capture->connection == connection)
		end_run(control, true);
}

void weir_capture_forget(struct weir_control *control, const struct weir_connection *connection)
{
	if (control->capture != NULL && control->capture->connection == connection)
		end_run(control, false);
}

int64_t weir_capture_maintain(struct weir_control *control)
{
	struct weir_capture_run *run = control->capture;

	if (run == NULL)
		return INT64_MAX;
	write_ready(run);
	if (run->packets >= run->max_packets || run->bytes >= run->max_bytes ||
	    weir_boot_us() >= run->end_us) {
		end_run(control, true);
		return INT64_MAX;
	}
	send_data(run, false);
	return PERIOD_US;
}
