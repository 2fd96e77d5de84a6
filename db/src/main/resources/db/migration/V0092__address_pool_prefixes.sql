-- SPDX-License-Identifier: Apache-2.0
-- Operators take prefixes out of pools while tenants reserve addresses: what lease_address() read may be gone when it
-- leases. Whoever changes a pool's prefixes has locked the pool.

create function check_leased_prefix() returns trigger
    language plpgsql security definer set search_path = public, pg_temp
as $$
begin
    perform from address_pools where id = new.address_pool_id for key share;
    -- Looks at what is there now, not when the search for an address began.
    if not exists (
        select from address_pool_prefixes p
        where p.address_pool_id = new.address_pool_id and new.address <<= p.prefix
    ) then
        return null;
    end if;
    return new;
end
$$;
revoke execute on function check_leased_prefix() from public;
create trigger address_lease_prefix before insert on address_leases
    for each row execute function check_leased_prefix();
