// SPDX-License-Identifier: Apache-2.0

#include "main/steering.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

enum { MAX_MAPS = 8 };

static const char kept_map[] = "kernel_addrs";

// A descriptor of the map, if it is the one.
static int open_if_kept_map(uint32_t id)
{
	struct bpf_map_info info = {0};
	uint32_t length = sizeof(info);
	int fd = bpf_map_get_fd_by_id(id);

	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &length) == 0 && strcmp(info.name, kept_map) == 0)
		return fd;
	close(fd);
	return -ENOENT;
}

static int open_kept_map(unsigned int interface)
{
	uint32_t maps[MAX_MAPS];
	struct bpf_prog_info info = {.nr_map_ids = MAX_MAPS, .map_ids = (uintptr_t)maps};
	uint32_t length = sizeof(info);
	uint32_t program;
	int found = -ENOENT;

	if (bpf_xdp_query_id((int)interface, 0, &program) != 0 || program == 0)
		return -ENOENT;
	int fd = bpf_prog_get_fd_by_id(program);
	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &length) != 0)
		found = -errno;
	for (uint32_t i = 0; found == -ENOENT && i < info.nr_map_ids && i < MAX_MAPS; i++)
		found = open_if_kept_map(maps[i]);
	close(fd);
	return found;
}

int weir_steering_keep(unsigned int interface, const struct weir_address *addresses, uint32_t nb)
{
	const uint8_t present = 1;
	int fd = open_kept_map(interface);
	int ret = fd < 0 ? fd : 0;

	for (uint32_t i = 0; ret == 0 && i < nb; i++)
		if (bpf_map_update_elem(fd, &addresses[i], &present, BPF_ANY) != 0)
			ret = -errno;
	if (fd >= 0)
		close(fd);
	return ret;
}

void weir_steering_clear(unsigned int interface)
{
	int fd = open_kept_map(interface);

	if (fd < 0)
		return;
	close(fd);
	(void)bpf_xdp_detach((int)interface, 0, NULL);
}
