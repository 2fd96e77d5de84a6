// SPDX-License-Identifier: Apache-2.0
//
// The mapping that outlives the engine's process: flow entries, the registry of stable ids,
// counters. It is our own file on tmpfs, outside EAL memory, with no pointers inside; its sections
// have room for the most that may ever be needed, and take memory as they are used. A killed or
// upgraded engine maps it again. A file of another layout, lcore count or size is made anew when
// it holds no flows, and otherwise refused: flows are never dropped silently.
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
#define WEIR_FLOW_FILE_LAYOUT 3
#define WEIR_MAX_LBS          16384
#define WEIR_MAX_BACKENDS     131072
#define WEIR_MAX_BINDINGS     131072
#define WEIR_MAX_WORKERS      32
#define WEIR_ID_SIZE          64
// Room for drop reasons to come without a new layout.
#define WEIR_DROP_SLOTS 64
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

// How packets reach members, and whether replies come back through the engine. The order is kept in
// the mapping.
enum weir_mode { WEIR_MODE_DNAT, WEIR_MODE_SNAT, WEIR_MODE_DSR, WEIR_MODE_TUNNEL };

// Addresses are translated; otherwise packets reach the member with the VIP in them.
static inline bool weir_mode_is_nat(enum weir_mode mode)
{
	return mode == WEIR_MODE_DNAT || mode == WEIR_MODE_SNAT;
}

enum weir_encapsulation {
	WEIR_ENCAPSULATION_NONE,
	WEIR_ENCAPSULATION_IPIP,
	WEIR_ENCAPSULATION_GUE
};

// How packets reach a member: all that the data path must know to forward a packet of a flow whose
// entry does not say it. Never changes while flows hold the binding; a member that moves gets new
// bindings, and its old flows stay where they are.
struct weir_target {
	struct weir_address member_address;
	uint32_t backend_id;
	uint32_t lb_id;
	uint8_t mode;            // enum weir_mode
	uint8_t encapsulation;   // enum weir_encapsulation
	weir_be16_t tunnel_port; // GUE
	uint32_t reserved;
};

_Static_assert(sizeof(struct weir_target) == 32, "two targets per cache line");

// A listener's traffic to a backend: what counters are kept for. Its target is in `targets`.
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
	int64_t active_flows;    // set anew from the entries at start
	int64_t held_flows;      // entries, those whose flow is over included; set anew likewise
	uint64_t adopted_flows;  // found in mid-flow, not counted as new
	int64_t half_open_flows; // in SYN_SENT; set anew likewise
	uint64_t reserved[2];
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
	// Up to here the same in every layout; high_water from layout 2 on, too.
	uint32_t high_water[WEIR_MAX_WORKERS][WEIR_FLOW_NB_CLASSES];
	// Records at and above these were never used.
	uint32_t nb_lbs;
	uint32_t nb_backends;
	uint32_t nb_bindings;
	uint32_t pad;
};

struct weir_maglev_cache;
struct weir_registry;

struct weir_flow_file {
	struct weir_flow_file_header *header;
	struct weir_lb_record *lbs;
	struct weir_backend_record *backends;
	struct weir_binding_record *bindings;
	struct weir_target *targets; // [binding]
	uint8_t *flows[WEIR_MAX_WORKERS][WEIR_FLOW_NB_CLASSES];
	struct weir_flow_counters *counters[WEIR_MAX_WORKERS]; // [binding]
	// [lb][reason]; the last one, at index nb_workers, is the control thread's.
	uint64_t *drops[WEIR_MAX_WORKERS + 1];
	uint64_t *backend_active[WEIR_MAX_WORKERS]; // [backend], set anew at start
	struct weir_registry *registry;             // names to ids, in ordinary memory
	struct weir_maglev_cache *maglev_cache;     // beside the file; NULL: none
	int fd;
	bool recovered; // the file existed and was kept
	bool discarded; // the file held flows, or may have, and was given up as the caller wished
};

enum weir_flow_file_wish {
	WEIR_KEEP_FLOWS,    // refuse a file that holds flows and can't be taken over
	WEIR_DISCARD_FLOWS, // make such a file anew
};

// Maps `dir`/flows, creating it when missing or of another shape without flows; locks it, so that
// a second engine of the same node fails. Returns 0 or -errno; -EWOULDBLOCK: another engine holds
// it; -EBUSY: it is of another layout or shape and holds flows, or may.
int weir_flow_file_open(struct weir_flow_file *file, const char *dir, uint32_t nb_workers,
			uint32_t flows_per_worker, enum weir_flow_file_wish wish);
void weir_flow_file_close(struct weir_flow_file *file);

// Where the entries of a worker's table lie.
struct weir_flow_memory weir_flow_file_memory(const struct weir_flow_file *file, uint32_t worker);

// The tick now.
uint32_t weir_tick_now(void);

// Ids of the registry, found by name or taken. A record no longer configured keeps its id and
// counters until the id is needed for another name, and never loses it while a flow holds it.
// Return the id, or WEIR_ID_NONE when the registry is full. Names are found by hash.
uint32_t weir_registry_lb(struct weir_flow_file *file, const char *lb_id, const char *project_id);
// The same for a load balancer that is known; takes no id.
uint32_t weir_registry_find_lb(const struct weir_flow_file *file, const char *lb_id);
uint32_t weir_registry_backend(struct weir_flow_file *file, uint32_t lb_id, const char *pool_id,
			       const char *member_id);
// A binding is one of a listener, a backend and a target: `target` names backend and load balancer.
uint32_t weir_registry_binding(struct weir_flow_file *file, const char *listener_id,
			       const struct weir_target *target);

// registry.c, for flow_file.c: the index of names over a mapping. Returns 0 or -ENOMEM.
int weir_registry_init(struct weir_flow_file *file);
void weir_registry_destroy(struct weir_flow_file *file);

static inline const struct weir_target *weir_flow_target(const struct weir_flow_file *file,
							 const struct weir_flow *flow)
{
	return &file->targets[flow->binding_id];
}

// Active flows of a backend over all workers.
uint64_t weir_backend_active(const struct weir_flow_file *file, uint32_t backend_id);

static inline uint64_t *weir_drop_counter(const struct weir_flow_file *file, uint32_t worker,
					  uint32_t lb_id, enum weir_drop_reason reason)
{
	return &file->drops[worker][(uint64_t)lb_id * WEIR_DROP_SLOTS + reason];
}
