// SPDX-License-Identifier: Apache-2.0

#include "heartbeat_view.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void weir_heartbeat_close(struct weir_heartbeat_view *view)
{
	if (view->map != NULL)
		munmap((void *)(uintptr_t)view->map, sizeof(*view->map));
	view->map = NULL;
}

static void map_file(struct weir_heartbeat_view *view)
{
	struct stat st;
	const int fd = open(view->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	// Reading a mapping past the file's end would be SIGBUS: wait until the engine has sized
	// it.
	if (fstat(fd, &st) == 0 && st.st_size >= (off_t)sizeof(*view->map)) {
		void *map = mmap(NULL, sizeof(*view->map), PROT_READ, MAP_SHARED, fd, 0);

		if (map != MAP_FAILED) {
			view->map = map;
			view->dev = st.st_dev;
			view->ino = st.st_ino;
		}
	}
	close(fd);
}

void weir_heartbeat_look(struct weir_heartbeat_view *view, struct weir_heartbeat_sample *sample)
{
	struct stat st;
	const struct weir_heartbeat *hb;

	*sample = (struct weir_heartbeat_sample){.present = false};
	if (stat(view->path, &st) != 0 || st.st_size < (off_t)sizeof(*view->map)) {
		weir_heartbeat_close(view);
		return;
	}
	if (view->map != NULL && (st.st_dev != view->dev || st.st_ino != view->ino))
		weir_heartbeat_close(view);
	if (view->map == NULL)
		map_file(view);
	hb = view->map;
	if (hb == NULL || hb->magic != WEIR_HEARTBEAT_MAGIC)
		return;

	sample->state = atomic_load_explicit(&hb->state, memory_order_acquire);
	sample->engine_start_id = atomic_load_explicit(&hb->engine_start_id, memory_order_relaxed);
	if (hb->nb_lcores == 0 || hb->nb_lcores > WEIR_HEARTBEAT_MAX_LCORES) {
		// The number of workers is written before READY; without it only the other states
		// count.
		sample->present = sample->state != WEIR_ENGINE_READY;
		return;
	}
	sample->oldest_beat_ns = UINT64_MAX;
	for (uint32_t i = 0; i < hb->nb_lcores; i++) {
		const uint64_t beat =
			atomic_load_explicit(&hb->lcores[i].beat_ns, memory_order_relaxed);

		if (beat < sample->oldest_beat_ns)
			sample->oldest_beat_ns = beat;
	}
	sample->present = true;
}
