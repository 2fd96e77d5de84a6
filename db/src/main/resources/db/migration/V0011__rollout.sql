-- SPDX-License-Identifier: Apache-2.0
-- How far nodes have come. Stored by node and partition, never as a write to each load balancer; a load balancer's
-- own row changes only when what it says changes.

-- What a node last said of itself.
create table node_reports (
    node_id uuid not null,
    -- Silent for 10 s: unreachable, and not waited for.
    last_seen_at timestamptz not null,
    agent_start_id text not null,
    engine_start_id numeric(20) not null,
    agent_version text not null,
    engine_version text not null,
    features text[] not null,
    engine_ready boolean not null,
    -- Of weir.config.v1, as the node's positions mean it.
    topic_id text not null,
    node_config_sequence bigint not null,
    constraint node_report_pk primary key (node_id),
    constraint node_report_node_fk foreign key (node_id) references nodes (id)
);
grant select, insert, update, delete on node_reports to weir_provisioner;
grant select on node_reports to weir_api, weir_operator;

create table node_watermarks (
    node_id uuid not null,
    partition integer not null,
    -- Every record below this offset was filtered out, acknowledged by the engine, or rejected.
    position bigint not null,
    epoch bigint not null,
    -- When the engine acknowledged the newest record below the position.
    applied_at timestamptz not null,
    constraint node_watermark_pk primary key (node_id, partition),
    constraint node_watermark_node_fk foreign key (node_id) references nodes (id)
);
grant select, insert, update, delete on node_watermarks to weir_provisioner;
grant select on node_watermarks to weir_api, weir_operator;

-- Records that a node refused and that nothing has replaced there since.
create table node_rejections (
    project_id uuid not null,
    load_balancer_id uuid not null,
    node_id uuid not null,
    epoch bigint not null,
    sequence bigint not null,
    -- Upper snake case, such as UNSUPPORTED_FEATURE.
    code text not null,
    reason text not null,
    -- What goes on running there; 0: nothing.
    running_generation bigint not null,
    rejected_at timestamptz not null default now(),
    constraint node_rejection_pk primary key (project_id, load_balancer_id, node_id),
    constraint node_rejection_node_fk foreign key (node_id) references nodes (id)
);
-- "What does this node reject": every watermark.
create index node_rejections_node_index on node_rejections (node_id);
alter table node_rejections enable row level security;
alter table node_rejections force row level security;
create policy node_rejections_owner on node_rejections to weir_owner using (true) with check (true);
create policy node_rejections_operator on node_rejections for select to weir_operator using (true);
create policy node_rejections_provisioner on node_rejections to weir_provisioner using (true) with check (true);
create policy node_rejections_tenant on node_rejections for select to weir_api
    using (project_id = current_project_id());
grant select, insert, update, delete on node_rejections to weir_provisioner;
grant select on node_rejections to weir_api, weir_operator;

create table load_balancer_status (
    project_id uuid not null,
    load_balancer_id uuid not null,
    -- The highest generation that all reachable placed nodes run; 0: none yet.
    observed_generation bigint not null default 0,
    observed_at timestamptz,
    -- The newest generation that has a record; 0: none yet.
    published_generation bigint not null default 0,
    -- A generation that could not be compiled although it was accepted, such as after a PoP was added; null: none.
    refused_generation bigint,
    -- [{"code", "pointer", "message"}]
    refused_faults jsonb,
    constraint load_balancer_status_pk primary key (project_id, load_balancer_id)
);
alter table load_balancer_status enable row level security;
alter table load_balancer_status force row level security;
create policy load_balancer_status_owner on load_balancer_status to weir_owner using (true) with check (true);
create policy load_balancer_status_operator on load_balancer_status for select to weir_operator using (true);
create policy load_balancer_status_provisioner on load_balancer_status to weir_provisioner
    using (true) with check (true);
create policy load_balancer_status_tenant on load_balancer_status for select to weir_api
    using (project_id = current_project_id());
grant select, insert, update, delete on load_balancer_status to weir_provisioner;
grant select on load_balancer_status to weir_api, weir_operator;
