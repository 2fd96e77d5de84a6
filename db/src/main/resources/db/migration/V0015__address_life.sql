-- SPDX-License-Identifier: Apache-2.0
-- What becomes of released addresses: 72 hours for the project that had them, then for everybody once no node can
-- announce them any more.

-- VIPs that were released, for as long as they can be taken back.
create table deleted_vips (
    project_id uuid not null,
    id uuid not null,
    name text not null,
    address inet not null,
    address_pool_id uuid not null,
    version bigint not null,
    created_at timestamptz not null,
    deleted_at timestamptz not null default now(),
    constraint deleted_vip_pk primary key (project_id, id),
    constraint deleted_vip_project_fk foreign key (project_id) references projects (id)
);
-- "What is past its time": the purge.
create index deleted_vips_deleted_index on deleted_vips (deleted_at);
alter table deleted_vips enable row level security;
alter table deleted_vips force row level security;
create policy deleted_vips_owner on deleted_vips to weir_owner using (true) with check (true);
create policy deleted_vips_operator on deleted_vips for select to weir_operator using (true);
create policy deleted_vips_tenant on deleted_vips to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select on deleted_vips to weir_operator;
grant select, insert, delete on deleted_vips to weir_api;

-- From which load balancers an address was taken, and by which of their generations: once every node has passed that
-- one, none announces the address for them.
create table vip_removals (
    project_id uuid not null,
    address inet not null,
    load_balancer_id uuid not null,
    -- The first without the address.
    generation bigint not null,
    removed_at timestamptz not null default now(),
    constraint vip_removal_pk primary key (project_id, address, load_balancer_id),
    constraint vip_removal_project_fk foreign key (project_id) references projects (id)
);
-- "Who had this address": before another project gets it.
create index vip_removals_address_index on vip_removals (address);
alter table vip_removals enable row level security;
alter table vip_removals force row level security;
create policy vip_removals_owner on vip_removals to weir_owner using (true) with check (true);
create policy vip_removals_operator on vip_removals for select to weir_operator using (true);
create policy vip_removals_leases on vip_removals to weir_leases using (true) with check (true);
create policy vip_removals_tenant on vip_removals to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select on vip_removals to weir_operator;
grant select, delete on vip_removals to weir_leases;
grant select, insert, update on vip_removals to weir_api;

create policy published_records_leases on published_records for select to weir_leases using (true);
create policy node_rejections_leases on node_rejections for select to weir_leases using (true);
grant select on nodes, node_watermarks, published_records, node_rejections to weir_leases;

-- Whether no node can announce the address any more: each has passed the record that took it from its load balancer and
-- did not refuse it, or was removed, or fenced by an operator.
create function address_passed(of_address inet) returns boolean
    language sql stable set search_path = public, pg_temp
as $$
    select not exists (
        select from vip_removals m
        where m.address = of_address
            -- Without any record it was never published, or its deletion has been passed by all.
            and exists (
                select from published_records r
                where r.project_id = m.project_id and r.load_balancer_id = m.load_balancer_id)
            and (
                not exists (
                    select from published_records r
                    where r.project_id = m.project_id and r.load_balancer_id = m.load_balancer_id
                        and r.generation >= m.generation and r.log_offset is not null
                        and not exists (
                            select from nodes n
                            left join node_watermarks w on w.node_id = n.id and w.partition = r.partition
                            where n.deleted_at is null and n.fenced_at is null
                                and (w.position is null or w.position <= r.log_offset or w.epoch < r.epoch)))
                or exists (
                    select from node_rejections x
                    join nodes n on n.id = x.node_id
                    where x.project_id = m.project_id and x.load_balancer_id = m.load_balancer_id
                        and x.running_generation between 1 and m.generation - 1
                        and n.deleted_at is null and n.fenced_at is null)));
$$;

-- Leases an address to a VIP of the current project.
--
-- wished_address: null for any free one; wished_pool_id: null for any pool; wished_family: 4, 6, or null for either. No
-- row: there is none, without saying why. A project gets back at once what it released itself.
create function lease_address(for_vip_id uuid, wished_pool_id uuid, wished_address inet, wished_family integer)
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
    -- Each turn sees what others have committed meanwhile; a turn is lost only to one that won the same address.
    for turn in 1 .. 1000 loop
        if wished_address is not null then
            select wished_address as address, p.address_pool_id into candidate
            from address_pool_prefixes p
            where wished_address <<= p.prefix
                and (wished_pool_id is null or p.address_pool_id = wished_pool_id)
                and (wished_family is null or family(p.prefix) = wished_family);
        else
            select free.address, p.address_pool_id into candidate
            from (
                -- The first address of a network stays unused where it has more than two, in IPv4 the last one too.
                select q.address_pool_id, q.prefix, a.name,
                    host(q.prefix)::inet + case when q.size >= 2 then 1 else 0 end as first,
                    host(broadcast(q.prefix))::inet
                        - case when q.size >= 2 and family(q.prefix) = 4 then 1 else 0 end as last
                from (
                    select *, case family(prefix) when 4 then 32 else 128 end - masklen(prefix) as size
                    from address_pool_prefixes
                ) q
                join address_pools a on a.id = q.address_pool_id
                where (wished_pool_id is null or q.address_pool_id = wished_pool_id)
                    and (wished_family is null or family(q.prefix) = wished_family)
            ) p
            cross join lateral (
                (select p.first as address
                    where not exists (select from address_leases l where l.address = p.first))
                union all
                (select l.address + 1
                    from address_leases l
                    where l.address >= p.first and l.address < p.last
                        and not exists (select from address_leases x where x.address = l.address + 1)
                    order by l.address limit 1)
            ) free
            order by p.name, p.prefix, free.address
            limit 1;
            if not found then
                -- Nothing was left untouched; something may have come back.
                select l.address, l.address_pool_id into candidate
                from address_leases l
                join address_pool_prefixes p on p.address_pool_id = l.address_pool_id and l.address <<= p.prefix
                where l.quarantined_until is not null
                    and (l.project_id = project or l.quarantined_until <= now() and address_passed(l.address))
                    and (wished_pool_id is null or l.address_pool_id = wished_pool_id)
                    and (wished_family is null or family(l.address) = wished_family)
                order by l.quarantined_until
                limit 1;
            end if;
        end if;
        if not found then
            return;
        end if;
        return query
            insert into address_leases as l (project_id, address, address_pool_id, vip_id)
            values (project, candidate.address, candidate.address_pool_id, for_vip_id)
            on conflict (address) do update
                set project_id = excluded.project_id,
                    address_pool_id = excluded.address_pool_id,
                    vip_id = excluded.vip_id,
                    leased_at = now(),
                    quarantined_until = null
                where l.quarantined_until is not null
                    and (l.project_id = excluded.project_id
                        or l.quarantined_until <= now() and address_passed(l.address))
            returning l.address, l.address_pool_id;
        if found then
            delete from vip_removals m where m.address = candidate.address and m.project_id <> project;
            return;
        end if;
        if wished_address is not null then
            return;
        end if;
    end loop;
end
$$;

-- As before, for the release that knows no families.
create or replace function lease_address(for_vip_id uuid, wished_pool_id uuid, wished_address inet)
    returns table (leased_address inet, leased_pool_id uuid)
    language sql security definer set search_path = public, pg_temp
as $$
    select * from lease_address(for_vip_id, wished_pool_id, wished_address, 4);
$$;

-- Ends the lease of a VIP of the current project; for 72 hours the address is this project's alone.
create or replace function release_address(of_vip_id uuid) returns void
    language sql security definer set search_path = public, pg_temp
as $$
    update address_leases set quarantined_until = now() + interval '72 hours'
    where project_id = current_project_id() and vip_id = of_vip_id and quarantined_until is null;
$$;

-- Forgets leases that nothing depends on any more; null: of every pool. Answers how many of the pool are left.
create function forget_leases(of_pool_id uuid) returns bigint
    language plpgsql security definer set search_path = public, pg_temp
as $$
begin
    with forgotten as (
        delete from address_leases l
        where (of_pool_id is null or l.address_pool_id = of_pool_id)
            and l.quarantined_until <= now() and address_passed(l.address)
        returning l.address
    )
    delete from vip_removals m using forgotten f where m.address = f.address;
    return (select count(*) from address_leases l where l.address_pool_id = of_pool_id);
end
$$;

grant create on schema public to weir_leases;
alter function address_passed(inet) owner to weir_leases;
alter function lease_address(uuid, uuid, inet, integer) owner to weir_leases;
alter function forget_leases(uuid) owner to weir_leases;
revoke create on schema public from weir_leases;
set role weir_leases;
revoke execute on function address_passed(inet), lease_address(uuid, uuid, inet, integer), forget_leases(uuid)
    from public;
grant execute on function lease_address(uuid, uuid, inet, integer) to weir_api;
grant execute on function forget_leases(uuid) to weir_operator;
reset role;
