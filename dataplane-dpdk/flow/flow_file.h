// SPDX-License-Identifier: Apache-2.0
//
// The mapping that outlives the engine's process: flow entries, the registry of stable ids,
// counters. It is our own file on tmpfs, outside EAL memory, with no pointers inside. A killed or
// upgraded engine maps it again; a file of another layout, lcore count or size is made anew.
//
// Registry records are written by the control thread, counters and entries by the worker that
// owns them, everything is read by anybody in the engine.

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "flow/flow_state.h"
#include "flow/flow_table.h"
#include "lib/drop_reason.h"

#define WEIR_FLOW_FILE_MAGIC  UINT64_C(0x31574f4c46524557) // "WERFLOW1", little-endian
#define WEIR_FLOW_FILE_LAYOUT 1
#define WEIR_MAX_LBS          4096
#define WEIR_MAX_BACKENDS     16384
#define WEIR_MAX_BINDINGS     32768
#define WEIR_MAX_WORKERS      32
#define WEIR_ID_SIZE          64
// Room for drop reasons to come without a new layout.
#define WEIR_DROP_SLOTS 32
#define WEIR_ID_NONE    UINT32_MAX

_Static_assert(WEIR_DROP_NB_REASONS <= WEIR_DROP_SLOTS, "drop counters have room");

// A load balancer that was ever configured here. Id 0 stands for "not attributable".
struct weir_lb_record {
	uint32_t used;
	uint32_t released_at; // tick; 0: configured now
	char lb_id[WEIR_ID_SIZE];
	char project_id[WEIR_ID_SIZE];
};

// A member of a pool as the engine sees it.
struct weir_backend_record {
	uint32_t used;
	uint32_t released_at;
	uint32_t lb_id;
	uint32_t reserved;
	int64_t drain_deadline_us; // Unix time; 0: not draining
	char pool_id[WEIR_ID_SIZE];
	char member_id[WEIR_ID_SIZE];
};

// A listener's traffic to a backend: what counters are kept for.
struct weir_binding_record {
	uint32_t used;
	uint32_t released_at;
	uint32_t lb_id;
	uint32_t backend_id;
	char listener_id[WEIR_ID_SIZE];
};

// Counters of one binding on one worker; plain words, written by that worker alone.
struct weir_flow_counters {
	uint64_t in_packets; // client to member
	uint64_t in_bytes;   // IP packets' lengths
	uint64_t out_packets;
	uint64_t out_bytes;
	uint64_t new_flows;
	uint64_t ended[WEIR_END_NB];
	int64_t active_flows;   // set anew from the entries at start
	int64_t held_flows;     // entries, those whose flow is over included; set anew likewise
	uint64_t adopted_flows; // found in mid-flow, not counted as new
	uint64_t reserved[4];
};

_Static_assert(sizeof(struct weir_flow_counters) == 128, "two cache lines per binding");

struct weir_flow_file_header {
	uint64_t magic;
	uint32_t layout;
	uint32_t nb_workers;
	uint32_t flows_per_worker;
	uint32_t reserved;
	uint64_t size;
	uint64_t counters_id; // changes when counters begin at zero
	uint64_t flow_key[2]; // of the flow table's hash
	uint64_t boot_id; // hash of the kernel's boot id: ticks only mean something within one boot
	uint64_t pad[56];
};

struct weir_flow_file {
	struct weir_flow_file_header *header;
	struct weir_lb_record *lbs;
	struct weir_backend_record *backends;
	struct weir_binding_record *bindings;
	struct weir_flow *flows[WEIR_MAX_WORKERS];
	struct weir_flow_counters *counters[WEIR_MAX_WORKERS]; // [binding]
	// [lb][reason]; the last one, at index nb_workers, is the control thread's.
	uint64_t *drops[WEIR_MAX_WORKERS + 1];
	uint64_t *backend_active[WEIR_MAX_WORKERS]; // [backend], set anew at start
	int fd;
	bool recovered; // the file existed and was kept
};

// Maps `dir`/flows, creating it when missing or of another shape; locks it, so that a second
// engine of the same node fails. Returns 0 or -errno; -EWOULDBLOCK: another engine holds it.
int weir_flow_file_open(struct weir_flow_file *file, const char *dir, uint32_t nb_workers,
			uint32_t flows_per_worker);
void weir_flow_file_close(struct weir_flow_file *file);

// The tick now.
uint32_t weir_tick_now(void);

// Ids of the registry, found by name or taken. A record no longer configured keeps its id and
// counters until the id is needed for another name, and never loses it while a flow holds it.
// Return the id, or WEIR_ID_NONE when the registry is full.
uint32_t weir_registry_lb(struct weir_flow_file *file, const char *lb_id, const char *project_id);
uint32_t weir_registry_backend(struct weir_flow_file *file, uint32_t lb_id, const char *pool_id,
			       const char *member_id);
uint32_t weir_registry_binding(struct weir_flow_file *file, uint32_t lb_id, uint32_t backend_id,
			       const char *listener_id);

// Active flows of a backend over all workers.
uint64_t weir_backend_active(const struct weir_flow_file *file, uint32_t backend_id);

static inline uint64_t *weir_drop_counter(const struct weir_flow_file *file, uint32_t worker,
					  uint32_t lb_id, enum weir_drop_reason reason)
{
	return &file->drops[worker][(uint64_t)lb_id * WEIR_DROP_SLOTS + reason];
}
