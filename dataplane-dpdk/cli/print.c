// SPDX-License-Identifier: Apache-2.0

#include "cli/print.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *address_text(ProtobufCBinaryData address, char text[INET6_ADDRSTRLEN])
{
	if (address.len == 4)
		return inet_ntop(AF_INET, address.data, text, INET6_ADDRSTRLEN);
	if (address.len == 16)
		return inet_ntop(AF_INET6, address.data, text, INET6_ADDRSTRLEN);
	return "-";
}

// An endpoint as it is written on the command line.
static void print_endpoint(const char *before, ProtobufCBinaryData address, uint32_t port)
{
	char text[INET6_ADDRSTRLEN];

	printf(address.len == 16 ? "%s[%s]:%u" : "%s%s:%u", before, address_text(address, text),
	       port);
}

static const char *protocol_text(Weir__V1__Protocol protocol)
{
	return protocol == WEIR__V1__PROTOCOL__PROTOCOL_UDP ? "udp" : "tcp";
}

static void print_lcore(const Weir__V1__LcoreStatus *lcore)
{
	printf("lcore %u  rx %" PRIu64 "  tx %" PRIu64 "  tx_dropped %" PRIu64 "  flows %" PRIu64
	       "  without entry %" PRIu64 "  sleeps %" PRIu64 "\n",
	       lcore->lcore, lcore->rx_packets, lcore->tx_packets, lcore->tx_dropped,
	       lcore->flow_table_used, lcore->flood_forwarded, lcore->idle_sleeps);
	for (size_t i = 0; i < lcore->n_classes; i++)
		printf("  %-12s %" PRIu64 " entries of %u bytes\n", lcore->classes[i]->name,
		       lcore->classes[i]->used, lcore->classes[i]->entry_bytes);
}

void print_status(const Weir__V1__EngineMessage *message, const struct options *options)
{
	const Weir__V1__GetStatusReply *s = message->get_status;
	char text[INET6_ADDRSTRLEN];

	(void)options;
	printf("version %s  start %" PRIu64 "  up %.1f s  %s\n", s->version, s->engine_start_id,
	       (double)s->uptime_us / 1e6, s->ready ? "ready" : "not ready");
	printf("flows %" PRIu64 " of %" PRIu64 ", %" PRIu64 " recovered at start%s\n",
	       s->flow_table_used, s->flow_table_capacity, s->flows_recovered,
	       s->flow_table_discarded ? ", those before discarded" : "");
	printf("packet buffers %u of %u free\n", s->packet_buffers_free, s->packet_buffers);
	printf("flow records %" PRIu64 " sent, %" PRIu64 " lost\n", s->flow_records_sent,
	       s->flow_records_lost);
	for (size_t i = 0; i < s->n_lcores; i++)
		print_lcore(s->lcores[i]);
	for (size_t i = 0; i < s->n_neighbours; i++) {
		const ProtobufCBinaryData mac = s->neighbours[i]->mac;

		printf("neighbour %-15s ", address_text(s->neighbours[i]->address, text));
		for (size_t b = 0; b < mac.len; b++)
			printf("%s%02x", b > 0 ? ":" : "", mac.data[b]);
		printf(" %s\n", s->neighbours[i]->state);
	}
}

void print_state(const Weir__V1__EngineMessage *message, const struct options *options)
{
	const Weir__V1__GetStateReply *s = message->get_state;

	(void)options;
	printf("node epoch %" PRIu64 " sequence %" PRIu64 "\n", s->node_epoch, s->node_sequence);
	for (size_t i = 0; i < s->n_load_balancers; i++) {
		const Weir__V1__AppliedLoadBalancer *lb = s->load_balancers[i];

		printf("%s epoch %" PRIu64 " sequence %" PRIu64 " generation %" PRIu64
		       " unhealthy %zu\n",
		       lb->load_balancer_id, lb->epoch, lb->sequence, lb->generation,
		       lb->n_unhealthy_member_ids);
	}
}

void print_drops(const Weir__V1__EngineMessage *message, const struct options *options)
{
	const Weir__V1__GetCountersReply *c = message->get_counters;

	for (size_t i = 0; i < c->n_drops; i++) {
		const Weir__V1__DropCounter *drop = c->drops[i];

		if (options->lb[0] != '\0' && strcmp(drop->load_balancer_id, options->lb) != 0)
			continue;
		printf("drop %-37s %-24s %" PRIu64 "\n",
		       drop->load_balancer_id[0] != '\0' ? drop->load_balancer_id : "-",
		       drop->reason, drop->packets);
	}
}

void print_counters(const Weir__V1__EngineMessage *message, const struct options *options)
{
	const Weir__V1__GetCountersReply *c = message->get_counters;

	printf("%-37s %-37s %10s %12s %10s %12s %8s %7s %9s %6s %6s %7s %6s %7s\n", "listener",
	       "member", "in_packets", "in_bytes", "out_pkts", "out_bytes", "new", "active",
	       "half_open", "fin", "rst", "timeout", "evict", "drained");
	for (size_t i = 0; i < c->n_counters; i++) {
		const Weir__V1__FlowCounters *f = c->counters[i];

		if (!options->all && f->in_packets == 0 && f->out_packets == 0 &&
		    f->active_flows == 0)
			continue;
		if (options->lb[0] != '\0' && strcmp(f->load_balancer_id, options->lb) != 0)
			continue;
		printf("%-37s %-37s %10" PRIu64 " %12" PRIu64 " %10" PRIu64 " %12" PRIu64
		       " %8" PRIu64 " %7" PRIu64 " %9" PRIu64 " %6" PRIu64 " %6" PRIu64 " %7" PRIu64
		       " %6" PRIu64 " %7" PRIu64 "\n",
		       f->listener_id, f->member_id, f->in_packets, f->in_bytes, f->out_packets,
		       f->out_bytes, f->new_flows, f->active_flows, f->half_open_flows,
		       f->ended_fin, f->ended_rst, f->ended_timeout, f->ended_evicted,
		       f->ended_drained);
	}
	print_drops(message, options);
}

void print_histogram(const Weir__V1__EngineMessage *message, const struct options *options)
{
	const Weir__V1__GetStatusReply *s = message->get_status;

	(void)options;
	for (size_t l = 0; l < s->n_lcores; l++) {
		const Weir__V1__LcoreStatus *lcore = s->lcores[l];
		uint64_t all = 0;
		uint64_t below = 0;

		for (size_t b = 0; b < lcore->n_residence_us_log2; b++)
			all += lcore->residence_us_log2[b];
		printf("lcore %u, %" PRIu64 " packets\n", lcore->lcore, all);
		for (size_t b = 0; b < lcore->n_residence_us_log2; b++) {
			below += lcore->residence_us_log2[b];
			if (lcore->residence_us_log2[b] == 0)
				continue;
			bool last = b + 1 == lcore->n_residence_us_log2;
			printf("  %s %8lu us %12" PRIu64 " %7.3f %%\n", last ? ">=" : "< ",
			       1UL << (last && b > 0 ? b - 1 : b), lcore->residence_us_log2[b],
			       100.0 * (double)below / (double)all);
		}
	}
}

static void print_flow(const Weir__V1__FlowEntry *f)
{
	printf("%s", protocol_text(f->protocol));
	print_endpoint(" ", f->client_address, f->client_port);
	print_endpoint(" -> ", f->vip_address, f->vip_port);
	print_endpoint(" -> ", f->member_address, f->member_port);
	if (f->snat_port != 0)
		print_endpoint(" from ", f->snat_address, f->snat_port);
	printf(" %s age %us left %us in %" PRIu64 "/%" PRIu64 " out %" PRIu64 "/%" PRIu64 " %s\n",
	       f->state, f->age_s, f->expires_in_s, f->in_packets, f->in_bytes, f->out_packets,
	       f->out_bytes, f->member_id);
}

void print_flows(const Weir__V1__EngineMessage *message, const struct options *options)
{
	const Weir__V1__ListFlowsReply *reply = message->list_flows;

	(void)options;
	for (size_t i = 0; i < reply->n_flows; i++)
		print_flow(reply->flows[i]);
	if (reply->truncated)
		printf("... and more\n");
}

void print_members(const Weir__V1__EngineMessage *message, const struct options *options)
{
	const Weir__V1__ListMembersReply *reply = message->list_members;

	(void)options;
	for (size_t i = 0; i < reply->n_members; i++) {
		const Weir__V1__EngineMember *m = reply->members[i];

		printf("%s %s weight %u %s%s active %" PRIu64 "\n", m->load_balancer_id,
		       m->member_id, m->weight, m->healthy ? "healthy" : "unhealthy",
		       m->draining ? " draining" : "", m->active_flows);
	}
}

void print_explain(const Weir__V1__EngineMessage *message, const struct options *options)
{
	(void)options;
	for (size_t i = 0; i < message->explain->n_steps; i++)
		printf("%s\n", message->explain->steps[i]);
}

static void print_record(const Weir__V1__FlowRecord *r)
{
	static const char *const ends[] = {"",        "started", "fin",    "rst",
					   "timeout", "evicted", "drained"};

	printf("%s %s", r->end < 7 ? ends[r->end] : "ended", protocol_text(r->protocol));
	print_endpoint(" ", r->client_address, r->client_port);
	print_endpoint(" -> ", r->vip_address, r->vip_port);
	print_endpoint(" -> ", r->member_address, r->member_port);
	if (r->ended_at_us != 0)
		printf(" after %.1f s in %" PRIu64 "/%" PRIu64 " out %" PRIu64 "/%" PRIu64,
		       (double)(r->ended_at_us - r->started_at_us) / 1e6, r->in_packets,
		       r->in_bytes, r->out_packets, r->out_bytes);
	printf(" %s\n", r->member_id);
}

void print_watched(const Weir__V1__EngineMessage *message, const struct options *options)
{
	char text[INET6_ADDRSTRLEN];

	(void)options;
	if (message->message_case == WEIR__V1__ENGINE_MESSAGE__MESSAGE_FLOW_RECORDS)
		for (size_t i = 0; i < message->flow_records->n_records; i++)
			print_record(message->flow_records->records[i]);
	if (message->message_case != WEIR__V1__ENGINE_MESSAGE__MESSAGE_TOP_SOURCES)
		return;
	printf("%s: %" PRIu64 " new flows\n", message->top_sources->load_balancer_id,
	       message->top_sources->new_flows);
	for (size_t i = 0; i < message->top_sources->n_sources; i++) {
		const Weir__V1__TopSource *source = message->top_sources->sources[i];

		printf("  %-40s %" PRIu64 "\n", address_text(source->address, text),
		       source->new_flows);
	}
}
