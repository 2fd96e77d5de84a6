// SPDX-License-Identifier: Apache-2.0
//
// The TSC's frequency in a tenth of the time. Where the processor does not tell it (AMD, most
// virtual machines), EAL sleeps for 100 ms to measure it, a good part of an engine's restart. The
// linker puts the function below before EAL's own (--wrap).

#include <stdint.h>
#include <time.h>

#include <rte_cycles.h>

// An error of a few clock reads, 100 ns, in 10 ms: 10 parts per million.
enum { MEASURED_NS = 10 * 1000 * 1000 };

// EAL's names: what the processor itself says, 0 when it says nothing.
uint64_t __real_get_tsc_freq_arch(void); // NOLINT(bugprone-reserved-identifier)
uint64_t __wrap_get_tsc_freq_arch(void); // NOLINT(bugprone-reserved-identifier)

static int64_t raw_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint64_t __wrap_get_tsc_freq_arch(void) // NOLINT(bugprone-reserved-identifier)
{
	const struct timespec pause = {.tv_nsec = MEASURED_NS};
	uint64_t told = __real_get_tsc_freq_arch();

	if (told != 0)
		return told;
	int64_t began_ns = raw_ns();
	uint64_t began = rte_rdtsc();
	nanosleep(&pause, NULL);
	int64_t took_ns = raw_ns() - began_ns;
	return (uint64_t)((double)(rte_rdtsc() - began) * 1e9 / (double)took_ns);
}
