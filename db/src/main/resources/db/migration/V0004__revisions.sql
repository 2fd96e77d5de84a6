-- SPDX-License-Identifier: Apache-2.0
-- Every change of a load balancer's tree, immutable. Attaching a VIP raises the generation but makes no revision.

create table revisions (
    project_id uuid not null,
    id uuid not null default uuidv7(),
    load_balancer_id uuid not null,
    generation bigint not null,
    -- The whole tree after the change, as LoadBalancerTree spells it.
    tree jsonb not null,
    -- The token's sub, and the user name or client id that it showed.
    author text not null,
    author_name text,
    -- Where the change came from, such as "api".
    source text not null,
    -- What changed, for people.
    summary text not null,
    -- W3C trace context of the request.
    traceparent text,
    created_at timestamptz not null default clock_timestamp(),
    constraint revision_pk primary key (project_id, id),
    constraint revision_generation_key unique (project_id, load_balancer_id, generation),
    constraint revision_load_balancer_fk foreign key (project_id, load_balancer_id)
        references load_balancers (project_id, id)
);
alter table revisions enable row level security;
alter table revisions force row level security;
create policy revisions_owner on revisions to weir_owner using (true) with check (true);
create policy revisions_operator on revisions for select to weir_operator using (true);
create policy revisions_provisioner on revisions for select to weir_provisioner using (true);
create policy revisions_tenant on revisions to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select on revisions to weir_operator, weir_provisioner;
grant select, insert on revisions to weir_api;

alter table load_balancers add constraint load_balancer_revision_fk foreign key (project_id, revision_id)
    references revisions (project_id, id) deferrable initially deferred;
