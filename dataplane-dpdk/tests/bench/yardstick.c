// SPDX-License-Identifier: Apache-2.0

#include "tests/bench/yardstick.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "tests/bench/lab.h"

enum { CHAIN_BYTES = 256 << 20, LINE = 64, BATCH = 256 };

double yardstick_ns(uint64_t tsc)
{
	return (double)tsc * 1e9 / (double)rte_get_tsc_hz();
}

static void swap_macs(struct rte_mbuf **mbufs, uint16_t nb)
{
	for (uint16_t i = 0; i < nb; i++) {
		if (i + 1 < nb)
			rte_prefetch0(rte_pktmbuf_mtod(mbufs[i + 1], void *));
		struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(mbufs[i], struct rte_ether_hdr *);
		struct rte_ether_addr held = ethernet->dst_addr;

		ethernet->dst_addr = ethernet->src_addr;
		ethernet->src_addr = held;
	}
}

static double loop(struct rte_mempool *mbufs, uint32_t packets, bool swap)
{
	struct rte_mbuf *batch[BATCH];
	struct traffic_flow flow = traffic_flow(0);
	uint64_t spent = 0;

	for (uint32_t done = 0; done < packets; done += BATCH) {
		uint64_t began = rte_rdtsc();

		if (rte_pktmbuf_alloc_bulk(mbufs, batch, BATCH) != 0)
			return 0;
		spent += rte_rdtsc() - began;
		for (int i = 0; i < BATCH; i++)
			traffic_fill(batch[i], TRAFFIC_CLIENT, &flow, done);
		began = rte_rdtsc();
		for (int i = 0; i < BATCH; i += WEIR_BURST) {
			if (swap)
				swap_macs(batch + i, WEIR_BURST);
			rte_mempool_put_bulk(mbufs, (void **)(batch + i), WEIR_BURST);
		}
		spent += rte_rdtsc() - began;
	}
	return yardstick_ns(spent) / packets;
}

double yardstick_io(struct rte_mempool *mbufs, uint32_t packets)
{
	return loop(mbufs, packets, false);
}

double yardstick_macswap(struct rte_mempool *mbufs, uint32_t packets)
{
	return loop(mbufs, packets, true);
}

struct yardstick_chain {
	uint32_t *next; // index of the next line, at each line's beginning
	uint32_t at;
};

struct yardstick_chain *yardstick_chain_make(void)
{
	const uint32_t lines = CHAIN_BYTES / LINE;
	const uint32_t words = LINE / sizeof(uint32_t);
	struct yardstick_chain *chain = malloc(sizeof(*chain));
	uint32_t *order = malloc((size_t)lines * sizeof(*order));
	uint32_t *next = aligned_alloc(LINE, CHAIN_BYTES);

	if (chain == NULL || order == NULL || next == NULL) {
		free(chain);
		free(order);
		free(next);
		return NULL;
	}
	for (uint32_t i = 0; i < lines; i++)
		order[i] = i;
	for (uint32_t i = lines - 1; i > 0; i--) {
		uint32_t j = (uint32_t)((uint64_t)(uint32_t)random() * (i + 1) >> 31);
		uint32_t held = order[i];

		order[i] = order[j];
		order[j] = held;
	}
	for (uint32_t i = 0; i < lines; i++)
		next[(size_t)order[i] * words] = order[(i + 1) % lines];
	free(order);
	*chain = (struct yardstick_chain){.next = next};
	return chain;
}

void yardstick_chain_free(struct yardstick_chain *chain)
{
	if (chain != NULL)
		free(chain->next);
	free(chain);
}

double yardstick_dram(struct yardstick_chain *chain, uint32_t accesses)
{
	uint32_t at = chain->at;
	uint64_t began = rte_rdtsc();

	for (uint32_t i = 0; i < accesses; i++)
		at = chain->next[(size_t)at * (LINE / sizeof(uint32_t))];
	chain->at = at; // also keeps the loop
	return yardstick_ns(rte_rdtsc() - began) / accesses;
}

struct hash_key {
	uint32_t source;
	uint32_t destination;
	uint16_t source_port;
	uint16_t destination_port;
	uint32_t protocol;
};

static struct hash_key key_of(const struct traffic_flow *flow)
{
	return (struct hash_key){flow->client, lab_vip(flow->lb), flow->client_port, LAB_VIP_PORT,
				 WEIR_IP_TCP};
}

static double time_lookups(const struct rte_hash *hash, const struct traffic_flow *flows,
			   uint32_t nb, uint32_t lookups)
{
	struct hash_key keys[BATCH];
	const void *pointers[BATCH];
	int32_t found[WEIR_BURST];
	uint32_t random_state = 1;
	uint64_t spent = 0;

	for (uint32_t done = 0; done < lookups; done += BATCH) {
		for (int i = 0; i < BATCH; i++) {
			random_state = random_state * UINT32_C(1664525) + UINT32_C(1013904223);
			keys[i] = key_of(&flows[(uint64_t)random_state * nb >> 32]);
			pointers[i] = &keys[i];
		}
		uint64_t began = rte_rdtsc();
		for (int i = 0; i < BATCH; i += WEIR_BURST)
			(void)rte_hash_lookup_bulk(hash, pointers + i, WEIR_BURST, found);
		spent += rte_rdtsc() - began;
	}
	return yardstick_ns(spent) / lookups;
}

int yardstick_hash(const struct traffic_flow *flows, uint32_t nb, uint32_t lookups,
		   struct yardstick_hash_times *times)
{
	const struct rte_hash_parameters parameters = {
		.name = "yardstick",
		.entries = nb + nb / 4 + 64,
		.key_len = sizeof(struct hash_key),
		.hash_func = rte_hash_crc,
		.socket_id = SOCKET_ID_ANY,
	};
	struct rte_hash *hash = rte_hash_create(&parameters);
	uint64_t spent = 0;

	if (hash == NULL)
		return -ENOMEM;
	for (uint32_t done = 0; done < nb;) {
		struct hash_key keys[BATCH];
		uint32_t batch = RTE_MIN(nb - done, (uint32_t)BATCH);

		for (uint32_t i = 0; i < batch; i++)
			keys[i] = key_of(&flows[done + i]);
		uint64_t began = rte_rdtsc();
		for (uint32_t i = 0; i < batch; i++)
			if (rte_hash_add_key(hash, &keys[i]) < 0)
				break;
		spent += rte_rdtsc() - began;
		done += batch;
	}
	times->insert_ns = yardstick_ns(spent) / nb;
	times->lookup_ns = time_lookups(hash, flows, nb, lookups);
	rte_hash_free(hash);
	return 0;
}
