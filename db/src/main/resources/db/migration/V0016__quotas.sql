-- SPDX-License-Identifier: Apache-2.0
-- How much of each resource a project may have. Usage is counted, under a lock on the project's one row, whenever a write
-- adds to it; what is deleted does not count.

create table project_quotas (
    project_id uuid not null,
    load_balancers integer not null default 200,
    listeners integer not null default 2000,
    pools integer not null default 2000,
    members integer not null default 20000,
    vips integer not null default 100,
    prefix_lists integer not null default 50,
    -- Written by whoever counts, so that no two do at once.
    counted_at timestamptz,
    constraint project_quota_pk primary key (project_id),
    constraint project_quota_limits_check check (least(load_balancers, listeners, pools, members, vips, prefix_lists) >= 0),
    constraint project_quota_project_fk foreign key (project_id) references projects (id)
);
alter table project_quotas enable row level security;
alter table project_quotas force row level security;
create policy project_quotas_owner on project_quotas to weir_owner using (true) with check (true);
create policy project_quotas_operator on project_quotas to weir_operator using (true) with check (true);
create policy project_quotas_tenant on project_quotas to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select, insert, update on project_quotas to weir_operator;
grant select, update (counted_at) on project_quotas to weir_api;
insert into project_quotas (project_id) select id from projects;

-- The previous release makes projects too.
create function add_project_quota() returns trigger language plpgsql as $$
begin
    insert into project_quotas (project_id) values (new.id);
    return null;
end
$$;
create trigger project_quota_add after insert on projects for each row execute function add_project_quota();
