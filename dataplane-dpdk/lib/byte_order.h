// SPDX-License-Identifier: Apache-2.0
//
// Integers in network byte order, told apart from host integers by their type's name, for the
// code that must not depend on DPDK.

#pragma once

#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Weir's engine is written for little-endian processors"
#endif

typedef uint16_t weir_be16_t;
typedef uint32_t weir_be32_t;

static inline weir_be16_t weir_be16(uint16_t host)
{
	return __builtin_bswap16(host);
}

static inline uint16_t weir_host16(weir_be16_t be)
{
	return __builtin_bswap16(be);
}

static inline weir_be32_t weir_be32(uint32_t host)
{
	return __builtin_bswap32(host);
}

static inline uint32_t weir_host32(weir_be32_t be)
{
	return __builtin_bswap32(be);
}
