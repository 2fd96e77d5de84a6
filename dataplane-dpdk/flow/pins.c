// SPDX-License-Identifier: Apache-2.0

#include "flow/pins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/flow_hash.h"

#define MAGIC UINT64_C(0x31534e4950524957) // "WIRPINS1", little-endian

// A pin is written again only when it gains this many ticks: most flows of a source only read.
enum { WORTH_WRITING = 10 };

int weir_pins_open(struct weir_pins *pins, const char *dir, uint64_t counters_id,
		   const uint64_t key[2])
{
	const size_t size =
		sizeof(struct weir_pins_header) + sizeof(struct weir_pin) * WEIR_PINS_NB;
	char path[4096];
	struct stat st;
	int ret = 0;

	memset(pins, 0, sizeof(*pins));
	if (snprintf(path, sizeof(path), "%s/pins", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0 || ((size_t)st.st_size != size &&
				    (ftruncate(fd, 0) != 0 || ftruncate(fd, (off_t)size) != 0)))
		ret = -errno;
	void *memory =
		ret == 0 ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (ret == 0 && memory == MAP_FAILED)
		ret = -errno;
	close(fd);
	if (ret != 0)
		return ret;
	pins->header = memory;
	pins->pins = (struct weir_pin *)(pins->header + 1);
	pins->key[0] = key[0];
	pins->key[1] = key[1];
	if (pins->header->magic != MAGIC || pins->header->counters_id != counters_id) {
		memset(memory, 0, size);
		pins->header->size = size;
		pins->header->counters_id = counters_id;
		pins->header->magic = MAGIC;
	}
	return 0;
}

void weir_pins_close(struct weir_pins *pins)
{
	if (pins->header != NULL)
		munmap(pins->header, pins->header->size);
	memset(pins, 0, sizeof(*pins));
}

uint64_t weir_pins_name(const struct weir_pins *pins, uint64_t pool,
			const struct weir_address *masked_source)
{
	uint64_t name = weir_siphash13_2(pins->key, masked_source->halves[0] ^ pool,
					 masked_source->halves[1]);

	return name != 0 ? name : 1;
}

static struct weir_pin *set_of(const struct weir_pins *pins, uint64_t name)
{
	return &pins->pins[name % (WEIR_PINS_NB / WEIR_PINS_SET_SIZE) * WEIR_PINS_SET_SIZE];
}

static inline bool past(uint64_t value, uint32_t now)
{
	return (int32_t)((uint32_t)value - now) < 0;
}

// The slot that holds `name`; *value: what it held while the name was seen before and after.
static struct weir_pin *find(const struct weir_pins *pins, uint64_t name, uint64_t *value)
{
	struct weir_pin *set = set_of(pins, name);

	for (int i = 0; i < WEIR_PINS_SET_SIZE; i++) {
		if (atomic_load_explicit(&set[i].key, memory_order_acquire) != name)
			continue;
		*value = atomic_load_explicit(&set[i].value, memory_order_acquire);
		if (atomic_load_explicit(&set[i].key, memory_order_acquire) == name)
			return &set[i];
	}
	return NULL;
}

uint32_t weir_pins_find(const struct weir_pins *pins, uint64_t name, uint32_t now)
{
	uint64_t value;

	if (find(pins, name, &value) == NULL || past(value, now))
		return UINT32_MAX;
	return (uint32_t)(value >> 32);
}

// A free slot, one whose pin is past, or the one whose pin ends first.
static struct weir_pin *weakest(const struct weir_pins *pins, uint64_t name, uint32_t now)
{
	struct weir_pin *set = set_of(pins, name);
	struct weir_pin *best = &set[0];
	int32_t least = INT32_MAX;

	for (int i = 0; i < WEIR_PINS_SET_SIZE; i++) {
		uint64_t value = atomic_load_explicit(&set[i].value, memory_order_relaxed);
		int32_t left = (int32_t)((uint32_t)value - now);

		if (atomic_load_explicit(&set[i].key, memory_order_relaxed) == 0 || left < 0)
			return &set[i];
		if (left < least) {
			least = left;
			best = &set[i];
		}
	}
	return best;
}

void weir_pins_set(struct weir_pins *pins, uint64_t name, uint32_t backend_id, uint32_t now,
		   uint32_t until)
{
	uint64_t wanted = (uint64_t)backend_id << 32 | until;
	uint64_t value;
	struct weir_pin *pin = find(pins, name, &value);

	if (pin != NULL) {
		if (value >> 32 != backend_id ||
		    (int32_t)(until - (uint32_t)value) >= WORTH_WRITING)
			atomic_compare_exchange_strong(&pin->value, &value, wanted);
		return;
	}
	pin = weakest(pins, name, now);
	uint64_t held = atomic_load_explicit(&pin->key, memory_order_relaxed);
	// Who loses the race for a slot goes without a pin this time; the Maglev table decided.
	if (!atomic_compare_exchange_strong(&pin->key, &held, 0))
		return;
	atomic_store_explicit(&pin->value, wanted, memory_order_release);
	atomic_store_explicit(&pin->key, name, memory_order_release);
}
