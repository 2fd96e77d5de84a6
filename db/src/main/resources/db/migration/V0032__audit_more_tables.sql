-- SPDX-License-Identifier: Apache-2.0
-- Tables that came after the audit log, among them one whose key is the project itself.

-- Arguments: the resource's kind, its id's prefix, the columns that are not worth telling, the column of the id.
create or replace function audit_row() returns trigger language plpgsql as $$
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
        own_id := to_jsonb(old) ->> coalesce(tg_argv[3], 'id');
        row_before := to_jsonb(old) - hidden;
    end if;
    if tg_op <> 'DELETE' then
        own_id := to_jsonb(new) ->> coalesce(tg_argv[3], 'id');
        row_after := to_jsonb(new) - hidden;
    end if;
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

-- The hash says that entries changed; there may be 100,000 of them.
create trigger prefix_list_audit after insert or update or delete on prefix_lists
    for each row execute function audit_row('prefix_list', 'pfx_', '{cidrs}');
create trigger deleted_vip_audit after insert or update or delete on deleted_vips
    for each row execute function audit_row('deleted_vip', 'vip_', '{}');

-- This one's migration has a lower number and may or may not have run yet.
do $$
begin
    if to_regclass('project_quotas') is not null then
        create trigger project_quota_audit after insert or update or delete on project_quotas
            for each row execute function audit_row('project_quota', 'prj_', '{counted_at}', 'project_id');
    end if;
end
$$;
