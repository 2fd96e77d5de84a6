// SPDX-License-Identifier: Apache-2.0
//
// Which worker a flow belongs to, as a port's receive side scaling (RSS) decides it.
//
// A port hashes (source, destination, source port, destination port) with a secret key (Toeplitz)
// and looks the queue up by the hash's low bits. This key is made so that in the bits in use
//   - a destination address adds nothing,
//   - of a destination port the highest `bits` bits add something, in reverse order.
// Hence a client's packets to ports below 2^(16 - bits) come to the worker of (source, source
// port), whatever the VIP, and a reply to a SNAT address can be sent to any worker by the high bits
// of the port that is chosen for it. One key serves IPv4 and IPv6, whose fields lie in other
// places. Software computes the same for ports that can't; see docs/owner.md.
//
// Written once at start, read by all.

#pragma once

#include <stdint.h>

#include "lib/address.h"

#define WEIR_RSS_MAX_BITS 5
#define WEIR_RSS_CLASSES  (1 << WEIR_RSS_MAX_BITS)
// Some devices want a longer key than the 40 bytes that IPv6 needs.
#define WEIR_RSS_KEY_LENGTH 64
// Ports are told apart by their highest WEIR_RSS_MAX_BITS bits.
#define WEIR_RSS_PORT_RUN (65536 / WEIR_RSS_CLASSES)

struct weir_rss_family {
	uint8_t source[16][256]; // [byte of an address in 16 bytes][value]: the classes they add
	uint8_t source_port[2][256];
};

struct weir_rss {
	uint32_t nb_workers;
	uint32_t bits; // of the hash, that choose the worker
	uint8_t key[WEIR_RSS_KEY_LENGTH];
	uint8_t worker_of[WEIR_RSS_CLASSES]; // [class: the hash's low bits]
	uint8_t run_class[WEIR_RSS_CLASSES]; // [destination port / WEIR_RSS_PORT_RUN]
	// [worker][class of a reply's source]: the runs that bring the reply to the worker
	uint32_t runs_of[WEIR_RSS_CLASSES][WEIR_RSS_CLASSES];
	struct weir_rss_family v4;
	struct weir_rss_family v6;
};

// nb_workers: 1 to 32. secret: nobody outside may guess which flows share a worker.
void weir_rss_init(struct weir_rss *rss, const uint64_t secret[2], uint32_t nb_workers);

// The worker of a client's flows.
uint32_t weir_rss_owner(const struct weir_rss *rss, const struct weir_address *client,
			weir_be16_t client_port);

// The worker to which a reply from a member to a SNAT address comes.
uint32_t weir_rss_reply_owner(const struct weir_rss *rss, const struct weir_address *member,
			      weir_be16_t member_port, weir_be16_t snat_port);

// Ports to which a member's replies come to `worker`. Bit n: ports from n * WEIR_RSS_PORT_RUN on.
uint32_t weir_rss_reply_runs(const struct weir_rss *rss, uint32_t worker,
			     const struct weir_address *member, weir_be16_t member_port);
