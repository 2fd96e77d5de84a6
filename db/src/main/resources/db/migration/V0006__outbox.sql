-- SPDX-License-Identifier: Apache-2.0
-- Says *that* something changed, in the transaction that changed it; the provisioner reads what it is now by itself.
-- Ids commit out of order, so rows are claimed by state, never by "greater than the last".

create table outbox (
    id uuid not null default uuidv7(),
    kind text not null,
    -- Id of the load balancer, PoP, node or prefix list.
    key uuid not null,
    -- Null: the fleet's.
    project_id uuid,
    generation bigint,
    state text not null default 'pending',
    claimed_until timestamptz,
    attempts integer not null default 0,
    -- W3C trace context of the request.
    traceparent text,
    created_at timestamptz not null default clock_timestamp(),
    constraint outbox_pk primary key (id),
    constraint outbox_kind_check check (kind in ('load_balancer', 'pop', 'node', 'prefix_list')),
    constraint outbox_state_check check (state in ('pending', 'done'))
);
-- "What is pending", oldest first: the provisioner's claim.
create index outbox_pending_index on outbox (created_at, id) where state = 'pending';
-- "Is anything pending for this key": the rollout's publishing_delayed.
create index outbox_pending_key_index on outbox (key) where state = 'pending';
alter table outbox enable row level security;
alter table outbox force row level security;
create policy outbox_owner on outbox to weir_owner using (true) with check (true);
create policy outbox_operator on outbox to weir_operator using (true) with check (project_id is null);
create policy outbox_provisioner on outbox to weir_provisioner using (true) with check (true);
create policy outbox_tenant on outbox to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select, insert on outbox to weir_api, weir_operator;
grant select, insert, update, delete on outbox to weir_provisioner;

-- Listeners wake up when the transaction commits, however many rows it wrote.
create function notify_outbox() returns trigger language plpgsql as $$
begin
    perform pg_notify('weir_outbox', '');
    return null;
end
$$;
create trigger outbox_notify after insert on outbox for each statement execute function notify_outbox();
