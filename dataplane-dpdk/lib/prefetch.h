// SPDX-License-Identifier: Apache-2.0

#pragma once

// Asks for the cache line of an address. __builtin_prefetch() is not enough: GCC takes an inline
// function that does nothing else for one without effect, and leaves out its calls.
static inline void weir_prefetch(const void *address)
{
#if defined(__x86_64__)
	__asm__ volatile("prefetcht0 %0" : : "m"(*(const char *)address));
#else
	__asm__ volatile("" : : "r"(address));
	__builtin_prefetch(address);
#endif
}
