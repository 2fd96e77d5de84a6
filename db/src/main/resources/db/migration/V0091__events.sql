-- SPDX-License-Identifier: Apache-2.0
-- What happened to a project's resources, written by the database itself in the transaction that did it.

-- Ids and times commit out of order, so a reader that goes on behind the last one it saw would miss some. It goes by the
-- writing transaction instead, and sees events only once every older transaction has ended: nothing comes in between any
-- more. After a restore from a dump, whose transaction ids mean nothing here, set all to '0'.
alter table events
    add column transaction_id xid8 not null default pg_current_xact_id(),
    -- Prefixed id of what it happened to.
    add column resource text not null;
-- "What happened", in both directions.
create index events_order_index on events (project_id, transaction_id, id);
-- "What is too old": the purge.
create index events_created_index on events (created_at);

create function prefixed_id(prefix text, id uuid) returns text language sql immutable as $$
    select prefix || '_' || replace(id::text, '-', '')
$$;

create function add_event(of_project uuid, of_load_balancer uuid, of_resource text, of_kind text, of_body jsonb)
    returns void language sql as $$
    insert into events (project_id, load_balancer_id, resource, kind, body)
    values (of_project, of_load_balancer, of_resource, of_kind, jsonb_strip_nulls(of_body))
$$;

create function load_balancer_event() returns trigger language plpgsql as $$
declare
    kind text;
begin
    kind := case
        when tg_op = 'INSERT' then 'load_balancer_created'
        when new.deleted_at is not null and old.deleted_at is null then 'load_balancer_deleted'
        when new.deleted_at is null and old.deleted_at is not null then 'load_balancer_undeleted'
        when new.generation > old.generation then 'load_balancer_updated' end;
    if kind is not null then
        perform add_event(new.project_id, new.id, prefixed_id('lb', new.id), kind,
            jsonb_build_object('generation', new.generation));
    end if;
    return null;
end
$$;
create trigger load_balancer_event after insert or update on load_balancers
    for each row execute function load_balancer_event();

create function vip_event() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        perform add_event(new.project_id, null, prefixed_id('vip', new.id), 'vip_created',
            jsonb_build_object('address', host(new.address)));
    else
        perform add_event(old.project_id, null, prefixed_id('vip', old.id), 'vip_deleted',
            jsonb_build_object('address', host(old.address)));
    end if;
    return null;
end
$$;
create trigger vip_event after insert or delete on vips for each row execute function vip_event();

create function vip_attachment_event() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.load_balancer_id = old.load_balancer_id then
        return null;
    end if;
    if tg_op <> 'INSERT' then
        perform add_event(old.project_id, old.load_balancer_id, prefixed_id('vip', old.vip_id), 'vip_detached', '{}');
    end if;
    if tg_op <> 'DELETE' then
        perform add_event(new.project_id, new.load_balancer_id, prefixed_id('vip', new.vip_id), 'vip_attached', '{}');
    end if;
    return null;
end
$$;
create trigger vip_attachment_event after insert or update or delete on vip_attachments
    for each row execute function vip_attachment_event();

create function overlay_entry_event() returns trigger language plpgsql as $$
declare
    entry overlay_entries := case tg_op when 'DELETE' then old else new end;
    verb text := case tg_op when 'INSERT' then '_begun' when 'UPDATE' then '_changed' else '_ended' end;
begin
    -- Entries also go with their load balancer, together with its events.
    if tg_op = 'DELETE' and not exists (
            select from load_balancers l where l.project_id = entry.project_id and l.id = entry.load_balancer_id) then
        return null;
    end if;
    perform add_event(entry.project_id, entry.load_balancer_id,
        case when entry.member_id is null then prefixed_id('lb', entry.load_balancer_id)
            else prefixed_id('mbr', entry.member_id) end,
        case when entry.member_id is null then 'shift' else 'drain' end || verb,
        jsonb_build_object('until', entry.ends_at, 'pop_id', prefixed_id('pop', entry.pop_id)));
    return null;
end
$$;
create trigger overlay_entry_event after insert or update or delete on overlay_entries
    for each row execute function overlay_entry_event();

create function load_balancer_status_event() returns trigger language plpgsql as $$
begin
    if new.observed_generation > 0
            and (tg_op = 'INSERT' or new.observed_generation <> old.observed_generation) then
        perform add_event(new.project_id, new.load_balancer_id, prefixed_id('lb', new.load_balancer_id),
            'rollout_applied', jsonb_build_object('generation', new.observed_generation));
    end if;
    if new.refused_generation is not null
            and (tg_op = 'INSERT' or new.refused_generation is distinct from old.refused_generation) then
        perform add_event(new.project_id, new.load_balancer_id, prefixed_id('lb', new.load_balancer_id),
            'rollout_refused',
            jsonb_build_object('generation', new.refused_generation, 'faults', new.refused_faults));
    end if;
    return null;
end
$$;
create trigger load_balancer_status_event after insert or update on load_balancer_status
    for each row execute function load_balancer_status_event();

create function node_rejection_event() returns trigger language plpgsql as $$
begin
    perform add_event(new.project_id, new.load_balancer_id, prefixed_id('lb', new.load_balancer_id),
        'rollout_rejected', jsonb_build_object('node_id', prefixed_id('node', new.node_id), 'code', new.code,
            'reason', new.reason, 'running_generation', new.running_generation));
    return null;
end
$$;
create trigger node_rejection_event after insert on node_rejections
    for each row execute function node_rejection_event();

create function member_status_event() returns trigger language plpgsql as $$
begin
    perform add_event(new.project_id, new.load_balancer_id, prefixed_id('mbr', new.member_id),
        'member_status_changed', jsonb_build_object('pop_id', prefixed_id('pop', new.pop_id),
            'node_id', prefixed_id('node', new.node_id), 'before', old.operating_status,
            'after', new.operating_status, 'reason', nullif(new.reason, '')));
    return null;
end
$$;
create trigger member_status_event after update on member_status for each row
    when (new.operating_status <> old.operating_status) execute function member_status_event();

-- Forgets what is older than 7 days; answers how many.
create function purge_events() returns bigint
    language sql security definer set search_path = public, pg_temp as $$
    with gone as (delete from events where created_at < now() - interval '7 days' returning 1)
    select count(*) from gone
$$;
revoke execute on function purge_events() from public;
grant execute on function purge_events() to weir_operator;
