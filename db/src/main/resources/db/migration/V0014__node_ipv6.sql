-- SPDX-License-Identifier: Apache-2.0
-- Nodes with IPv6 on the data port, sources of tunnels, labels and fencing. SNAT ranges of either family share
-- node_snat_ranges.

alter table nodes
    add column labels jsonb not null default '{}',
    -- As data_address, for IPv6; both null: the data port has no IPv6.
    add column data_address_v6 inet,
    add column data_prefix_length_v6 integer,
    -- Outer sources of IPIP, routed to this node; none of a family: its data address.
    add column tunnel_source_prefixes cidr[] not null default '{}',
    -- Set by an operator who made sure that the node forwards nothing: nobody waits for it any more.
    add column fenced_at timestamptz,
    add constraint node_labels_check check (jsonb_typeof(labels) = 'object'),
    add constraint node_data_address_v6_check check (
        (data_address_v6 is null) = (data_prefix_length_v6 is null)
        and (data_address_v6 is null or family(data_address_v6) = 6 and masklen(data_address_v6) = 128)),
    add constraint node_data_prefix_length_v6_check check (data_prefix_length_v6 between 1 and 128);
create unique index node_data_address_v6_key on nodes (pop_id, data_address_v6) where deleted_at is null;
grant delete on address_pools, address_pool_prefixes to weir_operator;
grant update on address_pools to weir_operator;
alter table address_pools
    add column labels jsonb not null default '{}',
    add column version bigint not null default 1;
