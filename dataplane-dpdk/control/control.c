// SPDX-License-Identifier: Apache-2.0

#include "control/control.h"

#include "control/capture.h"
#include "control/flow_stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_ring.h>

#include "datapath/datapath.h"
#include "main/log.h"

enum { MAX_PUNTS_PER_TURN = 256, MAX_SLEEP_MS = 1000 };

int64_t weir_unix_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t weir_boot_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void weir_control_send(struct weir_control *control, struct rte_mbuf *mbuf)
{
	weir_punt_of(mbuf)->received_tsc = 0; // no packet that came in
	// The worker that owns the port is the first.
	if (rte_ring_enqueue(control->engine->workers[0].outbound, mbuf) != 0)
		weir_control_drop(control, mbuf, 0, WEIR_DROP_QUEUE_FULL);
}

void weir_control_drop(struct weir_control *control, struct rte_mbuf *mbuf, uint32_t lb_id,
		       enum weir_drop_reason reason)
{
	const struct weir_engine *engine = control->engine;

	++*weir_drop_counter(&engine->file, engine->nb_workers, lb_id, reason);
	rte_pktmbuf_free(mbuf);
}

static void serve_punts(struct weir_control *control)
{
	void *mbuf;

	for (int i = 0; i < MAX_PUNTS_PER_TURN; i++) {
		if (rte_ring_dequeue(control->engine->punts, &mbuf) != 0)
			return;
		const struct weir_punt *punt = weir_punt_of(mbuf);

		switch (punt->kind) {
		case WEIR_PUNT_ARP:
			weir_arp_input(control, mbuf);
			break;
		case WEIR_PUNT_NDP:
			weir_ndp_input(control, mbuf);
			break;
		case WEIR_PUNT_RESOLVE:
			if (control->node != NULL)
				weir_arp_resolve(control, mbuf, &punt->next_hop, punt->lb_id);
			else
				rte_pktmbuf_free(mbuf);
			break;
		case WEIR_PUNT_LOCAL:
			weir_probe_input(control, mbuf);
			break;
		}
	}
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t maintain(struct weir_control *control)
{
	int64_t next = weir_arp_maintain(control);

	next = least(next, weir_probe_maintain(control));
	next = least(next, weir_slow_start_maintain(control));
	next = least(next, weir_capture_maintain(control));
	next = least(next, weir_flow_scan_maintain(control));
	next = least(next, weir_flow_stream_maintain(control));
	return least(next, weir_drain_maintain(control));
}

// Sleeps until a socket is ready, a worker punts, or a timer is due.
static void wait_and_serve(struct weir_control *control, int64_t sleep_us)
{
	struct pollfd fds[RTE_DIM(control->connections) + 2];
	short events[RTE_DIM(control->connections)] = {0};
	eventfd_t wakes;
	int timeout_ms = (int)least((sleep_us + 999) / 1000, MAX_SLEEP_MS);

	fds[0] = (struct pollfd){.fd = control->engine->wake_fd, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = control->listen_fd, .events = POLLIN};
	for (size_t i = 0; i < RTE_DIM(control->connections); i++) {
		const struct weir_connection *connection = &control->connections[i];

		fds[i + 2] = (struct pollfd){.fd = connection->fd, .events = POLLIN};
		if (connection->out_length > 0)
			fds[i + 2].events |= POLLOUT;
	}
	// Workers look at the flag after they enqueued; we look at the ring after we set it.
	atomic_store(&control->engine->control_asleep, true);
	if (rte_ring_count(control->engine->punts) > 0)
		timeout_ms = 0;
	int ready = poll(fds, RTE_DIM(fds), timeout_ms);
	atomic_store(&control->engine->control_asleep, false);
	if (ready <= 0)
		return;
	if (fds[0].revents & POLLIN)
		eventfd_read(control->engine->wake_fd, &wakes);
	for (size_t i = 0; i < RTE_DIM(control->connections); i++)
		events[i] = control->connections[i].fd >= 0 ? fds[i + 2].revents : 0;
	weir_api_serve(control, fds[1].revents, events);
}

int weir_control_init(struct weir_control *control, struct weir_engine *engine)
{
	control->engine = engine;
	control->listen_fd = -1;
	control->next_probe_port = (uint32_t)(engine->start_id % WEIR_PROBE_PORTS);
	weir_store_load(control);
	int ret = weir_config_publish(control);
	if (ret != 0)
		return ret;
	weir_drain_recovered(control);
	return weir_api_listen(control);
}

void weir_control_run(struct weir_control *control)
{
	weir_arp_announce(control);
	weir_arp_prepare(control);
	while (!atomic_load(&control->engine->stopping)) {
		serve_punts(control);
		int64_t next = maintain(control);
		wait_and_serve(control, next);
	}
}

void weir_control_close(struct weir_control *control)
{
	for (size_t i = 0; i < RTE_DIM(control->connections); i++)
		weir_api_disconnect(control, &control->connections[i]);
	if (control->listen_fd >= 0) {
		close(control->listen_fd);
		unlink(control->engine->options.socket_path);
	}
	weir_journal_close(&control->journal);
}
