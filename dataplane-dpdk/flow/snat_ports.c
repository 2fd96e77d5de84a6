// SPDX-License-Identifier: Apache-2.0

#include "flow/snat_ports.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

static size_t bits_size(const struct weir_snat_ports *ports)
{
	return (size_t)WEIR_SNAT_PLANES * ports->nb_addresses * WEIR_SNAT_PORT_WORDS *
	       sizeof(uint64_t);
}

static uint16_t first_port_of(uint32_t word)
{
	return (uint16_t)(WEIR_SNAT_FIRST_PORT + word * 64);
}

int weir_snat_ports_init(struct weir_snat_ports *ports, const struct weir_address *addresses,
			 uint32_t nb_addresses)
{
	memset(ports, 0, sizeof(*ports));
	if (nb_addresses > WEIR_SNAT_MAX_ADDRESSES)
		return -E2BIG;
	ports->nb_addresses = nb_addresses;
	if (nb_addresses == 0)
		return 0;
	memcpy(ports->addresses, addresses, nb_addresses * sizeof(*addresses));
	// Untouched pages cost nothing: a plane is only paid for once an endpoint uses it.
	size_t size = bits_size(ports) + WEIR_SNAT_PLANES * sizeof(uint32_t);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) {
		memset(ports, 0, sizeof(*ports));
		return -ENOMEM;
	}
	ports->bits = memory;
	ports->cursors = (uint32_t *)(void *)((uint8_t *)memory + bits_size(ports));
	return 0;
}

void weir_snat_ports_destroy(struct weir_snat_ports *ports)
{
	if (ports->bits != NULL)
		munmap(ports->bits, bits_size(ports) + WEIR_SNAT_PLANES * sizeof(uint32_t));
	memset(ports, 0, sizeof(*ports));
}

uint32_t weir_snat_plane(uint8_t protocol, const struct weir_address *member_address,
			 weir_be16_t member_port)
{
	uint32_t h = member_address->words[0] * UINT32_C(0x9E3779B1) ^
		     member_address->words[1] * UINT32_C(0xC2B2AE3D) ^
		     member_address->words[2] * UINT32_C(0x27D4EB2F) ^ member_address->words[3] ^
		     ((uint32_t)member_port << 16 | protocol);

	h = (h ^ (h >> 16)) * UINT32_C(0x85EBCA6B);
	h = (h ^ (h >> 13)) * UINT32_C(0xC2B2AE35);
	return (h ^ (h >> 16)) % WEIR_SNAT_PLANES;
}

int weir_snat_take(struct weir_snat_ports *ports, uint32_t plane, uint32_t runs,
		   struct weir_address *address, weir_be16_t *port)
{
	uint32_t nb = ports->nb_addresses * WEIR_SNAT_PORT_WORDS;
	uint64_t *bits = ports->bits + (size_t)plane * nb;

	if (nb == 0)
		return -ENOSPC;
	for (uint32_t turn = 0; turn < nb; turn++) {
		uint32_t at = ports->cursors[plane];
		// Consecutive words belong to different addresses, to use all addresses evenly.
		uint32_t which = at % ports->nb_addresses;
		uint32_t word = at / ports->nb_addresses;
		uint64_t *w = &bits[(size_t)which * WEIR_SNAT_PORT_WORDS + word];

		ports->cursors[plane] = at + 1 == nb ? 0 : at + 1;
		if (runs >> first_port_of(word) / WEIR_RSS_PORT_RUN & 1 && *w != UINT64_MAX) {
			uint32_t bit = (uint32_t)__builtin_ctzll(~*w);

			*w |= UINT64_C(1) << bit;
			*address = ports->addresses[which];
			*port = weir_be16((uint16_t)(first_port_of(word) + bit));
			return 0;
		}
	}
	return -ENOSPC;
}

static uint64_t *find_word(struct weir_snat_ports *ports, uint32_t plane,
			   const struct weir_address *address, weir_be16_t port, uint64_t *mask)
{
	uint32_t host = weir_host16(port);

	if (host < WEIR_SNAT_FIRST_PORT)
		return NULL;
	uint32_t word = (host - WEIR_SNAT_FIRST_PORT) / 64;
	for (uint32_t i = 0; i < ports->nb_addresses; i++) {
		if (!weir_address_equal(&ports->addresses[i], address))
			continue;
		*mask = UINT64_C(1) << (host % 64);
		return &ports->bits[((size_t)plane * ports->nb_addresses + i) *
					    WEIR_SNAT_PORT_WORDS +
				    word];
	}
	return NULL;
}

int weir_snat_mark(struct weir_snat_ports *ports, uint32_t plane,
		   const struct weir_address *address, weir_be16_t port)
{
	uint64_t mask;
	uint64_t *word = find_word(ports, plane, address, port, &mask);

	if (word == NULL)
		return -ENOENT;
	if (*word & mask)
		return -EEXIST;
	*word |= mask;
	return 0;
}

void weir_snat_give_back(struct weir_snat_ports *ports, uint32_t plane,
			 const struct weir_address *address, weir_be16_t port)
{
	uint64_t mask;
	uint64_t *word = find_word(ports, plane, address, port, &mask);

	if (word != NULL)
		*word &= ~mask;
}
