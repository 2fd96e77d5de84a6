// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.Placement;
import dev.weir.compiler.PopSite;
import dev.weir.db.pop.Pop;
import dev.weir.db.pop.PopRepository;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.springframework.stereotype.Component;

/** Load balancers as other modules see them; in the caller's transaction. */
@Component
public final class LoadBalancers {
    private final LoadBalancerWrites writes;
    private final PopRepository pops;

    LoadBalancers(LoadBalancerWrites writes, PopRepository pops) {
        this.writes = writes;
        this.pops = pops;
    }

    /** @param committedAt when the generation was stored */
    public record Spec(LoadBalancerTree tree, long generation, Instant committedAt) {}

    /** @throws dev.weir.api.web.ProblemException (404) if the project has no such load balancer */
    public Spec spec(UUID projectId, UUID id) {
        return spec(writes.find(projectId, id));
    }

    /** The same, and no other call writes the load balancer until the transaction ends. */
    public Spec lock(UUID projectId, UUID id) {
        return spec(writes.lock(projectId, id));
    }

    private static Spec spec(LoadBalancerWrites.Found found) {
        return new Spec(found.tree(), found.row().generation(), found.row().updatedAt());
    }

    /** The PoPs of the placement as it means them now, by name. */
    public Map<UUID, String> placed(LoadBalancerTree tree) {
        List<Pop> all = pops.findByDeletedAtIsNull();
        Set<UUID> ids = Placement.popIds(
                tree.placement(),
                all.stream()
                        .map(pop -> new PopSite(pop.id(), pop.name(), pop.labels(), Set.of()))
                        .toList());
        Map<UUID, String> placed = new LinkedHashMap<>();
        all.stream()
                .filter(pop -> ids.contains(pop.id()))
                .sorted(Comparator.comparing(Pop::name))
                .forEach(pop -> placed.put(pop.id(), pop.name()));
        return placed;
    }

    /** Has the edge told what goes with the spec, under the generation that it has. */
    public void publishAgain(UUID projectId, UUID id) {
        writes.publish(writes.find(projectId, id).row());
    }
}
