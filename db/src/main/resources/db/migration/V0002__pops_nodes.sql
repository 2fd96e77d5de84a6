-- SPDX-License-Identifier: Apache-2.0
-- The fleet. Tenants read PoPs; nodes are the operators' and the provisioner's.

create table pops (
    id uuid not null default uuidv7(),
    name text not null,
    labels jsonb not null default '{}',
    latitude double precision,
    longitude double precision,
    drained boolean not null default false,
    generation bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint pop_pk primary key (id),
    constraint pop_labels_check check (jsonb_typeof(labels) = 'object'),
    constraint pop_coordinates_check check ((latitude is null) = (longitude is null))
);
create unique index pop_name_key on pops (name) where deleted_at is null;
grant select on pops to weir_api, weir_provisioner;
grant select, insert, update on pops to weir_operator;

create table nodes (
    id uuid not null default uuidv7(),
    pop_id uuid not null,
    name text not null,
    drained boolean not null default false,
    -- The engine's own address on the data port's network.
    data_address inet not null,
    data_prefix_length integer not null,
    -- [{"prefix": "10.1.20.0/24", "next_hop": "10.1.0.2"}], beyond the data port's own network
    routes jsonb not null default '[]',
    mtu integer not null default 1500,
    bgp_local_asn bigint not null,
    bgp_router_id inet not null,
    -- [{"name": "router", "address": "10.1.1.1", "asn": 64500, "role": "upstream" | "member_side"}]
    bgp_peers jsonb not null default '[]',
    generation bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint node_pk primary key (id),
    constraint node_pop_fk foreign key (pop_id) references pops (id),
    constraint node_data_address_check check (masklen(data_address) = case family(data_address) when 4 then 32 else 128 end),
    constraint node_data_prefix_length_check check (data_prefix_length between 1 and 128),
    constraint node_routes_check check (jsonb_typeof(routes) = 'array'),
    constraint node_bgp_peers_check check (jsonb_typeof(bgp_peers) = 'array')
);
create unique index node_name_key on nodes (pop_id, name) where deleted_at is null;
-- Two PoPs may use the same private network; within one, an address is one node's.
create unique index node_data_address_key on nodes (pop_id, data_address) where deleted_at is null;
grant select on nodes to weir_api, weir_provisioner;
grant select, insert, update on nodes to weir_operator;

-- Source addresses for snat; no two nodes share one, since the reply finds its node by the address alone.
create table node_snat_ranges (
    node_id uuid not null,
    range cidr not null,
    constraint node_snat_range_pk primary key (node_id, range),
    constraint node_snat_range_node_fk foreign key (node_id) references nodes (id),
    constraint node_snat_range_overlap exclude using gist (range inet_ops with &&)
);
grant select on node_snat_ranges to weir_api, weir_provisioner;
grant select, insert, delete on node_snat_ranges to weir_operator;
