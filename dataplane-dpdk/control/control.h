// SPDX-License-Identifier: Apache-2.0
//
// The control thread: everything but forwarding. It owns all state below; workers only see what
// main/engine.h shares. One loop, woken by its socket, by punted frames and by timers.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/build.h"
#include "lib/journal.h"
#include "main/engine.h"

#define WEIR_MAX_READERS   8
#define WEIR_MAX_FRAME     (16u << 20)
#define WEIR_MAX_PROBES    4096
#define WEIR_PROBE_PAYLOAD 512
#define WEIR_ARP_QUEUE     128

struct weir_connection {
	int fd; // -1: free
	bool greeted;
	bool controller;
	uint8_t *in;
	size_t in_length;
	size_t in_capacity;
	uint8_t *out;
	size_t out_length;
	size_t out_capacity;
	struct weir_flow_scan *flow_scan; // a list of flows that is being sent; NULL: none
	bool flow_records;                // wants them
	bool top_sources;
	uint64_t flow_records_lost; // since it asked
};

// A load balancer that was replaced or deleted: replies of its flows find their way back until the
// deadline.
struct weir_retired {
	struct weir_lb *lb;
	int64_t replaced_us; // Unix time, as below
	int64_t deadline_us;
};

// Flows that go once the deadline has passed, unless the configuration takes them back.
enum weir_purge_kind { WEIR_PURGE_BACKEND, WEIR_PURGE_BINDING, WEIR_PURGE_VIP };

struct weir_purge_rule {
	enum weir_purge_kind kind;
	uint32_t id; // backend or binding; load balancer for a VIP
	struct weir_address vip;
	int64_t deadline_us;
};

// A load balancer of which flows go on that lost their listener, their VIP or the load balancer.
struct weir_draining {
	uint32_t lb_id;    // registry
	uint32_t nb_rules; // that stand for those flows
	uint64_t drain_id; // new whenever a rule is added
	int64_t deadline_us;
	bool told; // a reply named it: the controller waits for the end
};

enum weir_arp_state { WEIR_ARP_INCOMPLETE, WEIR_ARP_REACHABLE, WEIR_ARP_STALE };

struct weir_arp_entry {
	struct weir_address address;
	enum weir_arp_state state;
	uint32_t asked;  // requests without an answer
	int64_t next_us; // when to ask again, or to doubt
	int64_t confirmed_us;
	uint32_t nb_queued; // frames waiting for the MAC
	struct rte_mbuf *queue[WEIR_ARP_QUEUE];
};

struct weir_probe {
	bool used;
	uint64_t probe_id;
	struct weir_connection *connection;
	struct weir_address member_address;
	struct weir_address target_address; // the member, or the VIP under dsr and tunnel
	struct weir_address own_address;
	struct weir_target target; // the way there; not registered
	uint8_t protocol;
	weir_be16_t member_port;
	weir_be16_t source_port;
	uint16_t expect_length;
	uint8_t expect[WEIR_PROBE_PAYLOAD]; // with which a datagram that counts begins
	uint32_t sequence;
	uint64_t sent_tsc;
	int64_t deadline_us;
};

struct weir_control {
	struct weir_engine *engine;
	int listen_fd;
	struct weir_connection connections[WEIR_MAX_READERS + 1];

	struct weir_node *node;
	struct weir_lb **lbs;
	uint32_t nb_lbs;
	uint32_t lb_places[WEIR_MAX_LBS]; // [registry id]: index in lbs + 1; 0: not here
	struct weir_prefix_lists prefix_lists;
	int64_t next_step_us; // of a slow start; may be too early
	struct weir_retired *retired;
	uint32_t nb_retired;
	struct weir_purge_rule *rules;
	uint32_t nb_rules;
	int64_t next_idle_check_us; // Unix time; whether drains are over early
	int64_t next_vip_search_us; // likewise, for flows of VIPs that busy load balancers lost
	struct weir_draining *drainings;
	uint32_t nb_drainings;
	uint64_t last_drain_id;
	uint64_t purge_number;
	uint64_t config_number; // of the configuration that was published last
	bool loading;           // what is applied comes from the store: no need to store it
	struct weir_journal journal;

	struct weir_arp_entry arp[WEIR_NEIGHBOUR_MAX];
	uint32_t nb_arp;

	struct weir_probe probes[WEIR_MAX_PROBES];
	uint32_t nb_probes;
	uint32_t next_probe_port;
	int64_t next_maintenance_us;
	struct weir_capture_run *capture;     // NULL: none runs
	struct weir_flow_stream *flow_stream; // NULL: nobody ever asked
	uint64_t flow_records_sent;
	uint64_t flow_records_lost;
};

// Unix time in microseconds.
int64_t weir_unix_us(void);
// CLOCK_BOOTTIME in microseconds, for timers.
int64_t weir_boot_us(void);

// control.c. Runs until the engine stops.
int weir_control_init(struct weir_control *control, struct weir_engine *engine);
void weir_control_run(struct weir_control *control);
void weir_control_close(struct weir_control *control);

// config_swap.c
// Makes the current node, load balancers and retired ones the configuration that workers use, and
// returns once none uses the one before. Returns 0 or -ENOMEM, with the old one in force.
int weir_config_publish(struct weir_control *control);
// Returns once no worker uses what was taken away before.
void weir_config_wait(struct weir_engine *engine);

// apply.c: one load balancer; each returns 0 or -EINVAL with *reject set. The caller publishes.
int weir_apply_lb(struct weir_control *control, uint64_t epoch, uint64_t sequence,
		  struct weir_bytes raw, char *const *unhealthy, uint32_t nb_unhealthy,
		  struct weir_reject *reject);
// The same for what was stored. replaced_us: 0, or when it was replaced: then its flows alone
// count, and all that runs must be loaded before.
int weir_load_lb(struct weir_control *control, struct weir_lb_input *input, int64_t replaced_us,
		 struct weir_reject *reject);
// Builds what runs again: a share rises, a removed member has drained. `lb` is replaced.
int weir_rebuild_lb(struct weir_control *control, struct weir_lb *lb);
// A member's health has changed at `since_us` (Unix time; 0: now).
int weir_apply_verdict(struct weir_control *control, struct weir_lb *lb, const char *member_id,
		       bool healthy, int64_t since_us);
void weir_delete_lb(struct weir_control *control, const char *id);
int weir_apply_node(struct weir_control *control, struct weir_bytes raw,
		    struct weir_reject *reject);
struct weir_lb *weir_find_lb(struct weir_control *control, const char *id);
// One prefix list. raw: the EnginePrefixList as received. Returns 1 when it changed something, 0
// when not, -EINVAL with *reject set.
int weir_apply_prefix_list(struct weir_control *control, const Weir__V1__EnginePrefixList *message,
			   struct weir_bytes raw, struct weir_reject *reject);
// Returns 0, or -EINVAL while a load balancer refers to it.
int weir_delete_prefix_list(struct weir_control *control, const char *id,
			    struct weir_reject *reject);

// drain.c
// `old` is about to be replaced by `new` (NULL: deleted): flows that lost their place get a
// deadline. Takes a reference of `old` where replies still need it.
void weir_drain_replaced(struct weir_control *control, struct weir_lb *old,
			 const struct weir_lb *new);
// `old` was replaced before a restart: takes its drains up where they were.
void weir_drain_restored(struct weir_control *control, struct weir_lb *old, int64_t replaced_us);
// Starts and finishes purges, forgets what is past. Returns microseconds until it is next needed.
int64_t weir_drain_maintain(struct weir_control *control);
// Raises the shares of members that start slowly. Returns as above.
int64_t weir_slow_start_maintain(struct weir_control *control);
// Backends that hold flows but are in no configuration any more, found at start.
void weir_drain_recovered(struct weir_control *control);

// drain_idle.c
// Sets active[i] of each rule that flows still wait for. Returns 0 or -ENOMEM.
int weir_drain_mark_active(struct weir_control *control, uint8_t *active, int64_t now);

// purge.c
// True while a purge still runs; frees it when all workers have passed it.
bool weir_purge_running(struct weir_control *control);
// One of what the rules name whose deadline has passed; NULL: no memory.
struct weir_purge *weir_purge_of_rules(const struct weir_control *control, int64_t now);
// Hands it to the workers; none may run.
void weir_purge_start(struct weir_control *control, struct weir_purge *purge);

// draining.c
// One rule more or less stands for flows that the load balancer goes on with.
void weir_draining_hold(struct weir_control *control, uint32_t lb_id, int64_t deadline_us);
void weir_draining_release(struct weir_control *control, uint32_t lb_id);
// NULL: nothing of it drains.
struct weir_draining *weir_draining_of(struct weir_control *control, uint32_t lb_id);
// Tells the controller which drains have ended; no purge may run.
void weir_draining_finish(struct weir_control *control);

// config_store.c: the last applied configuration on disk. What is stored counts from the next
// commit on, which comes before the reply: its records share one wait for the disk.
void weir_store_node(struct weir_control *control);
void weir_store_lb(struct weir_control *control, const struct weir_lb *lb);
void weir_store_delete_lb(struct weir_control *control, const char *id);
void weir_store_retired(struct weir_control *control, const struct weir_retired *retired);
void weir_store_prefix_list(struct weir_control *control, const struct weir_prefix_list *list);
void weir_store_delete_prefix_list(struct weir_control *control, const char *id);
// wait: for the disk; without, a power cut may take the records, a kill of the engine does not.
void weir_store_commit(struct weir_control *control, bool wait);
// Loads what is stored and applies it; what can't be read is logged and left.
void weir_store_load(struct weir_control *control);

// api_server.c
int weir_api_listen(struct weir_control *control);
// Serves what is readable and writable; poll() says so for `fds` (listener, then connections).
void weir_api_serve(struct weir_control *control, short listen_events, const short *events);
// Takes bytes from a peer and serves the frames that are whole. Returns false when the peer broke
// the framing: it is to be disconnected.
bool weir_api_receive(struct weir_control *control, struct weir_connection *connection,
		      const uint8_t *data, size_t length);
void weir_api_send(struct weir_connection *connection, const Weir__V1__EngineMessage *message);
void weir_api_disconnect(struct weir_control *control, struct weir_connection *connection);

// api_requests.c
void weir_api_error(struct weir_connection *connection, uint64_t request_id,
		    Weir__V1__ErrorCode code, const char *text);
void weir_api_request(struct weir_control *control, struct weir_connection *connection,
		      struct weir_bytes raw);

// api_prefix_lists.c
void weir_api_apply_prefix_lists(struct weir_control *control, struct weir_connection *connection,
				 const Weir__V1__EngineRequest *request, struct weir_bytes raw);

// api_replies.c: answers that only read.
// The address as messages carry it; points into `address`.
ProtobufCBinaryData weir_address_message(const struct weir_address *address);
void weir_reply_counters(struct weir_control *control, struct weir_connection *connection,
			 uint64_t request_id);
void weir_reply_status(struct weir_control *control, struct weir_connection *connection,
		       uint64_t request_id);
void weir_reply_state(struct weir_control *control, struct weir_connection *connection,
		      uint64_t request_id);
void weir_reply_members(struct weir_control *control, struct weir_connection *connection,
			uint64_t request_id, const Weir__V1__ListMembersRequest *request);
// api_flows.c: a list of flows goes out in pieces.
void weir_reply_flows(struct weir_control *control, struct weir_connection *connection,
		      uint64_t request_id, const Weir__V1__ListFlowsRequest *request);
void weir_flow_scan_forget(struct weir_connection *connection);
int64_t weir_flow_scan_maintain(struct weir_control *control);
// explain.c
void weir_reply_explain(struct weir_control *control, struct weir_connection *connection,
			uint64_t request_id, const Weir__V1__ExplainRequest *request);

// arp_resolver.c
void weir_arp_announce(struct weir_control *control);
// Asks for the next hops of the node's routes before a packet needs them.
void weir_arp_prepare(struct weir_control *control);
void weir_arp_input(struct weir_control *control, struct rte_mbuf *mbuf);
void weir_ndp_input(struct weir_control *control, struct rte_mbuf *mbuf);
// Sends a frame that lacks only its MACs, now or once the next hop is known.
void weir_arp_resolve(struct weir_control *control, struct rte_mbuf *mbuf,
		      const struct weir_address *next_hop, uint32_t lb_id);
const struct weir_arp_entry *weir_arp_entry(const struct weir_control *control,
					    const struct weir_address *address);
int64_t weir_arp_maintain(struct weir_control *control);

// probe.c
void weir_probe_start(struct weir_control *control, struct weir_connection *connection,
		      const Weir__V1__ProbeRequest *request);
void weir_probe_input(struct weir_control *control, struct rte_mbuf *mbuf);
void weir_probe_forget(struct weir_control *control, const struct weir_connection *connection);
int64_t weir_probe_maintain(struct weir_control *control);

// A frame ready for the wire, sent by the worker that owns the port.
void weir_control_send(struct weir_control *control, struct rte_mbuf *mbuf);
void weir_control_drop(struct weir_control *control, struct rte_mbuf *mbuf, uint32_t lb_id,
		       enum weir_drop_reason reason);
