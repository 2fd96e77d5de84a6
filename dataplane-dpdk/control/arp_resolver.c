// SPDX-License-Identifier: Apache-2.0
//
// Finds and refreshes the MAC addresses of next hops, by ARP and neighbour discovery. Frames wait
// in a bounded queue per neighbour; a neighbour that does not answer is asked three times a second
// apart.

#include <string.h>

#include <rte_arp.h>
#include <rte_cycles.h>

#include "control/control.h"
#include "datapath/datapath.h"
#include "lib/ndp.h"
#include "main/log.h"

enum { ASK_INTERVAL_US = 1000000, FIRST_ASKS_US = 100000, MAX_ASKS = 5, FRESH_US = 30000000 };

static const struct rte_ether_addr broadcast = {.addr_bytes = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

static struct weir_arp_entry *find_entry(struct weir_control *control,
					 const struct weir_address *address)
{
	for (uint32_t i = 0; i < control->nb_arp; i++)
		if (weir_address_equal(&control->arp[i].address, address))
			return &control->arp[i];
	return NULL;
}

const struct weir_arp_entry *weir_arp_entry(const struct weir_control *control,
					    const struct weir_address *address)
{
	for (uint32_t i = 0; i < control->nb_arp; i++)
		if (weir_address_equal(&control->arp[i].address, address))
			return &control->arp[i];
	return NULL;
}

static void send_arp(struct weir_control *control, uint16_t opcode, weir_be32_t target,
		     const struct rte_ether_addr *to)
{
	struct weir_engine *engine = control->engine;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(engine->mbufs);

	if (mbuf == NULL || control->node == NULL) {
		rte_pktmbuf_free(mbuf);
		return;
	}
	struct rte_ether_hdr *ethernet = (void *)rte_pktmbuf_append(
		mbuf, sizeof(struct rte_ether_hdr) + sizeof(struct rte_arp_hdr));
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(ethernet + 1);
	rte_ether_addr_copy(&engine->mac, &ethernet->src_addr);
	rte_ether_addr_copy(to, &ethernet->dst_addr);
	ethernet->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP);
	memset(arp, 0, sizeof(*arp));
	arp->arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER);
	arp->arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	arp->arp_hlen = RTE_ETHER_ADDR_LEN;
	arp->arp_plen = 4;
	arp->arp_opcode = rte_cpu_to_be_16(opcode);
	rte_ether_addr_copy(&engine->mac, &arp->arp_data.arp_sha);
	arp->arp_data.arp_sip = weir_address_to_v4(&control->node->data_address);
	arp->arp_data.arp_tip = target;
	weir_control_send(control, mbuf);
}

static void send_ndp(struct weir_control *control, struct weir_ndp *ndp)
{
	struct weir_engine *engine = control->engine;
	uint8_t to_mac[RTE_ETHER_ADDR_LEN];

	if (control->node == NULL || weir_address_is_none(&control->node->data_address_v6))
		return;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(engine->mbufs);
	if (mbuf == NULL)
		return;
	ndp->source = control->node->data_address_v6;
	weir_multicast_mac(&ndp->destination, to_mac);
	uint8_t *frame = (uint8_t *)rte_pktmbuf_append(mbuf, WEIR_NDP_FRAME);
	weir_ndp_write(frame, engine->mac.addr_bytes, to_mac, ndp);
	weir_control_send(control, mbuf);
}

static void ask(struct weir_control *control, struct weir_arp_entry *entry, int64_t now)
{
	if (weir_address_is_v4(&entry->address)) {
		send_arp(control, RTE_ARP_OP_REQUEST, weir_address_to_v4(&entry->address),
			 &broadcast);
	} else {
		struct weir_ndp ndp = {.type = WEIR_NDP_SOLICIT, .target = entry->address};

		ndp.destination = weir_solicited_node(&entry->address);
		send_ndp(control, &ndp);
	}
	entry->asked++;
	entry->next_us = now + (entry->asked < 3 ? FIRST_ASKS_US : ASK_INTERVAL_US);
}

// Others learn our MAC at once, also after a failover to a machine of another one.
void weir_arp_announce(struct weir_control *control)
{
	if (control->node == NULL)
		return;
	send_arp(control, RTE_ARP_OP_REQUEST, weir_address_to_v4(&control->node->data_address),
		 &broadcast);
	struct weir_ndp ndp = {
		.type = WEIR_NDP_ADVERTISE,
		.flags = WEIR_NDP_OVERRIDE,
		.target = control->node->data_address_v6,
		.destination = weir_all_nodes,
	};
	send_ndp(control, &ndp);
}

static struct weir_neighbour *neighbour_slot(struct weir_neighbours *neighbours,
					     const struct weir_address *address)
{
	struct weir_neighbour *found = weir_neighbour_find(neighbours, address);
	uint32_t at = weir_neighbour_hash(address);

	if (found != NULL)
		return found;
	while (atomic_load(&neighbours->slots[at].used_slot) == WEIR_NEIGHBOUR_USED)
		at = (at + 1) & (WEIR_NEIGHBOUR_SLOTS - 1);
	return &neighbours->slots[at];
}

static void publish_mac(struct weir_control *control, const struct weir_arp_entry *entry,
			uint64_t mac)
{
	struct weir_neighbour *slot = neighbour_slot(&control->engine->neighbours, &entry->address);

	atomic_store_explicit(&slot->mac, mac, memory_order_relaxed);
	if (atomic_load(&slot->used_slot) != WEIR_NEIGHBOUR_USED) {
		slot->address = entry->address;
		atomic_store_explicit(&slot->used_slot, WEIR_NEIGHBOUR_USED, memory_order_release);
	}
}

static uint64_t published_mac(struct weir_control *control, const struct weir_address *address)
{
	const struct weir_neighbour *slot =
		weir_neighbour_find(&control->engine->neighbours, address);

	return slot != NULL ? atomic_load(&slot->mac) : 0;
}

static void send_to(struct weir_control *control, struct rte_mbuf *mbuf, uint64_t mac)
{
	struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);

	memcpy(&ethernet->dst_addr, &mac, RTE_ETHER_ADDR_LEN);
	rte_ether_addr_copy(&control->engine->mac, &ethernet->src_addr);
	weir_control_send(control, mbuf);
}

static bool used_since(struct weir_control *control, const struct weir_arp_entry *entry)
{
	const struct weir_neighbour *slot =
		weir_neighbour_find(&control->engine->neighbours, &entry->address);
	uint32_t idle = slot != NULL ? weir_tick_now() - atomic_load(&slot->used) : UINT32_MAX;

	return idle < 2 * WEIR_TICKS_PER_SECOND * (FRESH_US / 1000000);
}

// Takes an address out of the table that workers read. Its slot holds another one only when no
// worker can be comparing it any more.
static void unpublish(struct weir_control *control, const struct weir_address *address)
{
	struct weir_neighbours *neighbours = &control->engine->neighbours;
	struct weir_neighbour *slot = weir_neighbour_find(neighbours, address);

	if (slot == NULL)
		return;
	uint32_t at = (uint32_t)(slot - neighbours->slots);
	uint32_t next = (at + 1) & (WEIR_NEIGHBOUR_SLOTS - 1);

	atomic_store(&slot->mac, 0);
	atomic_store(&slot->used_slot, WEIR_NEIGHBOUR_LEFT);
	weir_config_wait(control->engine);
	// Where no search goes on behind it, a left slot is an empty one.
	if (atomic_load(&neighbours->slots[next].used_slot) != WEIR_NEIGHBOUR_EMPTY)
		return;
	while (atomic_load(&neighbours->slots[at].used_slot) == WEIR_NEIGHBOUR_LEFT) {
		atomic_store(&neighbours->slots[at].used_slot, WEIR_NEIGHBOUR_EMPTY);
		at = (at - 1) & (WEIR_NEIGHBOUR_SLOTS - 1);
	}
}

// The entry that is missed least: one that nobody waits for and that did not answer, or else one
// that no packet used lately. NULL: all are in use.
static struct weir_arp_entry *least_needed(struct weir_control *control)
{
	struct weir_arp_entry *unused = NULL;

	for (uint32_t i = 0; i < control->nb_arp; i++) {
		struct weir_arp_entry *entry = &control->arp[i];

		if (entry->nb_queued > 0)
			continue;
		if (entry->state == WEIR_ARP_INCOMPLETE && entry->next_us == INT64_MAX)
			return entry;
		if (unused == NULL && !used_since(control, entry))
			unused = entry;
	}
	return unused;
}

static struct weir_arp_entry *add_entry(struct weir_control *control,
					const struct weir_address *address)
{
	if (control->nb_arp == WEIR_NEIGHBOUR_MAX) {
		struct weir_arp_entry *victim = least_needed(control);

		if (victim == NULL)
			return NULL;
		unpublish(control, &victim->address);
		*victim = control->arp[--control->nb_arp];
	}
	struct weir_arp_entry *entry = &control->arp[control->nb_arp++];
	*entry = (struct weir_arp_entry){.address = *address, .state = WEIR_ARP_INCOMPLETE};
	return entry;
}

void weir_arp_prepare(struct weir_control *control)
{
	int64_t now = weir_boot_us();

	for (uint32_t i = 0; control->node != NULL && i < control->node->nb_routes; i++) {
		const struct weir_address *next_hop = &control->node->routes[i].next_hop;

		if (weir_address_is_none(next_hop) || find_entry(control, next_hop) != NULL)
			continue;
		struct weir_arp_entry *entry = add_entry(control, next_hop);
		if (entry != NULL)
			ask(control, entry, now);
	}
}

void weir_arp_resolve(struct weir_control *control, struct rte_mbuf *mbuf,
		      const struct weir_address *next_hop, uint32_t lb_id)
{
	uint64_t mac = published_mac(control, next_hop);
	struct weir_arp_entry *entry = find_entry(control, next_hop);

	if (mac & WEIR_NEIGHBOUR_RESOLVED) {
		send_to(control, mbuf, mac);
		return;
	}
	if (entry == NULL)
		entry = add_entry(control, next_hop);
	if (entry == NULL || entry->nb_queued == WEIR_ARP_QUEUE) {
		weir_control_drop(control, mbuf, lb_id, WEIR_DROP_NEIGHBOUR_UNRESOLVED);
		return;
	}
	weir_punt_of(mbuf)->lb_id = lb_id;
	entry->queue[entry->nb_queued++] = mbuf;
	if (entry->asked == 0)
		ask(control, entry, weir_boot_us());
}

static void confirm(struct weir_control *control, struct weir_arp_entry *entry,
		    const uint8_t address[RTE_ETHER_ADDR_LEN])
{
	uint64_t mac = 0;
	int64_t now = weir_boot_us();

	memcpy(&mac, address, RTE_ETHER_ADDR_LEN);
	mac |= WEIR_NEIGHBOUR_RESOLVED;
	if (published_mac(control, &entry->address) != mac)
		publish_mac(control, entry, mac);
	entry->state = WEIR_ARP_REACHABLE;
	entry->asked = 0;
	entry->confirmed_us = now;
	entry->next_us = now + FRESH_US;
	for (uint32_t i = 0; i < entry->nb_queued; i++)
		send_to(control, entry->queue[i], mac);
	entry->nb_queued = 0;
}

// A message says where `address` is. asks: it was a question to us, whose answer comes next.
static void learn(struct weir_control *control, const struct weir_address *address,
		  const uint8_t mac[RTE_ETHER_ADDR_LEN], bool asks)
{
	struct weir_arp_entry *entry = find_entry(control, address);
	const struct weir_route *route =
		control->node != NULL ? weir_config_route(control->node, address) : NULL;

	if (entry == NULL && asks && weir_address_usable(address) && route != NULL &&
	    weir_address_is_none(&route->next_hop))
		entry = add_entry(control, address);
	if (entry != NULL && !(mac[0] & RTE_ETHER_GROUP_ADDR))
		confirm(control, entry, mac);
}

// Requests and replies to us alike say where their sender is.
void weir_arp_input(struct weir_control *control, struct rte_mbuf *mbuf)
{
	const struct rte_arp_hdr *arp =
		rte_pktmbuf_mtod_offset(mbuf, const struct rte_arp_hdr *, RTE_ETHER_HDR_LEN);
	struct weir_address address = weir_address_v4(arp->arp_data.arp_sip);

	learn(control, &address, arp->arp_data.arp_sha.addr_bytes,
	      arp->arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REQUEST));
	rte_pktmbuf_free(mbuf);
}

void weir_ndp_input(struct weir_control *control, struct rte_mbuf *mbuf)
{
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	struct weir_packet packet;
	struct weir_ndp ndp;

	if (weir_packet_parse(frame, rte_pktmbuf_data_len(mbuf), &packet) == WEIR_PARSE_NDP &&
	    weir_ndp_read(frame, &packet, &ndp) == 0) {
		bool asks = ndp.type == WEIR_NDP_SOLICIT;
		// An answer to one of us alone may leave the address out: it came from there.
		const uint8_t *mac = ndp.has_mac ? ndp.mac : frame + RTE_ETHER_ADDR_LEN;

		learn(control, asks ? &ndp.source : &ndp.target, mac, asks);
	}
	rte_pktmbuf_free(mbuf);
}

static void give_up(struct weir_control *control, struct weir_arp_entry *entry)
{
	char text[WEIR_ADDRESS_TEXT];

	for (uint32_t i = 0; i < entry->nb_queued; i++)
		weir_control_drop(control, entry->queue[i], weir_punt_of(entry->queue[i])->lb_id,
				  WEIR_DROP_NEIGHBOUR_UNRESOLVED);
	if (entry->state != WEIR_ARP_INCOMPLETE)
		weir_warn("neighbour does not answer any more: address=%s",
			  weir_address_text(&entry->address, text));
	entry->nb_queued = 0;
	entry->asked = 0;
	entry->state = WEIR_ARP_INCOMPLETE;
	entry->next_us = INT64_MAX; // asked again by the next frame for it
	publish_mac(control, entry, 0);
}

static void maintain_entry(struct weir_control *control, struct weir_arp_entry *entry, int64_t now)
{
	if (entry->asked >= MAX_ASKS) {
		give_up(control, entry);
		return;
	}
	if (entry->state == WEIR_ARP_REACHABLE) {
		entry->state = WEIR_ARP_STALE;
		// Nobody needs it: believed until somebody asks or it is used again.
		if (!used_since(control, entry)) {
			entry->state = WEIR_ARP_REACHABLE;
			entry->next_us = now + FRESH_US;
			return;
		}
	}
	ask(control, entry, now);
}

int64_t weir_arp_maintain(struct weir_control *control)
{
	int64_t now = weir_boot_us();
	int64_t next = INT64_MAX;

	for (uint32_t i = 0; i < control->nb_arp; i++) {
		struct weir_arp_entry *entry = &control->arp[i];

		if (entry->next_us <= now)
			maintain_entry(control, entry, now);
		if (entry->next_us < next)
			next = entry->next_us;
	}
	return next == INT64_MAX ? INT64_MAX : next - now;
}
