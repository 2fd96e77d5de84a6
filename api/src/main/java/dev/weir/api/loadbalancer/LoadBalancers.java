// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.compiler.LoadBalancerTree;
import java.time.Instant;
import java.util.UUID;
import org.springframework.stereotype.Component;

/** Load balancers as other modules see them; in the caller's transaction. */
@Component
public final class LoadBalancers {
    private final LoadBalancerWrites writes;

    LoadBalancers(LoadBalancerWrites writes) {
        this.writes = writes;
    }

    /** @param committedAt when the generation was stored */
    public record Spec(LoadBalancerTree tree, long generation, Instant committedAt) {}

    /** @throws dev.weir.api.web.ProblemException (404) if the project has no such load balancer */
    public Spec spec(UUID projectId, UUID id) {
        LoadBalancerWrites.Found found = writes.find(projectId, id);
        return new Spec(found.tree(), found.row().generation(), found.row().updatedAt());
    }
}
