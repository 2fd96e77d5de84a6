-- SPDX-License-Identifier: Apache-2.0
-- What the provisioner has published, and which of its instances may publish and follow which partition.

-- One row. An operator raises it after a restore from backup; everything is then published again under the new epoch,
-- which outranks every sequence that nodes have seen.
create table config_epoch (
    only_row boolean not null default true,
    epoch bigint not null,
    constraint config_epoch_pk primary key (only_row),
    constraint config_epoch_only_row_check check (only_row),
    constraint config_epoch_check check (epoch > 0)
);
insert into config_epoch (epoch) values (1);
grant select on config_epoch to weir_api, weir_provisioner;
grant select, update on config_epoch to weir_operator;

-- The last sequence taken for each key of weir.config.v1 and weir.pops.v1, keys spelt as in the topic. A sequence is
-- taken before its record is sent and never given back.
create table config_sequences (
    key text not null,
    sequence bigint not null,
    constraint config_sequence_pk primary key (key)
);
grant select, insert, update on config_sequences to weir_provisioner;

-- Instances of the provisioner; one that has not been seen for a lease's time is dead, and others take its leases.
create table provisioner_instances (
    id uuid not null,
    name text not null,
    seen_at timestamptz not null,
    constraint provisioner_instance_pk primary key (id)
);
grant select, insert, update, delete on provisioner_instances to weir_provisioner;
grant select on provisioner_instances to weir_operator;

-- Who works on a topic's partition. Times are this server's alone, so instances need no common clock.
create table partition_leases (
    topic text not null,
    partition integer not null,
    -- An instance; null: free.
    holder uuid,
    -- Raised with every new holder.
    lease_epoch bigint not null default 0,
    expires_at timestamptz,
    constraint partition_lease_pk primary key (topic, partition)
);
grant select, insert, update on partition_leases to weir_provisioner;
grant select on partition_leases to weir_operator;

-- Where following a topic goes on; written with what the records led to.
create table consumer_offsets (
    topic text not null,
    partition integer not null,
    -- Kafka's id of the topic; a topic made anew is read from its start.
    topic_id text not null,
    next_offset bigint not null,
    constraint consumer_offset_pk primary key (topic, partition)
);
grant select, insert, update on consumer_offsets to weir_provisioner;

-- A load balancer's records, the newest and those that some node may still run.
create table published_records (
    project_id uuid not null,
    load_balancer_id uuid not null,
    epoch bigint not null,
    sequence bigint not null,
    partition integer not null,
    -- Null: sent or about to be, not seen in the log yet, or lost with the topic.
    log_offset bigint,
    kind text not null,
    generation bigint not null,
    -- PoPs that the generation is placed on.
    pop_ids uuid[] not null,
    -- Of the compiled configuration; a record that would equal its predecessor is not published.
    config_sha256 bytea not null,
    -- {"<pool id>": slots}; a pool keeps its table's size while it fits.
    maglev_table_sizes jsonb not null default '{}',
    committed_at timestamptz not null,
    published_at timestamptz,
    constraint published_record_pk primary key (project_id, load_balancer_id, epoch, sequence),
    constraint published_record_kind_check check (kind in ('config', 'deleted')),
    constraint published_record_partition_check check (partition between 0 and 15)
);
-- "Which load balancers have records between two positions": every watermark.
create index published_records_offset_index on published_records (partition, log_offset);
alter table published_records enable row level security;
alter table published_records force row level security;
create policy published_records_owner on published_records to weir_owner using (true) with check (true);
create policy published_records_operator on published_records for select to weir_operator using (true);
create policy published_records_provisioner on published_records to weir_provisioner using (true) with check (true);
create policy published_records_tenant on published_records for select to weir_api
    using (project_id = current_project_id());
grant select, insert, update, delete on published_records to weir_provisioner;
grant select on published_records to weir_api, weir_operator;

-- The newest record of each PoP and node in weir.pops.v1.
create table published_pops (
    key uuid not null,
    kind text not null,
    epoch bigint not null,
    sequence bigint not null,
    log_offset bigint,
    generation bigint not null,
    content_sha256 bytea not null,
    published_at timestamptz,
    constraint published_pop_pk primary key (key),
    constraint published_pop_kind_check check (kind in ('pop', 'node', 'deleted'))
);
grant select, insert, update, delete on published_pops to weir_provisioner;
grant select on published_pops to weir_operator;
