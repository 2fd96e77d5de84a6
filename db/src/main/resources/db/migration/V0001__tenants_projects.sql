-- SPDX-License-Identifier: Apache-2.0
-- Tenants, their projects and who may do what in them.

revoke create on schema public from public;
grant usage on schema public to weir_api, weir_operator, weir_provisioner, weir_leases;

-- What a transaction of the api acts as. Unset means nobody: policies then let nothing through.
create function current_project_id() returns uuid language sql stable parallel safe
    return nullif(current_setting('weir.project_id', true), '')::uuid;
create function current_subject() returns text language sql stable parallel safe
    return nullif(current_setting('weir.subject', true), '');
create function current_organization_ids() returns uuid[] language sql stable parallel safe
    return string_to_array(nullif(current_setting('weir.organization_ids', true), ''), ',')::uuid[];

create table tenants (
    id uuid not null default uuidv7(),
    name text not null,
    display_name text not null,
    organization_id uuid not null,
    state text not null default 'active',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint tenant_pk primary key (id),
    constraint tenant_name_key unique (name),
    constraint tenant_organization_key unique (organization_id),
    constraint tenant_state_check check (state in ('active', 'suspended'))
);
alter table tenants enable row level security;
alter table tenants force row level security;
create policy tenants_owner on tenants to weir_owner using (true) with check (true);
create policy tenants_operator on tenants to weir_operator using (true) with check (true);
create policy tenants_provisioner on tenants for select to weir_provisioner using (true);
create policy tenants_tenant on tenants for select to weir_api
    using (organization_id = any (current_organization_ids()));
grant select on tenants to weir_api, weir_provisioner;
grant select, insert, update on tenants to weir_operator;

create table projects (
    id uuid not null default uuidv7(),
    tenant_id uuid not null,
    name text not null,
    display_name text not null,
    -- Networks from which members may be; empty: none.
    member_cidrs cidr[] not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint project_pk primary key (id),
    constraint project_name_key unique (tenant_id, name),
    constraint project_tenant_fk foreign key (tenant_id) references tenants (id)
);

create table service_accounts (
    project_id uuid not null,
    id uuid not null default uuidv7(),
    name text not null,
    role text not null,
    client_id text not null,
    -- The token's sub: the user that Keycloak keeps for the client.
    subject text not null,
    created_at timestamptz not null default now(),
    constraint service_account_pk primary key (project_id, id),
    constraint service_account_name_key unique (project_id, name),
    constraint service_account_client_key unique (client_id),
    constraint service_account_role_check check (role in ('viewer', 'maintainer', 'editor', 'admin')),
    constraint service_account_project_fk foreign key (project_id) references projects (id)
);
alter table service_accounts enable row level security;
alter table service_accounts force row level security;
create policy service_accounts_owner on service_accounts to weir_owner using (true) with check (true);
create policy service_accounts_operator on service_accounts to weir_operator using (true) with check (true);
create policy service_accounts_tenant on service_accounts to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select, insert, delete on service_accounts to weir_api, weir_operator;

create table role_grants (
    project_id uuid not null,
    id uuid not null default uuidv7(),
    -- The token's sub.
    subject text not null,
    username text,
    role text not null,
    -- Set for a service account's grant: both go together.
    service_account_id uuid,
    created_at timestamptz not null default now(),
    constraint role_grant_pk primary key (project_id, id),
    constraint role_grant_subject_key unique (project_id, subject),
    constraint role_grant_role_check check (role in ('viewer', 'maintainer', 'editor', 'admin')),
    constraint role_grant_project_fk foreign key (project_id) references projects (id),
    constraint role_grant_service_account_fk foreign key (project_id, service_account_id)
        references service_accounts (project_id, id) on delete cascade
);
-- "Which projects may this subject see": the first query of every tenant's request.
create index role_grants_subject_index on role_grants (subject, project_id);
alter table role_grants enable row level security;
alter table role_grants force row level security;
create policy role_grants_owner on role_grants to weir_owner using (true) with check (true);
create policy role_grants_operator on role_grants to weir_operator using (true) with check (true);
-- Read by subject before the project is known.
create policy role_grants_subject on role_grants for select to weir_api using (subject = current_subject());
create policy role_grants_tenant on role_grants to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select, insert, update, delete on role_grants to weir_api, weir_operator;

alter table projects enable row level security;
alter table projects force row level security;
create policy projects_owner on projects to weir_owner using (true) with check (true);
create policy projects_operator on projects to weir_operator using (true) with check (true);
create policy projects_provisioner on projects for select to weir_provisioner using (true);
-- Both must hold: the token names the tenant's organization, and a grant names the subject.
create policy projects_tenant on projects for select to weir_api
    using (
        exists (select from tenants t where t.id = tenant_id)
        and exists (select from role_grants g where g.project_id = projects.id and g.subject = current_subject()));
grant select on projects to weir_api, weir_provisioner;
grant select, insert, update on projects to weir_operator;
