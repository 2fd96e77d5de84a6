-- SPDX-License-Identifier: Apache-2.0
-- A service account's row is there before its Keycloak client, so that a client without a row is an orphan, whatever
-- died in between. The row opens nothing until it has its subject and grant.

alter table service_accounts
    add column state text not null default 'active',
    add constraint service_account_state_check check (state in ('creating', 'active')),
    alter column subject drop not null,
    add constraint service_account_subject_check check (state = 'creating' or subject is not null);
grant update on service_accounts to weir_api, weir_operator;

-- "Whose creation never ended": the clean-up.
create index service_accounts_creating_index on service_accounts (created_at) where state = 'creating';

-- Off-boarding.
grant delete on tenants to weir_operator;

-- Answers older than 24 hours, a portion at a time; their policies let no role see those of all callers.
create function forget_idempotency_keys() returns integer language sql security definer set search_path = public, pg_temp as $$
    with forgotten as (
        delete from idempotency_keys where (project_id, subject, key) in (
            select project_id, subject, key from idempotency_keys
            where created_at < now() - interval '24 hours' limit 10000)
        returning 1)
    select count(*)::integer from forgotten
$$;
revoke execute on function forget_idempotency_keys() from public;
grant execute on function forget_idempotency_keys() to weir_api;
