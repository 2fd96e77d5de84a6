-- SPDX-License-Identifier: Apache-2.0
-- What tunnels, limits, prefix lists, resets and UDP probes need in a tree's rows.

alter table pools
    -- Null: the forwarding mode is not tunnel.
    add column tunnel_encapsulation text,
    -- Null: the encapsulation is not gue.
    add column tunnel_port integer,
    add constraint pool_tunnel_encapsulation_check check (tunnel_encapsulation in ('ipip', 'gue')),
    add constraint pool_tunnel_port_check check (tunnel_port between 1 and 65535);

alter table listeners
    -- {"new_flows_per_s": 0, "active_flows": 0, "new_flows_per_source_per_s": 0, "active_flows_per_source": 0}; 0: none
    add column limits jsonb,
    add column reset_on_idle_timeout boolean not null default false;

alter table health_monitors
    add column udp_send bytea,
    -- What the answer begins with; null: any answer will do.
    add column udp_expect bytea;

-- Since when members may take new flows, by id, Unix time in microseconds; null: recorded before this was kept.
alter table published_records add column serving_since_us jsonb;
