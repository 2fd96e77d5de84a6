// SPDX-License-Identifier: Apache-2.0
//
// The engine's two hash functions. XXH64 is public and unkeyed: every node of a PoP must pick the
// same Maglev slot for a packet. SipHash-1-3 is keyed: nobody outside may choose which bucket of a
// flow table a packet falls into.

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/address.h"

// Seed of the hash that selects a Maglev slot; the same on every node of the world.
#define WEIR_SELECT_SEED UINT64_C(0x57656972)

// XXH64 of `length` bytes, bit for bit the published algorithm.
uint64_t weir_xxh64(const void *data, size_t length, uint64_t seed);

// SipHash-1-3 over exactly two 64-bit words (no length block: the length never varies).
uint64_t weir_siphash13_2(const uint64_t key[2], uint64_t first, uint64_t second);

// Hash that selects the slot of a new flow. Addresses of one family; ports in network byte order.
uint64_t weir_select_hash(const struct weir_address *client_address, weir_be16_t client_port,
			  const struct weir_address *vip_address, weir_be16_t vip_port,
			  uint8_t protocol);

// Hash that selects the slot by the client's address alone (source_ip_hash).
uint64_t weir_select_hash_source(const struct weir_address *client_address);
