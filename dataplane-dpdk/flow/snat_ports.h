// SPDX-License-Identifier: Apache-2.0
//
// Which source (address, port) pairs of this node's SNAT ranges one worker has in use.
//
// A port may serve several members at once: the pair only has to be unique per member endpoint.
// Endpoints are spread over WEIR_SNAT_PLANES planes by hash; each plane has one bit per pair.
// Two endpoints of one plane do not share pairs, endpoints of different planes do. For one member
// endpoint the workers use disjoint runs of ports, those whose replies come to them (flow/rss.h),
// so that each worker has bits of its own. The bits are derived from the flow entries after a
// restart, hence a kill can't leak a port.
//
// Written and read by the owning worker alone.

#pragma once

#include <stdint.h>

#include "flow/rss.h"
#include "lib/address.h"

#define WEIR_SNAT_PLANES     64
#define WEIR_SNAT_FIRST_PORT 1024
// Words of 64 ports from WEIR_SNAT_FIRST_PORT up to 65535.
#define WEIR_SNAT_PORT_WORDS    ((65536 - WEIR_SNAT_FIRST_PORT) / 64)
#define WEIR_SNAT_MAX_ADDRESSES 256

struct weir_snat_ports {
	uint64_t *bits;    // [plane][address][word]
	uint32_t *cursors; // next word to look at, per plane
	uint32_t nb_addresses;
	struct weir_address addresses[WEIR_SNAT_MAX_ADDRESSES];
};

// Returns 0, -E2BIG for too many addresses, -ENOMEM.
int weir_snat_ports_init(struct weir_snat_ports *ports, const struct weir_address *addresses,
			 uint32_t nb_addresses);
void weir_snat_ports_destroy(struct weir_snat_ports *ports);

// Plane of a member endpoint.
uint32_t weir_snat_plane(uint8_t protocol, const struct weir_address *member_address,
			 weir_be16_t member_port);

// Takes the next free pair of the plane (next fit: a freed pair rests as long as possible) whose
// port is in one of `runs`, which weir_rss_reply_runs() names.
// Returns 0, or -ENOSPC when this worker has none left.
int weir_snat_take(struct weir_snat_ports *ports, uint32_t plane, uint32_t runs,
		   struct weir_address *address, weir_be16_t *port);

// Marks a pair in use (recovered flow). Returns 0, -ENOENT when the pair is not ours, -EEXIST.
int weir_snat_mark(struct weir_snat_ports *ports, uint32_t plane,
		   const struct weir_address *address, weir_be16_t port);

// Frees a pair; harmless when it is not ours.
void weir_snat_give_back(struct weir_snat_ports *ports, uint32_t plane,
			 const struct weir_address *address, weir_be16_t port);
