// SPDX-License-Identifier: Apache-2.0
//
// Builds the immutable objects of control/config.h from messages. All functions run on the control
// thread; what they refuse, they refuse by code and reason, and leave nothing behind.

#pragma once

#include "control/config.h"
#include "engine.pb-c.h"
#include "lib/wire_field.h"

// Why a message was refused; code is upper snake case, reason one line for a person.
struct weir_reject {
	const char *code;
	char reason[256];
};

__attribute__((format(printf, 3, 4))) int weir_refuse(struct weir_reject *reject, const char *code,
						      const char *format, ...);

// What a configuration may require of this engine; NULL-terminated.
extern const char *const weir_features[];

// Builds a load balancer. raw: the bytes of the LoadBalancerConfig as received; they are copied.
// Members named in `unhealthy` take no new flows. Registers ids in `file`.
// Returns 0 and *out with one reference, or -EINVAL with *reject set, or -ENOMEM.
int weir_lb_build(struct weir_flow_file *file, uint64_t epoch, uint64_t sequence,
		  struct weir_bytes raw, char *const *unhealthy, uint32_t nb_unhealthy,
		  struct weir_lb **out, struct weir_reject *reject);
void weir_lb_release(struct weir_lb *lb);

// One pool of a load balancer, with its eligible members, tables and turns.
int weir_pool_build(struct weir_pool *pool, const Weir__V1__Pool *message,
		    struct weir_flow_file *file, uint32_t lb_id, char *const *unhealthy,
		    uint32_t nb_unhealthy, struct weir_reject *reject);
void weir_pool_destroy(struct weir_pool *pool);

// Builds the node's part from an ApplyNodeRequest as received.
int weir_node_build(uint32_t nb_workers, struct weir_bytes raw, struct weir_node **out,
		    struct weir_reject *reject);
void weir_node_release(struct weir_node *node);

// Copies an id that fits; refuses empty and over-long ones. Returns 0 or -EINVAL.
int weir_copy_id(char out[WEIR_ID_SIZE], const char *id, const char *what,
		 struct weir_reject *reject);

// An address of 4 or 16 bytes; anything else is refused. Returns 0 or -EINVAL.
int weir_copy_address(struct weir_address *out, const ProtobufCBinaryData *bytes, const char *what,
		      struct weir_reject *reject);

// A prefix whose length fits its family; host bits are cleared. Returns 0 or -EINVAL.
int weir_copy_prefix(struct weir_cidr *out, const Weir__V1__Prefix *prefix, const char *what,
		     struct weir_reject *reject);
