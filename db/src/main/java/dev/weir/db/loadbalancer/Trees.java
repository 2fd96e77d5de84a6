// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.loadbalancer;

import dev.weir.compiler.LoadBalancerTree;
import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.json.JsonMapper;

/** Trees as revisions keep them. */
public final class Trees {
    private static final JsonMapper JSON = JsonMapper.shared();

    private final JdbcClient jdbc;

    public Trees(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    public static String write(LoadBalancerTree tree) {
        return JSON.writeValueAsString(tree);
    }

    public static String write(LoadBalancerTree.PlacementSpec placement) {
        return JSON.writeValueAsString(placement);
    }

    public static LoadBalancerTree read(String json) {
        return JSON.readValue(json, LoadBalancerTree.class);
    }

    /** The newest trees of a project's other load balancers that use dnat. */
    public List<LoadBalancerTree> othersWithDnat(UUID projectId, UUID loadBalancerId) {
        return jdbc
                .sql("""
                select r.tree::text from load_balancers l
                join revisions r on r.project_id = l.project_id and r.id = l.revision_id
                where l.project_id = :project_id and l.id <> :id and l.deleted_at is null
                    and exists (
                        select from pools p
                        where p.project_id = l.project_id and p.load_balancer_id = l.id
                            and p.forwarding_mode = 'dnat')""")
                .param("project_id", projectId)
                .param("id", loadBalancerId)
                .query(String.class)
                .list()
                .stream()
                .map(Trees::read)
                .toList();
    }
}
