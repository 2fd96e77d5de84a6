// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.quota;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;

/** How much of each resource a project may have, and has. */
public final class ProjectQuotas {
    private final JdbcClient jdbc;

    public ProjectQuotas(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    public enum Resource {
        LOAD_BALANCERS("load_balancers t where t.deleted_at is null and"),
        LISTENERS("listeners t where"),
        POOLS("pools t where"),
        MEMBERS("members t where"),
        VIPS("vips t where"),
        PREFIX_LISTS("prefix_lists t where t.deleted_at is null and");

        private final String counted;

        Resource(String counted) {
            this.counted = counted;
        }

        public String column() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public record Quota(int limit, long used) {}

    /** Until the transaction ends nobody else adds to what the project has. The last lock that a writer takes. */
    public void lock(UUID projectId) {
        jdbc.sql("update project_quotas set counted_at = clock_timestamp() where project_id = ?")
                .param(projectId)
                .update();
    }

    /** Empty if there is no such project for the caller. */
    public Optional<Map<Resource, Quota>> find(UUID projectId) {
        String columns = Arrays.stream(Resource.values())
                .map(resource -> "q.%s as %s_limit, (select count(*) from %s t.project_id = q.project_id) as %s_used"
                        .formatted(resource.column(), resource.column(), resource.counted, resource.column()))
                .collect(Collectors.joining(", "));
        return jdbc.sql("select " + columns + " from project_quotas q where q.project_id = ?")
                .param(projectId)
                .query((row, n) -> {
                    Map<Resource, Quota> quotas = new EnumMap<>(Resource.class);
                    for (Resource resource : Resource.values()) {
                        quotas.put(
                                resource,
                                new Quota(
                                        row.getInt(resource.column() + "_limit"),
                                        row.getLong(resource.column() + "_used")));
                    }
                    return quotas;
                })
                .optional();
    }

    /** One resource's, at the cost of counting that one only. */
    public Quota get(UUID projectId, Resource resource) {
        return jdbc.sql("""
                        select q.%s as max, (select count(*) from %s t.project_id = q.project_id) as used
                        from project_quotas q where q.project_id = ?""".formatted(resource.column(), resource.counted))
                .param(projectId)
                .query((row, n) -> new Quota(row.getInt("max"), row.getLong("used")))
                .single();
    }

    public void set(UUID projectId, Resource resource, int limit) {
        jdbc.sql("update project_quotas set %s = ? where project_id = ?".formatted(resource.column()))
                .param(limit)
                .param(projectId)
                .update();
    }
}
