-- SPDX-License-Identifier: Apache-2.0
-- Load balancers. A revision holds the whole tree; the tables of its parts hold the same, for queries and constraints.

create table load_balancers (
    project_id uuid not null,
    id uuid not null default uuidv7(),
    name text not null,
    description text,
    labels jsonb not null default '{}',
    enabled boolean not null default true,
    -- {"kind": "all" | "named" | "labels", "pop_ids": [uuid], "labels": {}}
    placement jsonb not null,
    -- Number of the spec; also raised by attaching and detaching VIPs.
    generation bigint not null default 1,
    -- The newest revision: the tree that the generation means.
    revision_id uuid not null,
    created_at timestamptz not null default now(),
    -- Taken from the wall clock just before the commit of the newest generation.
    updated_at timestamptz not null default clock_timestamp(),
    -- Set: the edge is told to forget it; the row stays for the rollout's sake.
    deleted_at timestamptz,
    constraint load_balancer_pk primary key (project_id, id),
    constraint load_balancer_id_key unique (id),
    constraint load_balancer_generation_check check (generation > 0),
    constraint load_balancer_project_fk foreign key (project_id) references projects (id)
);
create unique index load_balancer_name_key on load_balancers (project_id, name) where deleted_at is null;
alter table load_balancers enable row level security;
alter table load_balancers force row level security;
create policy load_balancers_owner on load_balancers to weir_owner using (true) with check (true);
create policy load_balancers_operator on load_balancers for select to weir_operator using (true);
create policy load_balancers_provisioner on load_balancers for select to weir_provisioner using (true);
create policy load_balancers_tenant on load_balancers to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select on load_balancers to weir_operator, weir_provisioner;
grant select, insert, update on load_balancers to weir_api;

create table pools (
    project_id uuid not null,
    id uuid not null,
    load_balancer_id uuid not null,
    name text not null,
    algorithm text not null,
    forwarding_mode text not null,
    drain_timeout_s integer not null,
    slow_start_s integer not null,
    when_all_unhealthy text not null,
    on_unhealthy text not null,
    minimum_healthy integer not null,
    proxy_protocol_v2 boolean not null,
    flow_sync boolean not null,
    constraint pool_pk primary key (project_id, id),
    constraint pool_load_balancer_key unique (project_id, load_balancer_id, id),
    -- Deferred, as one write may swap the names of two pools.
    constraint pool_name_key unique (project_id, load_balancer_id, name) deferrable initially deferred,
    constraint pool_algorithm_check check (algorithm in ('round_robin', 'weighted_round_robin', 'least_connections',
        'weighted_least_connections', 'maglev', 'source_ip_hash')),
    constraint pool_forwarding_mode_check check (forwarding_mode in ('dnat', 'snat', 'dsr', 'tunnel')),
    constraint pool_when_all_unhealthy_check check (when_all_unhealthy in ('open', 'closed', 'withdraw_vip')),
    constraint pool_on_unhealthy_check check (on_unhealthy in ('keep', 'reset')),
    constraint pool_load_balancer_fk foreign key (project_id, load_balancer_id)
        references load_balancers (project_id, id)
);
alter table pools enable row level security;
alter table pools force row level security;
create policy pools_owner on pools to weir_owner using (true) with check (true);
create policy pools_operator on pools for select to weir_operator using (true);
create policy pools_provisioner on pools for select to weir_provisioner using (true);
create policy pools_tenant on pools to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select on pools to weir_operator, weir_provisioner;
grant select, insert, update, delete on pools to weir_api;

create table listeners (
    project_id uuid not null,
    id uuid not null,
    load_balancer_id uuid not null,
    pool_id uuid not null,
    name text not null,
    protocol text not null,
    port_ranges int4multirange not null,
    flow_tracking text not null,
    idle_timeout_s integer not null,
    enabled boolean not null,
    -- {"timeout_s": 600, "ipv4_prefix_length": 32, "ipv6_prefix_length": 64}
    source_persistence jsonb,
    allowed_cidrs cidr[] not null default '{}',
    denied_cidrs cidr[] not null default '{}',
    constraint listener_pk primary key (project_id, id),
    constraint listener_name_key unique (project_id, load_balancer_id, name) deferrable initially deferred,
    constraint listener_protocol_check check (protocol in ('tcp', 'udp')),
    constraint listener_flow_tracking_check check (flow_tracking in ('stateful', 'stateless')),
    constraint listener_load_balancer_fk foreign key (project_id, load_balancer_id)
        references load_balancers (project_id, id),
    constraint listener_pool_fk foreign key (project_id, load_balancer_id, pool_id)
        references pools (project_id, load_balancer_id, id) deferrable initially deferred
);
alter table listeners enable row level security;
alter table listeners force row level security;
create policy listeners_owner on listeners to weir_owner using (true) with check (true);
create policy listeners_operator on listeners for select to weir_operator using (true);
create policy listeners_provisioner on listeners for select to weir_provisioner using (true);
create policy listeners_tenant on listeners to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select on listeners to weir_operator, weir_provisioner;
grant select, insert, update, delete on listeners to weir_api;

create table members (
    project_id uuid not null,
    id uuid not null,
    pool_id uuid not null,
    name text not null,
    address inet not null,
    port_kind text not null,
    port_value integer not null,
    weight integer not null,
    enabled boolean not null,
    priority integer not null,
    -- PoP scope; empty: all.
    pop_ids uuid[] not null default '{}',
    constraint member_pk primary key (project_id, id),
    constraint member_name_key unique (project_id, pool_id, name) deferrable initially deferred,
    constraint member_port_kind_check check (port_kind in ('keep', 'fixed', 'offset')),
    constraint member_weight_check check (weight between 0 and 256),
    constraint member_pool_fk foreign key (project_id, pool_id)
        references pools (project_id, id) on delete cascade
);
alter table members enable row level security;
alter table members force row level security;
create policy members_owner on members to weir_owner using (true) with check (true);
create policy members_operator on members for select to weir_operator using (true);
create policy members_provisioner on members for select to weir_provisioner using (true);
create policy members_tenant on members to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select on members to weir_operator, weir_provisioner;
grant select, insert, update, delete on members to weir_api;

create table health_monitors (
    project_id uuid not null,
    id uuid not null,
    pool_id uuid not null,
    type text not null,
    interval_ms integer not null,
    timeout_ms integer not null,
    rise integer not null,
    fall integer not null,
    -- Null: the member's own port.
    port integer,
    constraint health_monitor_pk primary key (project_id, id),
    constraint health_monitor_pool_key unique (project_id, pool_id),
    constraint health_monitor_type_check check (type in ('tcp_connect', 'udp')),
    constraint health_monitor_pool_fk foreign key (project_id, pool_id)
        references pools (project_id, id) on delete cascade
);
alter table health_monitors enable row level security;
alter table health_monitors force row level security;
create policy health_monitors_owner on health_monitors to weir_owner using (true) with check (true);
create policy health_monitors_operator on health_monitors for select to weir_operator using (true);
create policy health_monitors_provisioner on health_monitors for select to weir_provisioner using (true);
create policy health_monitors_tenant on health_monitors to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select on health_monitors to weir_operator, weir_provisioner;
grant select, insert, update, delete on health_monitors to weir_api;
