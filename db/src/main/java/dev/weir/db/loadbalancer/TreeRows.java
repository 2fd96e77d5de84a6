// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.loadbalancer;

import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.HealthMonitorSpec;
import dev.weir.compiler.LoadBalancerTree.ListenerSpec;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.jdbc.core.JdbcTemplate;
import tools.jackson.databind.json.JsonMapper;

/**
 * The rows of a tree's listeners, pools, members and monitors. They repeat what the newest revision says, so that
 * queries and constraints can go by it; a write replaces those of one load balancer.
 */
public final class TreeRows {
    private static final JsonMapper JSON = JsonMapper.shared();

    private final JdbcTemplate jdbc;

    public TreeRows(JdbcTemplate jdbc) {
        this.jdbc = jdbc;
    }

    public void replace(LoadBalancerTree tree) {
        delete(tree.projectId(), tree.loadBalancerId());
        insertPools(tree);
        insertListeners(tree);
        insertPrefixLists(tree);
    }

    public void delete(UUID projectId, UUID loadBalancerId) {
        // Members and monitors go with their pools.
        jdbc.update("delete from listeners where project_id = ? and load_balancer_id = ?", projectId, loadBalancerId);
        jdbc.update("delete from pools where project_id = ? and load_balancer_id = ?", projectId, loadBalancerId);
    }

    private void insertPools(LoadBalancerTree tree) {
        List<Object[]> pools = new ArrayList<>();
        List<Object[]> monitors = new ArrayList<>();
        List<Object[]> members = new ArrayList<>();
        for (PoolSpec pool : tree.pools()) {
            pools.add(new Object[] {
                tree.projectId(),
                pool.id(),
                tree.loadBalancerId(),
                pool.name(),
                text(pool.algorithm()),
                text(pool.forwardingMode()),
                pool.drainTimeoutS(),
                pool.slowStartS(),
                text(pool.whenAllUnhealthy()),
                text(pool.onUnhealthy()),
                pool.minimumHealthy(),
                pool.proxyProtocolV2(),
                pool.flowSync(),
                pool.tunnelEncapsulation() == null ? null : text(pool.tunnelEncapsulation()),
                pool.tunnelPort()
            });
            HealthMonitorSpec monitor = pool.healthMonitor();
            if (monitor != null) {
                monitors.add(new Object[] {
                    tree.projectId(),
                    monitor.id(),
                    pool.id(),
                    text(monitor.type()),
                    monitor.intervalMs(),
                    monitor.timeoutMs(),
                    monitor.rise(),
                    monitor.fall(),
                    monitor.port(),
                    monitor.udpSend(),
                    monitor.udpExpect()
                });
            }
            for (MemberSpec member : pool.members()) {
                members.add(new Object[] {
                    tree.projectId(),
                    member.id(),
                    pool.id(),
                    member.name(),
                    member.address(),
                    text(member.port().kind()),
                    member.port().value(),
                    member.weight(),
                    member.enabled(),
                    member.priority(),
                    ids(member.popIds())
                });
            }
        }
        jdbc.batchUpdate("""
                insert into pools (project_id, id, load_balancer_id, name, algorithm, forwarding_mode, drain_timeout_s,
                    slow_start_s, when_all_unhealthy, on_unhealthy, minimum_healthy, proxy_protocol_v2, flow_sync,
                    tunnel_encapsulation, tunnel_port)
                values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::text, ?::integer)""", pools);
        jdbc.batchUpdate("""
                insert into health_monitors (project_id, id, pool_id, type, interval_ms, timeout_ms, rise, fall, port,
                    udp_send, udp_expect)
                values (?, ?, ?, ?, ?, ?, ?, ?, ?, decode(?, 'base64'), decode(?, 'base64'))""", monitors, new int[] {
            Types.OTHER,
            Types.OTHER,
            Types.OTHER,
            Types.VARCHAR,
            Types.INTEGER,
            Types.INTEGER,
            Types.INTEGER,
            Types.INTEGER,
            Types.INTEGER,
            Types.VARCHAR,
            Types.VARCHAR
        });
        jdbc.batchUpdate("""
                insert into members (project_id, id, pool_id, name, address, port_kind, port_value, weight, enabled,
                    priority, pop_ids)
                values (?, ?, ?, ?, ?::inet, ?, ?, ?, ?, ?, ?::uuid[])""", members);
    }

    private void insertListeners(LoadBalancerTree tree) {
        List<Object[]> listeners = new ArrayList<>();
        for (ListenerSpec listener : tree.listeners()) {
            listeners.add(new Object[] {
                tree.projectId(),
                listener.id(),
                tree.loadBalancerId(),
                listener.poolId(),
                listener.name(),
                text(listener.protocol()),
                listener.portRanges().stream()
                        .map(range -> "[%d,%d]".formatted(range.first(), range.last()))
                        .collect(Collectors.joining(",", "{", "}")),
                text(listener.flowTracking()),
                listener.idleTimeoutS(),
                listener.enabled(),
                listener.sourcePersistence() == null ? null : JSON.writeValueAsString(listener.sourcePersistence()),
                String.join(",", listener.allowedCidrs()),
                String.join(",", listener.deniedCidrs()),
                listener.limits() == null ? null : JSON.writeValueAsString(listener.limits()),
                listener.resetOnIdleTimeout()
            });
        }
        jdbc.batchUpdate("""
                insert into listeners (project_id, id, load_balancer_id, pool_id, name, protocol, port_ranges,
                    flow_tracking, idle_timeout_s, enabled, source_persistence, allowed_cidrs, denied_cidrs,
                    limits, reset_on_idle_timeout)
                values (?, ?, ?, ?, ?, ?, ?::int4multirange, ?, ?, ?, ?::jsonb,
                    string_to_array(?, ',')::cidr[], string_to_array(?, ',')::cidr[], ?::jsonb, ?)""", listeners, new int[] {
            Types.OTHER,
            Types.OTHER,
            Types.OTHER,
            Types.OTHER,
            Types.VARCHAR,
            Types.VARCHAR,
            Types.VARCHAR,
            Types.VARCHAR,
            Types.INTEGER,
            Types.BOOLEAN,
            Types.VARCHAR,
            Types.VARCHAR,
            Types.VARCHAR,
            Types.VARCHAR,
            Types.BOOLEAN
        });
    }

    private static String ids(List<UUID> ids) {
        return ids.stream().map(UUID::toString).collect(Collectors.joining(",", "{", "}"));
    }

    private void insertPrefixLists(LoadBalancerTree tree) {
        List<Object[]> uses = new ArrayList<>();
        for (ListenerSpec listener : tree.listeners()) {
            Stream.concat(listener.allowedPrefixListIds().stream(), listener.deniedPrefixListIds().stream())
                    .distinct()
                    .forEach(list -> uses.add(new Object[] {tree.projectId(), listener.id(), list}));
        }
        jdbc.batchUpdate(
                "insert into listener_prefix_lists (project_id, listener_id, prefix_list_id) values (?, ?, ?)", uses);
    }

    private static String text(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
