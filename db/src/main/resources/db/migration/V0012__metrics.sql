-- SPDX-License-Identifier: Apache-2.0
-- What nodes see of members, and the counters that they send.

create table member_status (
    project_id uuid not null,
    load_balancer_id uuid not null,
    pool_id uuid not null,
    member_id uuid not null,
    pop_id uuid not null,
    node_id uuid not null,
    operating_status text not null,
    -- Lower snake case: connected, refused, timeout, unreachable; empty before the first probe.
    reason text not null,
    last_probe_at timestamptz,
    rtt_us bigint not null,
    since timestamptz,
    active_flows bigint not null,
    drain_deadline timestamptz,
    -- Of the configuration that the node runs.
    generation bigint not null,
    reported_at timestamptz not null,
    constraint member_status_pk primary key (project_id, load_balancer_id, member_id, node_id),
    constraint member_status_operating_status_check check (operating_status in
        ('unknown', 'healthy', 'unhealthy', 'unmonitored', 'draining', 'disabled')),
    constraint member_status_node_fk foreign key (node_id) references nodes (id)
);
alter table member_status enable row level security;
alter table member_status force row level security;
create policy member_status_owner on member_status to weir_owner using (true) with check (true);
create policy member_status_operator on member_status for select to weir_operator using (true);
create policy member_status_provisioner on member_status to weir_provisioner using (true) with check (true);
create policy member_status_tenant on member_status for select to weir_api
    using (project_id = current_project_id());
grant select, insert, update, delete on member_status to weir_provisioner;
grant select on member_status to weir_api, weir_operator;

-- The last report of a node's counters that was applied; advanced with the rows that it led to.
create table metrics_cursors (
    node_id uuid not null,
    counter_epoch numeric(20) not null,
    sequence bigint not null,
    updated_at timestamptz not null default now(),
    constraint metrics_cursor_pk primary key (node_id, counter_epoch),
    constraint metrics_cursor_node_fk foreign key (node_id) references nodes (id)
);
grant select, insert, update, delete on metrics_cursors to weir_provisioner;

-- Sums over the nodes of a PoP, of the 10 seconds that begin at bucket. Only what was not zero.
create table metrics_10s (
    project_id uuid not null,
    load_balancer_id uuid not null,
    bucket timestamptz not null,
    pop_id uuid not null,
    listener_id uuid not null,
    member_id uuid not null,
    -- Client to member.
    in_packets bigint not null default 0,
    in_bytes bigint not null default 0,
    -- Member to client, where it passes the engine.
    out_packets bigint not null default 0,
    out_bytes bigint not null default 0,
    new_flows bigint not null default 0,
    ended_fin bigint not null default 0,
    ended_rst bigint not null default 0,
    ended_timeout bigint not null default 0,
    ended_evicted bigint not null default 0,
    -- Active flows times the seconds they were counted for: adds up over nodes and reports. By 10: the mean of the bucket.
    active_flow_seconds double precision not null default 0,
    constraint metrics_10s_pk primary key (project_id, load_balancer_id, bucket, pop_id, listener_id, member_id)
) partition by range (bucket);
alter table metrics_10s enable row level security;
alter table metrics_10s force row level security;
create policy metrics_10s_owner on metrics_10s to weir_owner using (true) with check (true);
create policy metrics_10s_operator on metrics_10s for select to weir_operator using (true);
create policy metrics_10s_provisioner on metrics_10s to weir_provisioner using (true) with check (true);
create policy metrics_10s_tenant on metrics_10s for select to weir_api using (project_id = current_project_id());
grant select, insert, update on metrics_10s to weir_provisioner;
grant select on metrics_10s to weir_api, weir_operator;

-- Packets of a load balancer that were dropped, by reason.
create table drops_10s (
    project_id uuid not null,
    load_balancer_id uuid not null,
    bucket timestamptz not null,
    pop_id uuid not null,
    -- Lower snake case, such as no_flow.
    reason text not null,
    packets bigint not null default 0,
    constraint drops_10s_pk primary key (project_id, load_balancer_id, bucket, pop_id, reason)
) partition by range (bucket);
alter table drops_10s enable row level security;
alter table drops_10s force row level security;
create policy drops_10s_owner on drops_10s to weir_owner using (true) with check (true);
create policy drops_10s_operator on drops_10s for select to weir_operator using (true);
create policy drops_10s_provisioner on drops_10s to weir_provisioner using (true) with check (true);
create policy drops_10s_tenant on drops_10s for select to weir_api using (project_id = current_project_id());
grant select, insert, update on drops_10s to weir_provisioner;
grant select on drops_10s to weir_api, weir_operator;

-- Packets dropped by a node that belong to no load balancer: the operators' alone.
create table node_drops_10s (
    node_id uuid not null,
    bucket timestamptz not null,
    reason text not null,
    packets bigint not null default 0,
    constraint node_drops_10s_pk primary key (node_id, bucket, reason)
) partition by range (bucket);
grant select, insert, update on node_drops_10s to weir_provisioner;
grant select on node_drops_10s to weir_operator;

-- Makes the hourly partitions from the hour before now to two hours ahead, and drops those older than `keep`. Partitions
-- are reached through their parents only: none of them grants anything.
create function maintain_metrics_partitions(keep interval) returns void
    language plpgsql security definer set search_path = public, pg_temp
as $$
declare
    parent text;
    hour timestamptz;
    old record;
begin
    -- One at a time; a second caller finds the work done.
    perform pg_advisory_xact_lock(hashtext('maintain_metrics_partitions'));
    foreach parent in array array['metrics_10s', 'drops_10s', 'node_drops_10s'] loop
        for old in
            select c.relname
            from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = parent::regclass
                -- Names end in the UTC hour and so sort by time.
                and right(c.relname, 10) < to_char((now() - keep - interval '1 hour') at time zone 'UTC', 'YYYYMMDDHH24')
        loop
            execute format('drop table %I', old.relname);
        end loop;
        for hour in
            select generate_series(date_trunc('hour', now()) - interval '1 hour',
                date_trunc('hour', now()) + interval '2 hours', interval '1 hour')
        loop
            if to_regclass(format('%I', parent || '_' || to_char(hour at time zone 'UTC', 'YYYYMMDDHH24'))) is null then
                execute format('create table %I partition of %I for values from (%L) to (%L)',
                    parent || '_' || to_char(hour at time zone 'UTC', 'YYYYMMDDHH24'), parent,
                    hour, hour + interval '1 hour');
                execute format('alter table %I enable row level security',
                    parent || '_' || to_char(hour at time zone 'UTC', 'YYYYMMDDHH24'));
                execute format('alter table %I force row level security',
                    parent || '_' || to_char(hour at time zone 'UTC', 'YYYYMMDDHH24'));
            end if;
        end loop;
    end loop;
end
$$;
revoke execute on function maintain_metrics_partitions(interval) from public;
grant execute on function maintain_metrics_partitions(interval) to weir_provisioner;
select maintain_metrics_partitions(interval '24 hours');
