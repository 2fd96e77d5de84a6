// SPDX-License-Identifier: Apache-2.0
//
// Builds the immutable objects of control/config.h from messages. All functions run on the control
// thread; what they refuse, they refuse by code and reason, and leave nothing behind.

#pragma once

#include "control/config.h"
#include "control/prefix_lists.h"
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

// What a load balancer is built from.
struct weir_lb_input {
	uint64_t epoch;
	uint64_t sequence;
	struct weir_bytes raw; // the LoadBalancerConfig as received; copied
	// Members that take no new flows by the health verdict, and those that take them again.
	char *const *unhealthy;
	uint32_t nb_unhealthy;
	const struct weir_recovered *recovered;
	uint32_t nb_recovered;
	const struct weir_lb *old; // what it replaces; NULL: nothing
	const struct weir_prefix_lists *prefix_lists;
	int64_t now_us; // Unix time: slow start is reckoned from it
};

// Builds a load balancer and registers its ids in `file`.
// Returns 0 and *out with one reference, or -EINVAL with *reject set, or -ENOMEM.
int weir_lb_build(struct weir_flow_file *file, const struct weir_lb_input *input,
		  struct weir_lb **out, struct weir_reject *reject);
void weir_lb_release(struct weir_lb *lb);

// One pool of a load balancer, with the members it serves by. lb: its head and ids are there.
int weir_pool_build(struct weir_pool *pool, const struct weir_lb *lb, const Weir__V1__Pool *message,
		    struct weir_flow_file *file, const struct weir_lb_input *input,
		    struct weir_reject *reject);
void weir_pool_destroy(struct weir_pool *pool);

// Index of a backend, which may well be `hint`; UINT32_MAX: none.
uint32_t weir_pool_find(const struct weir_pool *pool, uint32_t backend_id, uint32_t hint);

// serving_build.c: tiers, shares, tables and turns of a pool whose backends are read.
// old: the pool of that name before, NULL: none. Returns 0 or -ENOMEM.
int weir_serving_build(struct weir_pool *pool, const Weir__V1__Pool *message,
		       const struct weir_pool *old, const struct weir_flow_file *file,
		       int64_t now_us);
void weir_serving_destroy(struct weir_pool *pool);

// One listener of a load balancer whose pools are built.
int weir_listener_build(struct weir_lb *lb, struct weir_listener *listener,
			const Weir__V1__Listener *message, struct weir_flow_file *file,
			const struct weir_lb_input *input, struct weir_reject *reject);
void weir_listener_destroy(struct weir_listener *listener);

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
