-- SPDX-License-Identifier: Apache-2.0
-- What release 0.1.0 had stored after a load balancer was created, one of its members was given weight 0, and a VIP was
-- attached: its rows as they stood, in the shape of its schema.
insert into tenants select * from json_populate_record(null::tenants, '{
    "id": "01a20ae8-c1ff-7000-8729-0d9dbee38d56", "name": "acme", "display_name": "Acme",
    "organization_id": "492093db-9a28-4b7f-a81e-2458b0d7813d", "state": "active",
    "created_at": "2026-11-24T00:15:55.904423+00:00", "updated_at": "2026-11-24T00:15:55.904423+00:00"}');
insert into projects select * from json_populate_record(null::projects, '{
    "id": "01a20ae8-c7d7-7000-8e75-e7eb5fa59a79", "tenant_id": "01a20ae8-c1ff-7000-8729-0d9dbee38d56", "name": "shop",
    "display_name": "Shop", "member_cidrs": ["10.0.0.0/8"],
    "created_at": "2026-11-24T00:15:57.399655+00:00", "updated_at": "2026-11-24T00:15:57.387641+00:00"}');
update project_quotas set load_balancers = 7 where project_id = '01a20ae8-c7d7-7000-8e75-e7eb5fa59a79';
insert into service_accounts select * from json_populate_record(null::service_accounts, '{
    "project_id": "01a20ae8-c7d7-7000-8e75-e7eb5fa59a79", "id": "01a20ae8-c891-7000-8e4e-e6643f95a2c3",
    "name": "robot", "role": "admin", "client_id": "sa_01a20ae8c89170008e4ee6643f95a2c3",
    "subject": "52ce0432-39a8-4ba5-bed9-251f0f93e369", "created_at": "2026-11-24T00:15:57.585308+00:00",
    "state": "active"}');
insert into role_grants select * from json_populate_record(null::role_grants, '{
    "project_id": "01a20ae8-c7d7-7000-8e75-e7eb5fa59a79", "id": "01a20ae8-d2e3-7000-ac83-5d83504aed5d",
    "subject": "52ce0432-39a8-4ba5-bed9-251f0f93e369", "username": "sa_01a20ae8c89170008e4ee6643f95a2c3",
    "role": "admin", "service_account_id": "01a20ae8-c891-7000-8e4e-e6643f95a2c3",
    "created_at": "2026-11-24T00:16:00.22773+00:00"}');
insert into address_pools select * from json_populate_record(null::address_pools, '{
    "id": "01a20ae8-c600-7000-8729-0d9dbee38d56", "name": "edge", "labels": {}, "version": 1,
    "created_at": "2026-11-24T00:15:56+00:00"}');
insert into address_pool_prefixes values ('01a20ae8-c600-7000-8729-0d9dbee38d56', '203.0.113.0/24');
insert into load_balancers select * from json_populate_record(null::load_balancers, '{
    "project_id": "01a20ae8-c7d7-7000-8e75-e7eb5fa59a79", "id": "01a20ae8-da63-7000-b26a-d3d04d451a82",
    "name": "web", "description": null, "labels": {"env": "production"}, "enabled": true,
    "placement": {"kind": "all", "labels": {}, "pop_ids": []}, "generation": 3,
    "revision_id": "01a20ae8-de1f-7000-bb54-c4ed7713c998", "created_at": "2026-11-24T00:16:03.103193+00:00",
    "updated_at": "2026-11-24T00:16:42.866691+00:00", "deleted_at": null, "delete_protection": false,
    "deleted_vip_ids": []}');
insert into pools select * from json_populate_record(null::pools, '{
    "project_id": "01a20ae8-c7d7-7000-8e75-e7eb5fa59a79", "id": "01a20ae8-da65-7000-adfe-88699a939b68",
    "load_balancer_id": "01a20ae8-da63-7000-b26a-d3d04d451a82", "name": "web", "algorithm": "maglev",
    "forwarding_mode": "snat", "drain_timeout_s": 300, "slow_start_s": 0, "when_all_unhealthy": "open",
    "on_unhealthy": "keep", "minimum_healthy": 1, "proxy_protocol_v2": false, "flow_sync": false,
    "tunnel_encapsulation": null, "tunnel_port": null}');
insert into members select * from json_populate_record(null::members, '{
    "project_id": "01a20ae8-c7d7-7000-8e75-e7eb5fa59a79", "id": "01a20ae8-da66-7000-91d0-b24e431c9e7c",
    "pool_id": "01a20ae8-da65-7000-adfe-88699a939b68", "name": "one", "address": "10.0.0.1", "port_kind": "keep",
    "port_value": 0, "weight": 0, "enabled": true, "priority": 0, "pop_ids": []}');
insert into listeners select * from json_populate_record(null::listeners, '{
    "project_id": "01a20ae8-c7d7-7000-8e75-e7eb5fa59a79", "id": "01a20ae8-da7a-7000-9089-302480255aff",
    "load_balancer_id": "01a20ae8-da63-7000-b26a-d3d04d451a82", "pool_id": "01a20ae8-da65-7000-adfe-88699a939b68",
    "name": "http", "protocol": "tcp", "port_ranges": "{[80,81)}", "flow_tracking": "stateful",
    "idle_timeout_s": 3600, "enabled": true, "source_persistence": null, "allowed_cidrs": [], "denied_cidrs": [],
    "limits": null, "reset_on_idle_timeout": false}');
insert into revisions select * from json_populate_record(null::revisions, '{
    "project_id": "01a20ae8-c7d7-7000-8e75-e7eb5fa59a79", "id": "01a20ae8-de1f-7000-bb54-c4ed7713c998",
    "load_balancer_id": "01a20ae8-da63-7000-b26a-d3d04d451a82", "generation": 2, "tree": {
        "name": "web", "labels": {"env": "production"}, "enabled": true,
        "tenant_id": "01a20ae8-c1ff-7000-8729-0d9dbee38d56", "project_id": "01a20ae8-c7d7-7000-8e75-e7eb5fa59a79",
        "load_balancer_id": "01a20ae8-da63-7000-b26a-d3d04d451a82",
        "placement": {"kind": "all", "labels": {}, "pop_ids": []},
        "pools": [{"id": "01a20ae8-da65-7000-adfe-88699a939b68", "name": "web", "members": [
            {"id": "01a20ae8-da66-7000-91d0-b24e431c9e7c", "name": "one", "port": {"kind": "keep", "value": 0},
                "weight": 0, "address": "10.0.0.1", "enabled": true, "pop_ids": [], "priority": 0}],
            "algorithm": "maglev", "flow_sync": false, "on_unhealthy": "keep", "slow_start_s": 0,
            "drain_timeout_s": 300, "forwarding_mode": "snat", "minimum_healthy": 1, "proxy_protocol_v2": false,
            "when_all_unhealthy": "open"}],
        "listeners": [{"id": "01a20ae8-da7a-7000-9089-302480255aff", "name": "http", "enabled": true,
            "pool_id": "01a20ae8-da65-7000-adfe-88699a939b68", "protocol": "tcp",
            "port_ranges": [{"last": 80, "first": 80}], "denied_cidrs": [], "allowed_cidrs": [],
            "flow_tracking": "stateful", "idle_timeout_s": 3600, "reset_on_idle_timeout": false,
            "denied_prefix_list_ids": [], "allowed_prefix_list_ids": []}]},
    "author": "52ce0432-39a8-4ba5-bed9-251f0f93e369", "author_name": "sa_01a20ae8c89170008e4ee6643f95a2c3",
    "source": "api", "summary": "weight of member one",
    "traceparent": "00-f247654bac9e7ebdc37494f3c48afdb9-b1da486dd7b67381-01",
    "created_at": "2026-11-24T00:16:42.866691+00:00"}');
insert into vips select * from json_populate_record(null::vips, '{
    "project_id": "01a20ae8-c7d7-7000-8e75-e7eb5fa59a79", "id": "01a20ae8-df00-7000-b26a-d3d04d451a82",
    "name": "www", "address": "203.0.113.10", "address_pool_id": "01a20ae8-c600-7000-8729-0d9dbee38d56",
    "version": 1, "created_at": "2026-11-24T00:16:43+00:00", "updated_at": "2026-11-24T00:16:43+00:00",
    "delete_protection": true}');
insert into vip_attachments select * from json_populate_record(null::vip_attachments, '{
    "project_id": "01a20ae8-c7d7-7000-8e75-e7eb5fa59a79", "vip_id": "01a20ae8-df00-7000-b26a-d3d04d451a82",
    "load_balancer_id": "01a20ae8-da63-7000-b26a-d3d04d451a82", "claim_sequence": 1,
    "attached_at": "2026-11-24T00:16:44+00:00"}');
