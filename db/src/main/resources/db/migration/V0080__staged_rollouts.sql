-- SPDX-License-Identifier: Apache-2.0
-- A change can reach the PoPs in waves, and be taken back where it does harm.

-- How the next change of the tree reaches the edge; no part of the tree, and changing it makes no generation.
alter table load_balancers
    add column rollout text not null default 'immediate',
    add constraint load_balancer_rollout_check check (rollout in ('immediate', 'staged'));

-- A load balancer's newest staged rollout. The provisioner begins and advances it; promoting, stopping and reverting are
-- the tenant's too. It ends with the next revision.
create table staged_rollouts (
    project_id uuid not null,
    load_balancer_id uuid not null,
    -- What goes on running outside of the waves, and everywhere once reverted.
    stable_generation bigint not null,
    stable_tree jsonb not null,
    stable_committed_at timestamptz not null,
    stable_maglev_table_sizes jsonb not null,
    stable_serving_since_us jsonb not null,
    -- The revision that is rolled out, and the generation that it came with.
    candidate_revision_id uuid not null,
    candidate_generation bigint not null,
    state text not null,
    -- Why it was stopped or reverted, in a sentence.
    reason text not null default '',
    wave integer not null default 1,
    -- PoPs of the waves so far: they run the candidate.
    pop_ids uuid[] not null,
    -- All PoPs that are concerned, in the order of the waves.
    all_pop_ids uuid[] not null,
    -- Share of the members that were unhealthy before it began.
    unhealthy_before double precision not null,
    started_at timestamptz not null default clock_timestamp(),
    wave_started_at timestamptz not null default clock_timestamp(),
    -- Since when all reachable nodes of the waves so far run the candidate; null: not yet.
    wave_applied_at timestamptz,
    ended_at timestamptz,
    constraint staged_rollout_pk primary key (project_id, load_balancer_id),
    constraint staged_rollout_state_check check (state in ('running', 'stopped', 'promoted', 'reverted')),
    constraint staged_rollout_load_balancer_fk foreign key (project_id, load_balancer_id)
        references load_balancers (project_id, id) on delete cascade
);
-- "Which rollouts go on": the provisioner's wave engine.
create index staged_rollouts_running_index on staged_rollouts (load_balancer_id) where state = 'running';
alter table staged_rollouts enable row level security;
alter table staged_rollouts force row level security;
create policy staged_rollouts_owner on staged_rollouts to weir_owner using (true) with check (true);
create policy staged_rollouts_operator on staged_rollouts for select to weir_operator using (true);
create policy staged_rollouts_provisioner on staged_rollouts to weir_provisioner using (true) with check (true);
create policy staged_rollouts_tenant on staged_rollouts to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select, insert, update, delete on staged_rollouts to weir_provisioner;
grant select on staged_rollouts to weir_operator;
grant select, update (state, reason, ended_at) on staged_rollouts to weir_api;

alter table published_records
    -- Null: the record holds one configuration. Otherwise PoPs that are not of candidate_pop_ids run this generation.
    add column stable_generation bigint,
    add column candidate_pop_ids uuid[] not null default '{}';

create trigger staged_rollout_audit after update on staged_rollouts
    for each row execute function audit_row('staged_rollout', 'lb_', '{}', 'load_balancer_id');
