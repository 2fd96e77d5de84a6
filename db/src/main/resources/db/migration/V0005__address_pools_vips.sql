-- SPDX-License-Identifier: Apache-2.0
-- Address pools, the leases of their addresses, VIPs and what they are attached to.

create table address_pools (
    id uuid not null default uuidv7(),
    name text not null,
    created_at timestamptz not null default now(),
    constraint address_pool_pk primary key (id),
    constraint address_pool_name_key unique (name)
);
grant select, insert on address_pools to weir_operator;
grant select on address_pools to weir_provisioner, weir_leases;

create table address_pool_prefixes (
    address_pool_id uuid not null,
    prefix cidr not null,
    constraint address_pool_prefix_pk primary key (address_pool_id, prefix),
    constraint address_pool_prefix_pool_fk foreign key (address_pool_id) references address_pools (id),
    constraint address_pool_prefix_overlap exclude using gist (prefix inet_ops with &&)
);
grant select, insert on address_pool_prefixes to weir_operator;
-- The api refuses members inside of these.
grant select on address_pool_prefixes to weir_api, weir_provisioner, weir_leases;

-- Who has an address. Only weir_leases writes: a tenant must not learn whether an address is taken, held or quarantined.
create table address_leases (
    project_id uuid not null,
    address inet not null,
    address_pool_id uuid not null,
    vip_id uuid not null,
    leased_at timestamptz not null default now(),
    -- Set when the VIP was deleted: nobody gets the address before.
    quarantined_until timestamptz,
    constraint address_lease_pk primary key (project_id, address),
    constraint address_lease_address_key unique (address),
    constraint address_lease_pool_fk foreign key (address_pool_id) references address_pools (id),
    constraint address_lease_project_fk foreign key (project_id) references projects (id)
);
alter table address_leases enable row level security;
alter table address_leases force row level security;
create policy address_leases_owner on address_leases to weir_owner using (true) with check (true);
create policy address_leases_leases on address_leases to weir_leases using (true) with check (true);
create policy address_leases_operator on address_leases for select to weir_operator using (true);
grant select, insert, update, delete on address_leases to weir_leases;
grant select on address_leases to weir_operator;

-- Leases an address to a VIP of the current project.
--
-- wished_address: null for any free one; wished_pool_id: null for any pool. No row: there is none, without saying why.
create function lease_address(for_vip_id uuid, wished_pool_id uuid, wished_address inet)
    returns table (leased_address inet, leased_pool_id uuid)
    language plpgsql security definer set search_path = public, pg_temp
as $$
declare
    project uuid := current_project_id();
    candidate record;
begin
    if project is null then
        return;
    end if;
    -- A candidate may be taken by another transaction meanwhile; then the next one is tried.
    for candidate in
        select c.address, p.address_pool_id
        from address_pool_prefixes p
        join address_pools a on a.id = p.address_pool_id
        cross join lateral (
            select wished_address as address where wished_address << p.prefix or wished_address = p.prefix
            union all
            -- The first and last address of a network stay unused where it has more than two.
            select (host(p.prefix)::inet + n) as address
            from generate_series(
                case when masklen(p.prefix) >= 31 then 0 else 1 end::bigint,
                (1::bigint << (32 - masklen(p.prefix))) - case when masklen(p.prefix) >= 31 then 1 else 2 end) n
            where wished_address is null
        ) c
        where family(p.prefix) = 4
            and (wished_pool_id is null or p.address_pool_id = wished_pool_id)
            and not exists (
                select from address_leases l
                where l.address = c.address
                    and (l.quarantined_until is null or l.quarantined_until > now()))
        order by a.name, p.prefix, c.address
        limit 64
    loop
        return query
            insert into address_leases as l (project_id, address, address_pool_id, vip_id)
            values (project, candidate.address, candidate.address_pool_id, for_vip_id)
            on conflict (address) do update
                set project_id = excluded.project_id,
                    address_pool_id = excluded.address_pool_id,
                    vip_id = excluded.vip_id,
                    leased_at = now(),
                    quarantined_until = null
                where l.quarantined_until <= now()
            returning l.address, l.address_pool_id;
        if found then
            return;
        end if;
    end loop;
end
$$;

-- Ends the lease of a VIP of the current project; its address is kept from everybody for an hour.
create function release_address(of_vip_id uuid) returns void
    language sql security definer set search_path = public, pg_temp
as $$
    update address_leases set quarantined_until = now() + interval '1 hour'
    where project_id = current_project_id() and vip_id = of_vip_id and quarantined_until is null;
$$;

grant create on schema public to weir_leases;
alter function lease_address(uuid, uuid, inet) owner to weir_leases;
alter function release_address(uuid) owner to weir_leases;
revoke create on schema public from weir_leases;
set role weir_leases;
revoke execute on function lease_address(uuid, uuid, inet), release_address(uuid) from public;
grant execute on function lease_address(uuid, uuid, inet), release_address(uuid) to weir_api;
reset role;

create table vips (
    project_id uuid not null,
    id uuid not null default uuidv7(),
    name text not null,
    address inet not null,
    address_pool_id uuid not null,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint vip_pk primary key (project_id, id),
    constraint vip_name_key unique (project_id, name),
    constraint vip_address_key unique (address),
    constraint vip_address_pool_fk foreign key (address_pool_id) references address_pools (id),
    constraint vip_project_fk foreign key (project_id) references projects (id)
);
alter table vips enable row level security;
alter table vips force row level security;
create policy vips_owner on vips to weir_owner using (true) with check (true);
create policy vips_operator on vips for select to weir_operator using (true);
create policy vips_provisioner on vips for select to weir_provisioner using (true);
create policy vips_tenant on vips to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select on vips to weir_operator, weir_provisioner;
grant select, insert, update, delete on vips to weir_api;

-- Of several load balancers that claim a VIP on a node, the highest claim serves it.
create sequence vip_claims;
grant usage on sequence vip_claims to weir_api;

create table vip_attachments (
    project_id uuid not null,
    vip_id uuid not null,
    load_balancer_id uuid not null,
    claim_sequence bigint not null default nextval('vip_claims'),
    attached_at timestamptz not null default now(),
    constraint vip_attachment_pk primary key (project_id, vip_id),
    constraint vip_attachment_vip_fk foreign key (project_id, vip_id) references vips (project_id, id),
    constraint vip_attachment_load_balancer_fk foreign key (project_id, load_balancer_id)
        references load_balancers (project_id, id)
);
-- "Which VIPs does this load balancer have": every compilation.
create index vip_attachments_load_balancer_index on vip_attachments (project_id, load_balancer_id);
alter table vip_attachments enable row level security;
alter table vip_attachments force row level security;
create policy vip_attachments_owner on vip_attachments to weir_owner using (true) with check (true);
create policy vip_attachments_operator on vip_attachments for select to weir_operator using (true);
create policy vip_attachments_provisioner on vip_attachments for select to weir_provisioner using (true);
create policy vip_attachments_tenant on vip_attachments to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select on vip_attachments to weir_operator, weir_provisioner;
grant select, insert, update, delete on vip_attachments to weir_api;
