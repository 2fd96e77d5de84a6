// SPDX-License-Identifier: Apache-2.0

#include "flow/flow_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "flow/maglev_cache.h"
#include "lib/flow_hash.h"

uint32_t weir_tick_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint32_t)((uint64_t)now.tv_sec * WEIR_TICKS_PER_SECOND +
			  (uint64_t)now.tv_nsec / (1000000000 / WEIR_TICKS_PER_SECOND));
}

static uint64_t boot_id_hash(void)
{
	char text[64] = {0};
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	ssize_t length = read(fd, text, sizeof(text));
	close(fd);
	return length > 0 ? weir_xxh64(text, (size_t)length, 0) : 0;
}

static size_t page_align(size_t size)
{
	return (size + 4095) & ~(size_t)4095;
}

// Points the sections into the mapping, which starts at address `base`, and answers its size; with
// a base of 0 the size alone is meant.
static size_t lay_out(struct weir_flow_file *file, uintptr_t base, uint32_t nb_workers,
		      uint32_t flows_per_worker)
{
	size_t at = page_align(sizeof(struct weir_flow_file_header));

	file->header = (void *)base;
	file->lbs = (void *)(base + at);
	at += page_align(sizeof(struct weir_lb_record) * WEIR_MAX_LBS);
	file->backends = (void *)(base + at);
	at += page_align(sizeof(struct weir_backend_record) * WEIR_MAX_BACKENDS);
	file->bindings = (void *)(base + at);
	at += page_align(sizeof(struct weir_binding_record) * WEIR_MAX_BINDINGS);
	file->targets = (void *)(base + at);
	at += page_align(sizeof(struct weir_target) * WEIR_MAX_BINDINGS);
	for (uint32_t w = 0; w < nb_workers; w++) {
		for (int class = 0; class < WEIR_FLOW_NB_CLASSES; class ++) {
			file->flows[w][class] = (void *)(base + at);
			at += page_align(weir_flow_size(class) * flows_per_worker);
		}
		file->counters[w] = (void *)(base + at);
		at += page_align(sizeof(struct weir_flow_counters) * WEIR_MAX_BINDINGS);
		file->backend_active[w] = (void *)(base + at);
		at += page_align(sizeof(uint64_t) * WEIR_MAX_BACKENDS);
	}
	for (uint32_t w = 0; w <= nb_workers; w++) {
		file->drops[w] = (void *)(base + at);
		at += page_align(sizeof(uint64_t) * WEIR_DROP_SLOTS * WEIR_MAX_LBS);
	}
	return at;
}

enum found { FOUND_NOTHING, FOUND_EMPTY, FOUND_FITTING, FOUND_FOREIGN };

static bool holds_flows(const struct weir_flow_file_header *header)
{
	if (header->layout < 2)
		return true; // nobody here can tell
	for (uint32_t w = 0; w < WEIR_MAX_WORKERS; w++)
		for (int class = 0; class < WEIR_FLOW_NB_CLASSES; class ++)
			if (header->high_water[w][class] != 0)
				return true;
	return false;
}

// What lies in the file that is there.
static enum found look_at(int fd, size_t size, uint32_t nb_workers, uint32_t flows_per_worker)
{
	struct weir_flow_file_header header = {0};
	struct stat st;

	if (fstat(fd, &st) != 0 || st.st_size == 0)
		return FOUND_NOTHING;
	if (pread(fd, &header, sizeof(header), 0) <
		    (ssize_t)offsetof(struct weir_flow_file_header, high_water) ||
	    header.magic != WEIR_FLOW_FILE_MAGIC)
		return FOUND_NOTHING; // a kill while it was made, or no file of ours
	// Of another boot: nothing in it means anything any more.
	if (header.boot_id != boot_id_hash())
		return FOUND_NOTHING;
	if (header.layout == WEIR_FLOW_FILE_LAYOUT && header.nb_workers == nb_workers &&
	    header.flows_per_worker == flows_per_worker && header.size == size &&
	    (size_t)st.st_size == size)
		return FOUND_FITTING;
	return holds_flows(&header) ? FOUND_FOREIGN : FOUND_EMPTY;
}

static int make_header(struct weir_flow_file *file, size_t size, uint32_t nb_workers,
		       uint32_t flows_per_worker)
{
	struct weir_flow_file_header *header = file->header;
	uint64_t random[3];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	header->layout = WEIR_FLOW_FILE_LAYOUT;
	header->nb_workers = nb_workers;
	header->flows_per_worker = flows_per_worker;
	header->size = size;
	header->counters_id = random[0] >> 1; // positive also as a signed number
	header->flow_key[0] = random[1];
	header->flow_key[1] = random[2];
	header->boot_id = boot_id_hash();
	header->nb_lbs = 1;
	file->lbs[0].used = 1; // "not attributable"
	atomic_thread_fence(memory_order_release);
	header->magic = WEIR_FLOW_FILE_MAGIC; // last: without it the file counts as absent
	return 0;
}

static int open_and_lock(struct weir_flow_file *file, const char *dir)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/flows", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	file->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file->fd < 0)
		return -errno;
	return flock(file->fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
}

static int map(struct weir_flow_file *file, size_t size, uint32_t nb_workers,
	       uint32_t flows_per_worker)
{
	if (!file->recovered &&
	    (ftruncate(file->fd, 0) != 0 || ftruncate(file->fd, (off_t)size) != 0))
		return -errno;
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	lay_out(file, (uintptr_t)base, nb_workers, flows_per_worker);
	int ret = file->recovered ? 0 : make_header(file, size, nb_workers, flows_per_worker);
	if (ret == 0)
		ret = weir_registry_init(file);
	if (ret != 0)
		munmap(base, size);
	return ret;
}

int weir_flow_file_open(struct weir_flow_file *file, const char *dir, uint32_t nb_workers,
			uint32_t flows_per_worker, enum weir_flow_file_wish wish)
{
	memset(file, 0, sizeof(*file));
	file->fd = -1;
	if (nb_workers == 0 || nb_workers > WEIR_MAX_WORKERS)
		return -EINVAL;
	size_t size = lay_out(file, 0, nb_workers, flows_per_worker);
	int ret = open_and_lock(file, dir);
	if (ret != 0)
		goto err;
	enum found found = look_at(file->fd, size, nb_workers, flows_per_worker);
	file->recovered = found == FOUND_FITTING;
	file->discarded = found == FOUND_FOREIGN;
	ret = file->discarded && wish == WEIR_KEEP_FLOWS
		      ? -EBUSY
		      : map(file, size, nb_workers, flows_per_worker);
	if (ret != 0)
		goto err;
	file->maglev_cache = weir_maglev_cache_open(dir);
	return 0;
err:
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	return ret;
}

void weir_flow_file_close(struct weir_flow_file *file)
{
	if (file->fd < 0 || file->header == NULL)
		return;
	weir_maglev_cache_close(file->maglev_cache);
	weir_registry_destroy(file);
	munmap(file->header, file->header->size);
	close(file->fd);
	memset(file, 0, sizeof(*file));
	file->fd = -1;
}

struct weir_flow_memory weir_flow_file_memory(const struct weir_flow_file *file, uint32_t worker)
{
	struct weir_flow_memory memory = {.high_water = file->header->high_water[worker]};

	for (int class = 0; class < WEIR_FLOW_NB_CLASSES; class ++)
		memory.entries[class] = file->flows[worker][class];
	return memory;
}

uint64_t weir_backend_active(const struct weir_flow_file *file, uint32_t backend_id)
{
	uint64_t sum = 0;

	for (uint32_t w = 0; w < file->header->nb_workers; w++)
		sum += file->backend_active[w][backend_id];
	return sum;
}
