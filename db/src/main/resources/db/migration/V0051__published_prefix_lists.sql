-- SPDX-License-Identifier: Apache-2.0
-- The newest record of each prefix list in weir.config.v1.

create table published_prefix_lists (
    key uuid not null,
    partition integer not null,
    epoch bigint not null,
    sequence bigint not null,
    -- Null: sent or about to be, not seen in the log yet, or lost with the topic.
    log_offset bigint,
    deleted boolean not null,
    generation bigint not null,
    published_at timestamptz,
    constraint published_prefix_list_pk primary key (key),
    constraint published_prefix_list_partition_check check (partition between 0 and 15)
);
-- "What the log of a partition must hold": each time a publisher takes it over, and to find deletions that all passed.
create index published_prefix_lists_partition_index on published_prefix_lists (partition);
grant select, insert, update, delete on published_prefix_lists to weir_provisioner;
grant select on published_prefix_lists to weir_operator;
