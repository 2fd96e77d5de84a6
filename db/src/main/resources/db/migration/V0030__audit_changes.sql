-- SPDX-License-Identifier: Apache-2.0
-- What a call changed, gathered by the database itself: a handler cannot forget it. Each audited row that the api writes
-- adds to a setting of the transaction, from which the audit event takes it before the commit.

alter table audit_events
    add column source_address inet,
    -- Path of the request.
    add column path text,
    -- [{"kind": "vip", "id": "vip_…", "change": "created" | "updated" | "deleted", "before": {…}, "after": {…}}]
    add column changes jsonb not null default '[]';

-- "What was done by this caller", newest first.
create index audit_events_subject_index on audit_events (subject, id desc);

-- Callers write in their own name only. A refused call may be about no project that they can see.
drop policy audit_events_tenant on audit_events;
create policy audit_events_tenant_read on audit_events for select to weir_api
    using (project_id = current_project_id());
create policy audit_events_tenant_write on audit_events for insert to weir_api
    with check (subject = current_subject()
        and (project_id = current_project_id() or (project_id is null and outcome = 'refused')));
drop policy audit_events_operator on audit_events;
create policy audit_events_operator_read on audit_events for select to weir_operator using (true);
create policy audit_events_operator_write on audit_events for insert to weir_operator
    with check (subject = current_subject());

-- Arguments: the resource's kind, its id's prefix, the columns that are not worth telling.
create function audit_row() returns trigger language plpgsql as $$
declare
    gathered text := current_setting('weir.audit_changes', true);
    hidden text[] := array['project_id', 'created_at', 'updated_at'] || tg_argv[2]::text[];
    row_before jsonb;
    row_after jsonb;
    own_id text;
    change jsonb;
begin
    -- The provisioner's writes are nobody's calls. What is longer than this is cut; its revision has it all.
    if session_user not in ('weir_api', 'weir_operator') or length(gathered) > 65536 then
        return null;
    end if;
    if tg_op <> 'INSERT' then
        row_before := to_jsonb(old) - hidden;
    end if;
    if tg_op <> 'DELETE' then
        row_after := to_jsonb(new) - hidden;
    end if;
    own_id := coalesce(row_after, row_before) ->> coalesce(tg_argv[3], 'id');
    if tg_op = 'UPDATE' then
        select coalesce(jsonb_object_agg(a.key, row_before -> a.key), '{}'), coalesce(jsonb_object_agg(a.key, a.value), '{}')
        into row_before, row_after
        from jsonb_each(row_after) a
        where a.value is distinct from row_before -> a.key;
        if row_after = '{}' then
            return null;
        end if;
    end if;
    change := jsonb_strip_nulls(jsonb_build_object(
        'kind', tg_argv[0],
        'id', tg_argv[1] || replace(own_id, '-', ''),
        'change', case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'updated' else 'deleted' end));
    -- Nulls inside of these mean something.
    if row_before is not null then
        change := change || jsonb_build_object('before', row_before - 'id');
    end if;
    if row_after is not null then
        change := change || jsonb_build_object('after', row_after - 'id');
    end if;
    perform set_config('weir.audit_changes',
        (coalesce(nullif(gathered, ''), '[]')::jsonb || jsonb_build_array(change))::text, true);
    return null;
end
$$;

create trigger tenant_audit after insert or update or delete on tenants
    for each row execute function audit_row('tenant', 'tnt_', '{}');
create trigger project_audit after insert or update or delete on projects
    for each row execute function audit_row('project', 'prj_', '{}');
create trigger role_grant_audit after insert or update or delete on role_grants
    for each row execute function audit_row('role_grant', 'grant_', '{}');
create trigger service_account_audit after insert or update or delete on service_accounts
    for each row execute function audit_row('service_account', 'sa_', '{}');
create trigger pop_audit after insert or update or delete on pops
    for each row execute function audit_row('pop', 'pop_', '{}');
create trigger node_audit after insert or update or delete on nodes
    for each row execute function audit_row('node', 'node_', '{}');
create trigger node_snat_range_audit after insert or update or delete on node_snat_ranges
    for each row execute function audit_row('node_snat_range', 'node_', '{}', 'node_id');
create trigger address_pool_audit after insert or update or delete on address_pools
    for each row execute function audit_row('address_pool', 'apool_', '{}');
create trigger address_pool_prefix_audit after insert or update or delete on address_pool_prefixes
    for each row execute function audit_row('address_pool_prefix', 'apool_', '{}', 'address_pool_id');
create trigger vip_audit after insert or update or delete on vips
    for each row execute function audit_row('vip', 'vip_', '{}');
create trigger vip_attachment_audit after insert or update or delete on vip_attachments
    for each row execute function audit_row('vip_attachment', 'vip_', '{}', 'vip_id');
create trigger load_balancer_audit after insert or update or delete on load_balancers
    for each row execute function audit_row('load_balancer', 'lb_', '{}');
-- Its tree is read at the revision itself.
create trigger revision_audit after insert on revisions
    for each row execute function audit_row('revision', 'rev_', '{tree,diff,author,author_name,traceparent}');
