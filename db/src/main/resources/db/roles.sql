-- SPDX-License-Identifier: Apache-2.0
-- Roles of the database "weir"; run by a superuser, any number of times, before the first migration. Whoever runs it
-- puts the roles' passwords in place of the ${…_password} below, with single quotes doubled. The database itself
-- belongs to weir_owner: create database weir owner weir_owner.
do $$
declare
    role_name text;
begin
    foreach role_name in array array['weir_owner', 'weir_api', 'weir_operator', 'weir_provisioner', 'weir_leases'] loop
        if not exists (select from pg_roles where rolname = role_name) then
            execute format('create role %I', role_name);
        end if;
        -- Nobody but a superuser may pass row-level security.
        execute format('alter role %I nosuperuser nobypassrls nocreatedb nocreaterole', role_name);
    end loop;
end
$$;

alter role weir_owner login password '${weir_owner_password}';
alter role weir_api login password '${weir_api_password}';
alter role weir_operator login password '${weir_operator_password}';
alter role weir_provisioner login password '${weir_provisioner_password}';

-- Migrations hand the functions that lease addresses over to weir_leases.
grant weir_leases to weir_owner;
