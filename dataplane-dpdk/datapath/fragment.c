// SPDX-License-Identifier: Apache-2.0
//
// Fragments of datagrams. Only the first carries ports; the others find their flow by what one
// worker, the owner of (source, destination, protocol, id), remembers of it. With their ports they
// go to the worker of their flow and are packets like all others, but that nothing behind the IP
// header is touched. Nothing is put together again, under NAT either: a checksum's update needs no
// more than the first fragment.

#include <rte_cycles.h>
#include <rte_ip.h>

#include "datapath/datapath.h"
#include "datapath/exceptions.h"
#include "lib/checksum.h"
#include "lib/fragment_cache.h"

enum {
	HOLD_MS = 100,
	REMEMBER_MS = 2000,
	TCP_HEADER = 20,
	UDP_HEADER = 8,
	V6_FRAGMENT_HEADER = 8,
};

static struct weir_fragment_cache *cache_of(struct weir_worker *worker)
{
	struct weir_fragment_cache *cache = &worker->fragments;
	uint64_t ms = rte_get_tsc_hz() / 1000;

	if (cache->hold_time == 0)
		weir_fragment_cache_init(cache, HOLD_MS * ms, REMEMBER_MS * ms);
	return cache;
}

static struct weir_fragment_key key_of(const struct weir_packet *packet)
{
	return (struct weir_fragment_key){.source = packet->source,
					  .destination = packet->destination,
					  .id = packet->fragment_id,
					  .protocol = packet->protocol};
}

// Do packets like this one get other addresses?
static bool is_translated(const struct weir_config *config, const struct weir_packet *packet)
{
	const struct weir_vip_slot *vip = weir_config_vip(config, &packet->destination);

	if (vip == NULL)
		return true; // from a member
	if (vip->lb == NULL)
		return false;
	const struct weir_listener *listener = weir_config_listener(
		vip->lb, packet->protocol, weir_host16(packet->destination_port));
	return listener != NULL && weir_mode_is_nat(listener->pool->mode);
}

// Behind a translation, datagrams of many senders have one source: the ids that senders chose by
// themselves could meet. Each datagram gets one of this node's, different on each worker.
static uint32_t new_id(struct weir_worker *worker)
{
	uint32_t nb = worker->engine->nb_workers;

	// Not those that were used before a restart.
	if (worker->fragment_id == 0)
		worker->fragment_id = (uint32_t)(rte_rdtsc() >> 12) / nb * nb;
	worker->fragment_id += nb;
	return worker->fragment_id + worker->index;
}

static void write_id(uint8_t *frame, const struct weir_packet *packet, uint32_t id)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(void *)(frame + WEIR_ETHERNET_HEADER);

	if (packet->family == 4) {
		uint16_t short_id = (uint16_t)id;

		ip->hdr_checksum =
			weir_checksum_update16(ip->hdr_checksum, ip->packet_id, short_id);
		ip->packet_id = short_id;
		return;
	}
	memcpy(frame + packet->fragment_header + V6_FRAGMENT_HEADER - sizeof(id), &id, sizeof(id));
}

static void learn(struct weir_burst *burst, const struct weir_fragment_key *key, uint64_t hash,
		  const struct weir_packet *packet, uint64_t now)
{
	struct weir_worker *worker = burst->worker;
	struct weir_fragment_cache *cache = cache_of(worker);
	struct weir_fragment_entry *entry = weir_fragment_learn(cache, hash, key, now);
	bool same = entry->source_port == packet->source_port &&
		    entry->destination_port == packet->destination_port;
	bool translated = is_translated(burst->config, packet);

	if (!same || (translated && entry->new_id == 0))
		entry->new_id = translated ? new_id(worker) : 0;
	entry->source_port = packet->source_port;
	entry->destination_port = packet->destination_port;
	// Those that were waiting follow in the worker's next turn, behind this one.
	for (void *held; worker->nb_released < RTE_DIM(worker->released) &&
			 (held = weir_fragment_take(cache, key)) != NULL;)
		worker->released[worker->nb_released++] = held;
}

static enum weir_drop_reason check(const struct weir_config *config,
				   const struct weir_packet *packet)
{
	uint16_t least = packet->protocol == WEIR_IP_TCP ? TCP_HEADER : UDP_HEADER;

	if (config->node == NULL)
		return WEIR_DROP_NO_CONFIGURATION;
	if (packet->protocol != WEIR_IP_TCP && packet->protocol != WEIR_IP_UDP)
		return WEIR_DROP_FRAGMENT_UNSUPPORTED;
	if (weir_node_owns(config->node, &packet->destination))
		return WEIR_DROP_UNEXPECTED;
	// RFC 1858: a header spread over fragments has no use but to get past filters.
	if (packet->fragment_offset < least &&
	    (packet->fragment_offset != 0 || packet->l4_length < least))
		return WEIR_DROP_BAD_HEADER;
	return WEIR_DROP_NONE;
}

// With its ports the packet goes on here, or at its flow's worker. Returns true: here.
static bool go_on(struct weir_burst *burst, struct rte_mbuf *mbuf, struct weir_packet *packet,
		  const struct weir_fragment_entry *entry)
{
	struct weir_fragment_ports *ports = (void *)(weir_punt_of(mbuf) + 1);

	packet->source_port = entry->source_port;
	packet->destination_port = entry->destination_port;
	*ports = (struct weir_fragment_ports){entry->source_port, entry->destination_port};
	if (entry->new_id != 0)
		write_id(rte_pktmbuf_mtod(mbuf, uint8_t *), packet, entry->new_id);
	mbuf->ol_flags |= WEIR_MBUF_HAS_PORTS;
	return !weir_owner_hand_over(burst->worker, burst->config, mbuf, packet);
}

bool weir_fragment_process(struct weir_burst *burst, struct rte_mbuf *mbuf,
			   struct weir_packet *packet)
{
	struct weir_worker *worker = burst->worker;
	const struct weir_fragment_ports *ports = (const void *)(weir_punt_of(mbuf) + 1);
	enum weir_drop_reason reason = check(burst->config, packet);

	if (reason != WEIR_DROP_NONE) {
		weir_drop(worker, mbuf, 0, reason);
		return false;
	}
	if (mbuf->ol_flags & WEIR_MBUF_HAS_PORTS) {
		packet->source_port = ports->source_port;
		packet->destination_port = ports->destination_port;
		return true;
	}
	struct weir_fragment_key key = key_of(packet);
	uint64_t hash = weir_fragment_hash(worker->engine->file.header->flow_key, &key);
	uint32_t owner = (uint32_t)((hash >> 32) * worker->engine->nb_workers >> 32);
	uint64_t now = rte_rdtsc();
	struct weir_fragment_cache *cache = cache_of(worker);

	if (owner != worker->index) {
		weir_owner_give(worker, mbuf, owner);
		return false;
	}
	if (packet->fragment_offset == 0)
		learn(burst, &key, hash, packet, now);
	const struct weir_fragment_entry *entry = weir_fragment_find(cache, hash, &key, now);
	if (entry != NULL)
		return go_on(burst, mbuf, packet, entry);
	if (!weir_fragment_hold(cache, &key, mbuf, now))
		weir_drop(worker, mbuf, 0, WEIR_DROP_FRAGMENT_NO_FIRST);
	return false;
}

// The first fragment did not come here; it may have come to a peer.
static void give_up(struct weir_worker *worker, const struct weir_config *config,
		    struct rte_mbuf *mbuf)
{
	struct weir_packet packet;

	if (config->node != NULL &&
	    weir_packet_parse(rte_pktmbuf_mtod(mbuf, const uint8_t *), rte_pktmbuf_data_len(mbuf),
			      &packet) == WEIR_PARSE_FRAGMENT &&
	    weir_peers_pass(worker, config, mbuf, &packet))
		rte_pktmbuf_free(mbuf);
	else
		weir_drop(worker, mbuf, 0, WEIR_DROP_FRAGMENT_NO_FIRST);
}

uint32_t weir_fragment_poll(struct weir_worker *worker, const struct weir_config *config)
{
	struct weir_fragment_cache *cache = &worker->fragments;
	struct weir_burst burst = {.worker = worker, .config = config};
	uint32_t served = 0;
	void *late;

	while (worker->nb_released > 0) {
		burst.nb = RTE_MIN(worker->nb_released, (uint32_t)WEIR_BURST);
		memcpy(burst.mbufs, worker->released, burst.nb * sizeof(burst.mbufs[0]));
		worker->nb_released -= burst.nb;
		memmove(worker->released, worker->released + burst.nb,
			worker->nb_released * sizeof(worker->released[0]));
		served += burst.nb;
		weir_burst_process(&burst, true);
	}
	if (cache->first_held == cache->next_held)
		return served;
	for (uint64_t now = rte_rdtsc(); (late = weir_fragment_expired(cache, now)) != NULL;) {
		give_up(worker, config, late);
		served++;
	}
	return served;
}
