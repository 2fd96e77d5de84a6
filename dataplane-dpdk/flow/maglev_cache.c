// SPDX-License-Identifier: Apache-2.0

#include "flow/maglev_cache.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/flow_hash.h"

// "MAGLEV01", little-endian; another number for another layout.
#define CACHE_MAGIC UINT64_C(0x313056454c47414d)

enum {
	CACHE_SIZE = 64 << 20, // begun anew when it is full
	INDEX_SLOTS = 1 << 17, // twice as many as there are records at most, and a power of two
	MAX_RECORDS = INDEX_SLOTS / 2,
};

struct record {
	uint64_t key[2];
	uint32_t size;
	uint32_t reserved;
	uint16_t table[];
};

struct header {
	uint64_t magic;
	_Atomic uint64_t used; // bytes behind the header; raised when a record is whole
};

struct weir_maglev_cache {
	struct header *header;
	uint32_t nb_records;
	uint32_t hits;
	uint32_t index[INDEX_SLOTS]; // offset of a record / 8 + 1; 0: empty
};

static size_t record_bytes(uint32_t size)
{
	return (sizeof(struct record) + size * sizeof(uint16_t) + 7) & ~(size_t)7;
}

static struct record *record_at(const struct weir_maglev_cache *cache, uint64_t offset)
{
	return (struct record *)(void *)((uint8_t *)(cache->header + 1) + offset);
}

static void add_to_index(struct weir_maglev_cache *cache, uint64_t offset)
{
	uint32_t at = (uint32_t)record_at(cache, offset)->key[0] & (INDEX_SLOTS - 1);

	while (cache->index[at] != 0)
		at = (at + 1) & (INDEX_SLOTS - 1);
	cache->index[at] = (uint32_t)(offset / 8) + 1;
	cache->nb_records++;
}

static void begin_anew(struct weir_maglev_cache *cache)
{
	atomic_store(&cache->header->used, 0);
	memset(cache->index, 0, sizeof(cache->index));
	cache->nb_records = 0;
}

static void read_records(struct weir_maglev_cache *cache)
{
	uint64_t room = CACHE_SIZE - sizeof(struct header);
	uint64_t used = atomic_load(&cache->header->used);
	uint64_t at = 0;

	while (used <= room && at + sizeof(struct record) <= used &&
	       cache->nb_records < MAX_RECORDS) {
		size_t bytes = record_bytes(record_at(cache, at)->size);

		if (bytes > used - at)
			break;
		add_to_index(cache, at);
		at += bytes;
	}
	if (at != used) // damaged
		begin_anew(cache);
}

struct weir_maglev_cache *weir_maglev_cache_open(const char *dir)
{
	char path[4096];
	struct weir_maglev_cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL || snprintf(path, sizeof(path), "%s/maglev", dir) >= (int)sizeof(path)) {
		free(cache);
		return NULL;
	}
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *memory = MAP_FAILED;
	if (fd >= 0 && ftruncate(fd, CACHE_SIZE) == 0)
		memory = mmap(NULL, CACHE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (memory == MAP_FAILED) {
		free(cache);
		return NULL;
	}
	cache->header = memory;
	if (cache->header->magic == CACHE_MAGIC)
		read_records(cache);
	else
		begin_anew(cache);
	cache->header->magic = CACHE_MAGIC;
	return cache;
}

void weir_maglev_cache_close(struct weir_maglev_cache *cache)
{
	if (cache == NULL)
		return;
	munmap(cache->header, CACHE_SIZE);
	free(cache);
}

// Every member's id is hashed with its length, so that no two sets read alike.
static void make_key(uint64_t key[2], uint32_t size, const struct weir_maglev_member *members,
		     uint32_t nb_members)
{
	key[0] = size;
	key[1] = ~(uint64_t)size;
	for (uint32_t i = 0; i < nb_members; i++) {
		size_t length = strlen(members[i].id);
		uint64_t tail[2] = {length, members[i].weight};

		for (int half = 0; half < 2; half++) {
			key[half] = weir_xxh64(members[i].id, length, key[half]);
			key[half] = weir_xxh64(tail, sizeof(tail), key[half]);
		}
	}
}

static const struct record *find(const struct weir_maglev_cache *cache, const uint64_t key[2],
				 uint32_t size)
{
	for (uint32_t at = (uint32_t)key[0] & (INDEX_SLOTS - 1); cache->index[at] != 0;
	     at = (at + 1) & (INDEX_SLOTS - 1)) {
		const struct record *record =
			record_at(cache, (uint64_t)(cache->index[at] - 1) * 8);

		if (record->key[0] == key[0] && record->key[1] == key[1] && record->size == size)
			return record;
	}
	return NULL;
}

static void store(struct weir_maglev_cache *cache, const uint64_t key[2], const uint16_t *table,
		  uint32_t size)
{
	size_t bytes = record_bytes(size);

	if (bytes > (CACHE_SIZE - sizeof(struct header)) / 4)
		return; // one pool would push all others out
	if (atomic_load(&cache->header->used) + bytes > CACHE_SIZE - sizeof(struct header) ||
	    cache->nb_records == MAX_RECORDS)
		begin_anew(cache);
	uint64_t at = atomic_load(&cache->header->used);
	struct record *record = record_at(cache, at);
	record->key[0] = key[0];
	record->key[1] = key[1];
	record->size = size;
	memcpy(record->table, table, size * sizeof(*table));
	atomic_store_explicit(&cache->header->used, at + bytes, memory_order_release);
	add_to_index(cache, at);
}

int weir_maglev_cache_build(struct weir_maglev_cache *cache, uint16_t *table, uint32_t size,
			    const struct weir_maglev_member *members, uint32_t nb_members)
{
	uint64_t key[2];

	if (cache == NULL)
		return weir_maglev_build(table, size, members, nb_members);
	make_key(key, size, members, nb_members);
	const struct record *record = find(cache, key, size);
	if (record != NULL) {
		memcpy(table, record->table, size * sizeof(*table));
		cache->hits++;
		return 0;
	}
	int ret = weir_maglev_build(table, size, members, nb_members);
	if (ret == 0)
		store(cache, key, table, size);
	return ret;
}

uint32_t weir_maglev_cache_hits(const struct weir_maglev_cache *cache)
{
	return cache != NULL ? cache->hits : 0;
}
