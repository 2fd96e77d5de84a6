// SPDX-License-Identifier: Apache-2.0
//
// A rate limit in two words: the time at which the bucket would be full again. Times are in any
// unit that only goes forward, such as TSC cycles. One writer.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct weir_token_bucket {
	uint64_t interval; // per token
	uint64_t depth;    // time in which an empty bucket fills
	uint64_t full_at;
};

// units_per_second: of the clock. Starts full with `burst` tokens.
static inline void weir_token_bucket_init(struct weir_token_bucket *bucket,
					  uint64_t units_per_second, uint32_t rate, uint32_t burst)
{
	bucket->interval = units_per_second / rate;
	bucket->depth = bucket->interval * burst;
	bucket->full_at = 0;
}

// False: empty, nothing is taken.
static inline bool weir_token_bucket_take(struct weir_token_bucket *bucket, uint64_t now)
{
	uint64_t from = bucket->full_at > now ? bucket->full_at : now;

	if (from + bucket->interval > now + bucket->depth)
		return false;
	bucket->full_at = from + bucket->interval;
	return true;
}
