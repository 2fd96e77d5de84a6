// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner;

import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.AlgorithmKind;
import dev.weir.compiler.LoadBalancerTree.FlowTrackingKind;
import dev.weir.compiler.LoadBalancerTree.ForwardingModeKind;
import dev.weir.compiler.LoadBalancerTree.ListenerSpec;
import dev.weir.compiler.LoadBalancerTree.MemberPortKind;
import dev.weir.compiler.LoadBalancerTree.MemberPortSpec;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.OnUnhealthyKind;
import dev.weir.compiler.LoadBalancerTree.PlacementKind;
import dev.weir.compiler.LoadBalancerTree.PlacementSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.LoadBalancerTree.PortRangeSpec;
import dev.weir.compiler.LoadBalancerTree.TransportProtocol;
import dev.weir.compiler.LoadBalancerTree.WhenAllUnhealthyKind;
import dev.weir.testbed.servers.KafkaServer;
import dev.weir.testbed.servers.PostgresServer;
import dev.weir.testbed.servers.TestServers;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.json.JsonMapper;

/** A tenant's project and a fleet in a real database, written as the api would: rows, revision and outbox together. */
final class World {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    final PostgresServer postgres = TestServers.postgres();
    final KafkaServer kafka = TestServers.kafka();
    final JdbcClient jdbc;
    final UUID tenant;
    final UUID project;

    private final TransactionTemplate transactions;
    private final JsonMapper json = JsonMapper.builder().build();
    private final int number = NUMBER.incrementAndGet();
    private int made;

    World() {
        DriverManagerDataSource owner =
                new DriverManagerDataSource(postgres.jdbcUrl(), "weir_owner", postgres.password("weir_owner"));
        Flyway.configure()
                .dataSource(owner)
                .locations("classpath:db/migration")
                .load()
                .migrate();
        jdbc = JdbcClient.create(owner);
        transactions = new TransactionTemplate(new JdbcTransactionManager(owner));
        tenant = insert(
                "insert into tenants (name, display_name, organization_id) values (?, 'T', uuidv7()) returning id",
                "tenant-" + number);
        project = insert(
                "insert into projects (tenant_id, name, display_name) values (?, 'p', 'P') returning id", tenant);
    }

    private UUID insert(String sql, Object... params) {
        return jdbc.sql(sql).params(params).query(UUID.class).single();
    }

    UUID pop(Map<String, String> labels) {
        return transactions.execute(status -> {
            UUID id = insert(
                    "insert into pops (name, labels) values (?, ?::jsonb) returning id",
                    "pop-%d-%d".formatted(number, ++made),
                    json.writeValueAsString(labels));
            announce("pop", id, null, 1);
            return id;
        });
    }

    void relabel(UUID pop, Map<String, String> labels) {
        transactions.executeWithoutResult(status -> {
            jdbc.sql("update pops set labels = ?::jsonb, generation = generation + 1 where id = ?")
                    .params(json.writeValueAsString(labels), pop)
                    .update();
            announce("pop", pop, null, 2);
        });
    }

    UUID node(UUID pop) {
        return transactions.execute(status -> {
            int n = ++made;
            UUID id = insert("""
                    insert into nodes (pop_id, name, data_address, data_prefix_length, routes, bgp_local_asn,
                        bgp_router_id, bgp_peers)
                    values (?, ?, ?::inet, 24, '[{"prefix": "10.1.20.0/24", "next_hop": "10.1.0.2"}]', 64511, '10.1.1.11',
                        '[{"name": "router", "address": "10.1.1.1", "asn": 64500, "role": "upstream"}]') returning id
                    """, pop, "node-%d-%d".formatted(number, n), "10.1.%d.%d".formatted(number, n));
            jdbc.sql("insert into node_snat_ranges (node_id, range) values (?, ?::cidr)")
                    .params(id, "10.%d.%d.0/28".formatted(100 + number, n))
                    .update();
            announce("node", id, null, 1);
            return id;
        });
    }

    void remove(UUID node) {
        transactions.executeWithoutResult(status -> {
            jdbc.sql("update nodes set deleted_at = now() where id = ?")
                    .param(node)
                    .update();
            announce("node", node, null, 2);
        });
    }

    /** A load balancer with a UDP listener and an snat pool of so many members. */
    UUID loadBalancer(PlacementSpec placement, int members) {
        return transactions.execute(status -> {
            UUID id = insert("select uuidv7()");
            UUID revision = insert("select uuidv7()");
            jdbc.sql(
                            "insert into load_balancers (project_id, id, name, placement, revision_id) values (?, ?, ?, '{}', ?)")
                    .params(project, id, "lb-" + ++made, revision)
                    .update();
            revise(id, revision, 1, tree(id, placement, members));
            announce("load_balancer", id, project, 1);
            return id;
        });
    }

    /** A load balancer whose newest revision is not a tree. */
    UUID brokenLoadBalancer() {
        return transactions.execute(status -> {
            UUID id = insert("select uuidv7()");
            UUID revision = insert("select uuidv7()");
            jdbc.sql(
                            "insert into load_balancers (project_id, id, name, placement, revision_id) values (?, ?, ?, '{}', ?)")
                    .params(project, id, "lb-" + ++made, revision)
                    .update();
            jdbc.sql("""
                            insert into revisions (project_id, id, load_balancer_id, generation, tree, author, source,
                                summary)
                            values (?, ?, ?, 1, '{"placement": {"kind": "sideways"}}', 'test', 'test', 'broken')
                            """).params(project, revision, id).update();
            announce("load_balancer", id, project, 1);
            return id;
        });
    }

    /** @return the new generation */
    long change(UUID loadBalancer, PlacementSpec placement, int members) {
        Long generation = transactions.execute(status -> {
            UUID revision = insert("select uuidv7()");
            long next = jdbc.sql("""
                            update load_balancers
                            set generation = generation + 1, revision_id = ?, updated_at = clock_timestamp()
                            where id = ? returning generation
                            """)
                    .params(revision, loadBalancer)
                    .query(Long.class)
                    .single();
            revise(loadBalancer, revision, next, tree(loadBalancer, placement, members));
            announce("load_balancer", loadBalancer, project, next);
            return next;
        });
        return generation == null ? 0 : generation;
    }

    /** Until a time, one of its members takes no new flows and the PoP no traffic. */
    void drainAndShift(UUID loadBalancer, UUID member, UUID pop, Instant until) {
        transactions.executeWithoutResult(status -> {
            jdbc.sql("""
                            insert into overlay_entries (project_id, load_balancer_id, member_id, pop_id, ends_at)
                            values (:project, :id, :member, null, :until), (:project, :id, null, :pop, :until)
                            """)
                    .param("project", project)
                    .param("id", loadBalancer)
                    .param("member", member)
                    .param("pop", pop)
                    .param("until", until.atOffset(ZoneOffset.UTC))
                    .update();
            jdbc.sql("update load_balancers set overlay_sequence = overlay_sequence + 1 where id = ?")
                    .param(loadBalancer)
                    .update();
            announce("load_balancer", loadBalancer, project, generation(loadBalancer));
        });
    }

    /** A person's word on its staged rollout. */
    void settle(UUID loadBalancer, String state) {
        transactions.executeWithoutResult(status -> {
            jdbc.sql("update staged_rollouts set state = ?, reason = 'said so' where load_balancer_id = ?")
                    .params(state, loadBalancer)
                    .update();
            announce("load_balancer", loadBalancer, project, generation(loadBalancer));
        });
    }

    void delete(UUID loadBalancer) {
        transactions.executeWithoutResult(status -> {
            long next = jdbc.sql("""
                            update load_balancers
                            set generation = generation + 1, deleted_at = now(), updated_at = clock_timestamp()
                            where id = ? returning generation
                            """).param(loadBalancer).query(Long.class).single();
            announce("load_balancer", loadBalancer, project, next);
        });
    }

    UUID prefixList(String... cidrs) {
        return transactions.execute(status -> {
            UUID id = insert("""
                    insert into prefix_lists (project_id, name, cidrs, content_sha256)
                    values (?, ?, string_to_array(?, ',')::cidr[], sha256('')) returning id
                    """, project, "list-" + ++made, String.join(",", cidrs));
            announce("prefix_list", id, project, 1);
            return id;
        });
    }

    void deletePrefixList(UUID list) {
        transactions.executeWithoutResult(status -> {
            jdbc.sql(
                            "update prefix_lists set deleted_at = now(), cidrs = '{}', generation = generation + 1 where id = ?")
                    .param(list)
                    .update();
            announce("prefix_list", list, project, 2);
        });
    }

    private void revise(UUID loadBalancer, UUID revision, long generation, LoadBalancerTree tree) {
        jdbc.sql("""
                        insert into revisions (project_id, id, load_balancer_id, generation, tree, author, source, summary)
                        values (?, ?, ?, ?, ?::jsonb, 'test', 'test', 'changed')
                        """)
                .params(project, revision, loadBalancer, generation, json.writeValueAsString(tree))
                .update();
    }

    private void announce(String kind, UUID key, @Nullable UUID projectId, long generation) {
        jdbc.sql("insert into outbox (kind, key, project_id, generation) values (?, ?, ?::uuid, ?)")
                .param(kind)
                .param(key)
                .param(projectId == null ? null : projectId.toString())
                .param(generation)
                .update();
    }

    private LoadBalancerTree tree(UUID id, PlacementSpec placement, int members) {
        UUID pool = new UUID(id.getMostSignificantBits(), id.getLeastSignificantBits() ^ 1);
        UUID listener = new UUID(id.getMostSignificantBits(), id.getLeastSignificantBits() ^ 2);
        List<MemberSpec> specs = java.util.stream.IntStream.range(0, members)
                .mapToObj(m -> new MemberSpec(
                        new UUID(id.getMostSignificantBits(), id.getLeastSignificantBits() ^ (16 + m)),
                        "m" + m,
                        "10.1.20." + (m + 1),
                        new MemberPortSpec(MemberPortKind.KEEP, 0),
                        100,
                        true,
                        0,
                        List.of()))
                .toList();
        return new LoadBalancerTree(
                id,
                project,
                tenant,
                "web",
                null,
                Map.of(),
                true,
                placement,
                List.of(new ListenerSpec(
                        listener,
                        "udp",
                        TransportProtocol.UDP,
                        List.of(new PortRangeSpec(7000, 7000)),
                        pool,
                        FlowTrackingKind.STATEFUL,
                        30,
                        true,
                        null,
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(),
                        null,
                        false)),
                List.of(new PoolSpec(
                        pool,
                        "udp",
                        AlgorithmKind.MAGLEV,
                        ForwardingModeKind.SNAT,
                        0,
                        0,
                        WhenAllUnhealthyKind.OPEN,
                        OnUnhealthyKind.KEEP,
                        0,
                        false,
                        false,
                        null,
                        specs,
                        null,
                        null)));
    }

    static PlacementSpec named(UUID... pops) {
        return new PlacementSpec(PlacementKind.NAMED, List.of(pops), Map.of());
    }

    static PlacementSpec labelled(String key, String value) {
        return new PlacementSpec(PlacementKind.LABELS, List.of(), Map.of(key, value));
    }

    long generation(UUID loadBalancer) {
        return jdbc.sql("select generation from load_balancers where id = ?")
                .param(loadBalancer)
                .query(Long.class)
                .single();
    }

    long observedGeneration(UUID loadBalancer) {
        return jdbc.sql("select observed_generation from load_balancer_status where load_balancer_id = ?")
                .param(loadBalancer)
                .query(Long.class)
                .optional()
                .orElse(-1L);
    }

    long pendingOutbox() {
        return jdbc.sql("select count(*) from outbox where state = 'pending'")
                .query(Long.class)
                .single();
    }
}
