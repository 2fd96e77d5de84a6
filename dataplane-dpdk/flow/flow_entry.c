// SPDX-License-Identifier: Apache-2.0

#include "flow/flow_entry.h"

static bool is_snat(const struct weir_flow_spec *spec)
{
	return !weir_address_is_none(&spec->snat_address);
}

static void write_nat4(struct weir_flow_nat4 *nat, const struct weir_flow_spec *spec)
{
	const struct weir_address *reply =
		is_snat(spec) ? &spec->snat_address : &spec->client_address;

	nat->member_address = weir_address_to_v4(&spec->member_address);
	nat->member_port = spec->member_port;
	nat->reply_address = weir_address_to_v4(reply);
	nat->reply_port = is_snat(spec) ? spec->snat_port : spec->client_port;
	nat->out_bytes_high = (uint16_t)(spec->out_bytes >> 32);
	nat->out_bytes_low = (uint32_t)spec->out_bytes;
	nat->out_packets = spec->out_packets;
}

static void write_nat6(struct weir_flow_nat6 *nat, const struct weir_flow_spec *spec)
{
	nat->member_address = spec->member_address;
	nat->member_port = spec->member_port;
	nat->reply_address = is_snat(spec) ? spec->snat_address : spec->client_address;
	nat->reply_port = is_snat(spec) ? spec->snat_port : spec->client_port;
	nat->out_bytes_high = (uint16_t)(spec->out_bytes >> 32);
	nat->out_bytes_low = (uint32_t)spec->out_bytes;
	nat->out_packets = spec->out_packets;
}

// All classes of a family have client and VIP at the same place.
static void write_endpoints(struct weir_flow *flow, const struct weir_flow_spec *spec)
{
	if (weir_flow_is_v4(spec->flow_class)) {
		struct weir_flow_direct4 *v4 = (void *)flow;

		v4->client_address = weir_address_to_v4(&spec->client_address);
		v4->vip_address = weir_address_to_v4(&spec->vip_address);
	} else {
		struct weir_flow_direct6 *v6 = (void *)flow;

		v6->client_address = spec->client_address;
		v6->vip_address = spec->vip_address;
	}
}

void weir_flow_write(struct weir_flow *flow, const struct weir_flow_spec *spec)
{
	flow->client_port = spec->client_port;
	flow->vip_port = spec->vip_port;
	flow->binding_id = spec->binding_id;
	flow->expires = spec->expires;
	flow->started = spec->started;
	flow->idle_timeout = weir_idle_timeout(spec->idle_timeout_s);
	flow->protocol = spec->protocol;
	flow->flags = (uint8_t)(spec->flags | (is_snat(spec) ? WEIR_FLOW_SNAT : 0));
	flow->flow_class = spec->flow_class;
	flow->in_bytes_high = (uint16_t)(spec->in_bytes >> 32);
	flow->in_bytes_low = (uint32_t)spec->in_bytes;
	flow->in_packets = spec->in_packets;
	write_endpoints(flow, spec);
	if (spec->flow_class == WEIR_FLOW_NAT4)
		write_nat4((void *)flow, spec);
	else if (spec->flow_class == WEIR_FLOW_NAT6)
		write_nat6((void *)flow, spec);
}

static void read_nat4(const struct weir_flow_nat4 *nat, struct weir_flow_spec *spec)
{
	spec->member_address = weir_address_v4(nat->member_address);
	spec->member_port = nat->member_port;
	spec->out_bytes = (uint64_t)nat->out_bytes_high << 32 | nat->out_bytes_low;
	spec->out_packets = nat->out_packets;
	if (spec->flags & WEIR_FLOW_SNAT) {
		spec->snat_address = weir_address_v4(nat->reply_address);
		spec->snat_port = nat->reply_port;
	}
}

static void read_nat6(const struct weir_flow_nat6 *nat, struct weir_flow_spec *spec)
{
	spec->member_address = nat->member_address;
	spec->member_port = nat->member_port;
	spec->out_bytes = (uint64_t)nat->out_bytes_high << 32 | nat->out_bytes_low;
	spec->out_packets = nat->out_packets;
	if (spec->flags & WEIR_FLOW_SNAT) {
		spec->snat_address = nat->reply_address;
		spec->snat_port = nat->reply_port;
	}
}

void weir_flow_read(const struct weir_flow *flow, struct weir_flow_spec *spec)
{
	*spec = (struct weir_flow_spec){
		.client_address = weir_flow_client_address(flow),
		.vip_address = weir_flow_vip_address(flow),
		.client_port = flow->client_port,
		.vip_port = flow->vip_port,
		.binding_id = flow->binding_id,
		.expires = flow->expires,
		.started = flow->started,
		.idle_timeout_s = weir_idle_timeout_s(flow->idle_timeout),
		.in_bytes = (uint64_t)flow->in_bytes_high << 32 | flow->in_bytes_low,
		.in_packets = flow->in_packets,
		.state = atomic_load_explicit(&flow->state, memory_order_relaxed),
		.protocol = flow->protocol,
		.flags = flow->flags,
		.flow_class = flow->flow_class,
	};
	if (flow->flow_class == WEIR_FLOW_NAT4)
		read_nat4((const void *)flow, spec);
	else if (flow->flow_class == WEIR_FLOW_NAT6)
		read_nat6((const void *)flow, spec);
}

bool weir_flow_copy(const struct weir_flow *flow, struct weir_flow_spec *spec)
{
	if (atomic_load_explicit(&flow->state, memory_order_acquire) == WEIR_FLOW_FREE)
		return false;
	weir_flow_read(flow, spec);
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&flow->state, memory_order_relaxed) != WEIR_FLOW_FREE;
}

struct weir_address weir_flow_client_address(const struct weir_flow *flow)
{
	if (weir_flow_is_v4(flow->flow_class))
		return weir_address_v4(((const struct weir_flow_direct4 *)flow)->client_address);
	return ((const struct weir_flow_direct6 *)flow)->client_address;
}

struct weir_address weir_flow_vip_address(const struct weir_flow *flow)
{
	if (weir_flow_is_v4(flow->flow_class))
		return weir_address_v4(((const struct weir_flow_direct4 *)flow)->vip_address);
	return ((const struct weir_flow_direct6 *)flow)->vip_address;
}

struct weir_tuple weir_flow_spec_tuple(const struct weir_flow_spec *spec,
				       enum weir_direction direction)
{
	if (direction == WEIR_FROM_CLIENT)
		return (struct weir_tuple){
			.source = spec->client_address,
			.destination = spec->vip_address,
			.source_port = spec->client_port,
			.destination_port = spec->vip_port,
			.protocol = spec->protocol,
		};
	return (struct weir_tuple){
		.source = spec->member_address,
		.destination = is_snat(spec) ? spec->snat_address : spec->client_address,
		.source_port = spec->member_port,
		.destination_port = is_snat(spec) ? spec->snat_port : spec->client_port,
		.protocol = spec->protocol,
	};
}

struct weir_tuple weir_flow_tuple(const struct weir_flow *flow, enum weir_direction direction)
{
	struct weir_flow_spec spec;

	weir_flow_read(flow, &spec);
	return weir_flow_spec_tuple(&spec, direction);
}
