-- SPDX-License-Identifier: Apache-2.0
-- What a call with an Idempotency-Key answered, written in that call's transaction: a concurrent twin waits for it.

create table idempotency_keys (
    -- The nil UUID for calls outside of any project.
    project_id uuid not null,
    subject text not null,
    key text not null,
    -- SHA-256 over method, path and body.
    request_hash bytea not null,
    status integer,
    location text,
    etag text,
    body json,
    created_at timestamptz not null default now(),
    constraint idempotency_key_pk primary key (project_id, subject, key)
);
-- "What is older than 24 hours": the clean-up.
create index idempotency_keys_created_index on idempotency_keys (created_at);
alter table idempotency_keys enable row level security;
alter table idempotency_keys force row level security;
create policy idempotency_keys_owner on idempotency_keys to weir_owner using (true) with check (true);
create policy idempotency_keys_operator on idempotency_keys to weir_operator
    using (subject = current_subject()) with check (subject = current_subject());
create policy idempotency_keys_tenant on idempotency_keys to weir_api
    using (project_id = current_project_id() and subject = current_subject())
    with check (project_id = current_project_id() and subject = current_subject());
grant select, insert, update, delete on idempotency_keys to weir_api, weir_operator;
