-- SPDX-License-Identifier: Apache-2.0
-- Load balancers that a node has not passed as far as their partition: flows that lost their listener, their VIP or the
-- load balancer itself go on there until they end or the deadline purges them.
create table node_drains (
    project_id uuid not null,
    load_balancer_id uuid not null,
    node_id uuid not null,
    -- Of this load balancer only the records below this offset count as passed.
    position bigint not null,
    deadline_at timestamptz not null,
    constraint node_drain_pk primary key (project_id, load_balancer_id, node_id),
    constraint node_drain_node_fk foreign key (node_id) references nodes (id)
);
-- "What drains on this node": every watermark.
create index node_drains_node_index on node_drains (node_id);
alter table node_drains enable row level security;
alter table node_drains force row level security;
create policy node_drains_owner on node_drains to weir_owner using (true) with check (true);
create policy node_drains_operator on node_drains for select to weir_operator using (true);
create policy node_drains_provisioner on node_drains to weir_provisioner using (true) with check (true);
create policy node_drains_tenant on node_drains for select to weir_api
    using (project_id = current_project_id());
grant select, insert, update, delete on node_drains to weir_provisioner;
grant select on node_drains to weir_api, weir_operator;

create policy node_drains_leases on node_drains for select to weir_leases using (true);
grant select on node_drains to weir_leases;

-- Whether no node can announce the address any more: each has passed the record that took it from its load balancer and
-- did not refuse it, and no flows drain there, or it was removed, or fenced by an operator.
create or replace function address_passed(of_address inet) returns boolean
    language sql stable set search_path = public, pg_temp
as $$
    select not exists (
        select from vip_removals m
        where m.address = of_address
            -- Without any record it was never published, or its deletion has been passed by all.
            and exists (
                select from published_records r
                where r.project_id = m.project_id and r.load_balancer_id = m.load_balancer_id)
            and (
                not exists (
                    select from published_records r
                    where r.project_id = m.project_id and r.load_balancer_id = m.load_balancer_id
                        and r.generation >= m.generation and r.log_offset is not null
                        and not exists (
                            select from nodes n
                            left join node_watermarks w on w.node_id = n.id and w.partition = r.partition
                            where n.deleted_at is null and n.fenced_at is null
                                and (w.position is null or w.position <= r.log_offset or w.epoch < r.epoch)))
                or exists (
                    select from node_rejections x
                    join nodes n on n.id = x.node_id
                    where x.project_id = m.project_id and x.load_balancer_id = m.load_balancer_id
                        and x.running_generation between 1 and m.generation - 1
                        and n.deleted_at is null and n.fenced_at is null)
                or exists (
                    select from node_drains d
                    join nodes n on n.id = d.node_id
                    where d.project_id = m.project_id and d.load_balancer_id = m.load_balancer_id
                        and n.deleted_at is null and n.fenced_at is null)));
$$;
