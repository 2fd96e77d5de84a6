-- SPDX-License-Identifier: Apache-2.0
-- Two reservations of one project may go for the same address at once: lease_address() settles that by the key over
-- the address, and the one that comes second must not fail on another key before.

alter table address_leases
    drop constraint address_lease_pk,
    drop constraint address_lease_address_key,
    add constraint address_lease_pk primary key (address);
create index address_leases_project_index on address_leases (project_id);
