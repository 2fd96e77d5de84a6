-- SPDX-License-Identifier: Apache-2.0
-- Delete protection, load balancers that can be undeleted, and the purge of what nobody can take back.

alter table load_balancers
    add column delete_protection boolean not null default false,
    -- VIPs that were attached when it was deleted.
    add column deleted_vip_ids uuid[] not null default '{}';
alter table vips add column delete_protection boolean not null default false;

-- "Which can still be undeleted", and the purge.
create index load_balancers_deleted_index on load_balancers (project_id, deleted_at) where deleted_at is not null;

-- Ends what its time has come for: deleted VIPs and load balancers after 72 hours, revisions beyond the later of 200 or
-- 30 days. Answers how many rows of these went.
create function purge_expired() returns bigint
    language plpgsql security definer set search_path = public, pg_temp
as $$
declare
    gone bigint := 0;
    affected bigint;
begin
    -- One at a time; a second caller finds the work done.
    if not pg_try_advisory_xact_lock(hashtext('purge_expired')) then
        return 0;
    end if;
    delete from deleted_vips where deleted_at < now() - interval '72 hours';
    get diagnostics affected = row_count;
    gone := gone + affected;

    delete from revisions r using (
        select project_id, id, row_number() over (
            partition by project_id, load_balancer_id order by generation desc) as age_rank
        from revisions
    ) aged
    where aged.project_id = r.project_id and aged.id = r.id and aged.age_rank > 200
        and r.created_at < now() - interval '30 days'
        and not exists (
            select from load_balancers l where l.project_id = r.project_id and l.revision_id = r.id);
    get diagnostics affected = row_count;
    gone := gone + affected;

    -- Once the edge has forgotten it too: its publisher then keeps no record.
    create temporary table purged on commit drop as
        select l.project_id, l.id from load_balancers l
        where l.deleted_at < now() - interval '72 hours'
            and not exists (
                select from published_records p where p.project_id = l.project_id and p.load_balancer_id = l.id);
    delete from events e using purged p where e.project_id = p.project_id and e.load_balancer_id = p.id;
    delete from member_status s using purged p where s.project_id = p.project_id and s.load_balancer_id = p.id;
    delete from node_rejections x using purged p where x.project_id = p.project_id and x.load_balancer_id = p.id;
    delete from load_balancer_status s using purged p where s.project_id = p.project_id and s.load_balancer_id = p.id;
    -- That a load balancer has its revision is checked at the end of the transaction.
    delete from revisions r using purged p where r.project_id = p.project_id and r.load_balancer_id = p.id;
    delete from load_balancers l using purged p where l.project_id = p.project_id and l.id = p.id;
    get diagnostics affected = row_count;
    return gone + affected;
end
$$;
revoke execute on function purge_expired() from public;
grant execute on function purge_expired() to weir_operator;
