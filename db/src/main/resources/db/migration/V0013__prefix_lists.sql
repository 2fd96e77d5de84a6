-- SPDX-License-Identifier: Apache-2.0
-- Named CIDRs that listeners refer to; published as records of their own.

create table prefix_lists (
    project_id uuid not null,
    id uuid not null default uuidv7(),
    name text not null,
    description text,
    labels jsonb not null default '{}',
    -- Sorted by family, address and length, without duplicates; empty once deleted.
    cidrs cidr[] not null,
    -- SHA-256 of the entries packed as PrefixListRecord spells them, in the order of cidrs.
    content_sha256 bytea not null,
    generation bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default clock_timestamp(),
    -- Set: the edge is told to forget it; the row stays for the publisher's sake.
    deleted_at timestamptz,
    constraint prefix_list_pk primary key (project_id, id),
    constraint prefix_list_id_key unique (id),
    constraint prefix_list_cidrs_check check (cardinality(cidrs) <= 100000),
    constraint prefix_list_generation_check check (generation > 0),
    constraint prefix_list_project_fk foreign key (project_id) references projects (id)
);
create unique index prefix_list_name_key on prefix_lists (project_id, name) where deleted_at is null;
alter table prefix_lists enable row level security;
alter table prefix_lists force row level security;
create policy prefix_lists_owner on prefix_lists to weir_owner using (true) with check (true);
create policy prefix_lists_operator on prefix_lists for select to weir_operator using (true);
create policy prefix_lists_provisioner on prefix_lists for select to weir_provisioner using (true);
create policy prefix_lists_tenant on prefix_lists to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select on prefix_lists to weir_operator, weir_provisioner;
grant select, insert, update on prefix_lists to weir_api;

-- By listener, which of the lists it refers to; repeats what the tree says, so that a list in use can name its users.
create table listener_prefix_lists (
    project_id uuid not null,
    listener_id uuid not null,
    prefix_list_id uuid not null,
    constraint listener_prefix_list_pk primary key (project_id, listener_id, prefix_list_id),
    constraint listener_prefix_list_listener_fk foreign key (project_id, listener_id)
        references listeners (project_id, id) on delete cascade,
    constraint listener_prefix_list_prefix_list_fk foreign key (project_id, prefix_list_id)
        references prefix_lists (project_id, id)
);
-- "Who uses this list": before it is deleted, and when it is shown.
create index listener_prefix_lists_list_index on listener_prefix_lists (project_id, prefix_list_id);
alter table listener_prefix_lists enable row level security;
alter table listener_prefix_lists force row level security;
create policy listener_prefix_lists_owner on listener_prefix_lists to weir_owner using (true) with check (true);
create policy listener_prefix_lists_operator on listener_prefix_lists for select to weir_operator using (true);
create policy listener_prefix_lists_provisioner on listener_prefix_lists for select to weir_provisioner using (true);
create policy listener_prefix_lists_tenant on listener_prefix_lists to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select on listener_prefix_lists to weir_operator, weir_provisioner;
grant select, insert, delete on listener_prefix_lists to weir_api;
