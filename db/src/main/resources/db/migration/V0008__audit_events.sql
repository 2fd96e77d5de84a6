-- SPDX-License-Identifier: Apache-2.0
-- Who did what, allowed or refused (audit_events), and what happened to a resource (events).

create table audit_events (
    -- Null: the fleet's.
    project_id uuid,
    id uuid not null default uuidv7(),
    subject text not null,
    username text,
    -- Operation of the contract, such as createVip.
    action text not null,
    -- Prefixed id of what it was done to.
    resource text,
    outcome text not null,
    -- Code of the problem that refused it.
    code text,
    request_id text,
    created_at timestamptz not null default clock_timestamp(),
    constraint audit_event_pk primary key (id),
    constraint audit_event_outcome_check check (outcome in ('allowed', 'refused'))
);
-- "What was done in this project", newest first.
create index audit_events_project_index on audit_events (project_id, id desc);
alter table audit_events enable row level security;
alter table audit_events force row level security;
create policy audit_events_owner on audit_events to weir_owner using (true) with check (true);
create policy audit_events_operator on audit_events to weir_operator using (true) with check (true);
create policy audit_events_tenant on audit_events to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select, insert on audit_events to weir_api, weir_operator;

create table events (
    project_id uuid not null,
    id uuid not null default uuidv7(),
    load_balancer_id uuid,
    -- Lower snake case, such as member_unhealthy.
    kind text not null,
    body jsonb not null default '{}',
    created_at timestamptz not null default clock_timestamp(),
    constraint event_pk primary key (project_id, id),
    constraint event_load_balancer_fk foreign key (project_id, load_balancer_id)
        references load_balancers (project_id, id)
);
alter table events enable row level security;
alter table events force row level security;
create policy events_owner on events to weir_owner using (true) with check (true);
create policy events_operator on events for select to weir_operator using (true);
create policy events_provisioner on events to weir_provisioner using (true) with check (true);
create policy events_tenant on events to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select, insert on events to weir_api, weir_provisioner;
grant select on events to weir_operator;
