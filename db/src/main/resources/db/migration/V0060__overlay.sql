-- SPDX-License-Identifier: Apache-2.0
-- Drains of members and shifts away from PoPs. They end by themselves, and raise neither generation nor revision; a
-- sequence of their own says which of them a published record holds.

-- Raised with every change of the load balancer's entries.
alter table load_balancers add column overlay_sequence bigint not null default 0;
alter table published_records add column overlay_sequence bigint not null default 0;

create table overlay_entries (
    project_id uuid not null,
    id uuid not null default uuidv7(),
    load_balancer_id uuid not null,
    -- Exactly one: the member that takes no new flows, or the PoP that takes no traffic.
    member_id uuid,
    pop_id uuid,
    ends_at timestamptz not null,
    created_at timestamptz not null default clock_timestamp(),
    constraint overlay_entry_pk primary key (project_id, id),
    constraint overlay_entry_target_check check (num_nonnulls(member_id, pop_id) = 1),
    -- Also "what is in force": status, and every publish.
    constraint overlay_entry_target_key unique nulls not distinct (project_id, load_balancer_id, member_id, pop_id),
    constraint overlay_entry_load_balancer_fk foreign key (project_id, load_balancer_id)
        references load_balancers (project_id, id) on delete cascade
);
-- "What is over": the provisioner, every few seconds.
create index overlay_entries_end_index on overlay_entries (ends_at);
alter table overlay_entries enable row level security;
alter table overlay_entries force row level security;
create policy overlay_entries_owner on overlay_entries to weir_owner using (true) with check (true);
create policy overlay_entries_operator on overlay_entries for select to weir_operator using (true);
create policy overlay_entries_provisioner_read on overlay_entries for select to weir_provisioner using (true);
create policy overlay_entries_provisioner_end on overlay_entries for delete to weir_provisioner
    using (ends_at <= clock_timestamp());
create policy overlay_entries_tenant on overlay_entries to weir_api
    using (project_id = current_project_id()) with check (project_id = current_project_id());
grant select on overlay_entries to weir_operator;
grant select, delete on overlay_entries to weir_provisioner;
grant select, insert, update, delete on overlay_entries to weir_api;
create trigger overlay_entry_audit after insert or update or delete on overlay_entries
    for each row execute function audit_row('overlay_entry', 'ovl_', '{}');

-- The end of an entry is the only thing of a load balancer that the provisioner writes.
create policy load_balancers_provisioner_overlay on load_balancers for update to weir_provisioner
    using (true) with check (true);
grant update (overlay_sequence) on load_balancers to weir_provisioner;
