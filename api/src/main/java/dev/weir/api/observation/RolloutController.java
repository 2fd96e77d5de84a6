// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.observation;

import dev.weir.api.access.Access;
import dev.weir.api.access.ProjectAccess;
import dev.weir.api.loadbalancer.LoadBalancers;
import dev.weir.api.loadbalancer.LoadBalancers.Spec;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.ProblemCode;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Trace;
import dev.weir.compiler.ResourceId;
import dev.weir.db.outbox.Outbox;
import dev.weir.db.project.ProjectRole;
import dev.weir.db.rollout.RolloutRows;
import dev.weir.rest.v1.RolloutsApi;
import dev.weir.rest.v1.model.StagedRollout;
import dev.weir.rest.v1.model.StagedRolloutState;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

/** A person's word on a staged rollout: the provisioner publishes what follows from it. */
@RestController
final class RolloutController implements RolloutsApi {
    private final Access access;
    private final IdempotentCalls idempotent;
    private final LoadBalancers loadBalancers;
    private final RolloutRows rollouts;
    private final Outbox outbox;

    RolloutController(
            Access access,
            IdempotentCalls idempotent,
            LoadBalancers loadBalancers,
            RolloutRows rollouts,
            Outbox outbox) {
        this.access = access;
        this.idempotent = idempotent;
        this.loadBalancers = loadBalancers;
        this.rollouts = rollouts;
        this.outbox = outbox;
    }

    @Override
    public ResponseEntity<StagedRollout> promoteRollout(
            String projectId, String loadBalancerId, @Nullable String idempotencyKey) {
        return settle(projectId, loadBalancerId, idempotencyKey, "promoteRollout", StagedRolloutState.PROMOTED);
    }

    @Override
    public ResponseEntity<StagedRollout> stopRollout(
            String projectId, String loadBalancerId, @Nullable String idempotencyKey) {
        return settle(projectId, loadBalancerId, idempotencyKey, "stopRollout", StagedRolloutState.STOPPED);
    }

    @Override
    public ResponseEntity<StagedRollout> revertRollout(
            String projectId, String loadBalancerId, @Nullable String idempotencyKey) {
        return settle(projectId, loadBalancerId, idempotencyKey, "revertRollout", StagedRolloutState.REVERTED);
    }

    private ResponseEntity<StagedRollout> settle(
            String projectId,
            String loadBalancerId,
            @Nullable String idempotencyKey,
            String action,
            StagedRolloutState state) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return access.write(
                projectId,
                ProjectRole.MAINTAINER,
                action,
                in -> idempotent.run(
                        in.projectId(),
                        in.subject(),
                        idempotencyKey,
                        StagedRollout.class,
                        () -> settle(in, id, state)));
    }

    private ResponseEntity<StagedRollout> settle(ProjectAccess in, UUID id, StagedRolloutState state) {
        Spec spec = loadBalancers.spec(in.projectId(), id);
        String reason = "A person has %s it.".formatted(state.getValue());
        if (!rollouts.settleStaged(in.projectId(), id, state.getValue(), reason)) {
            throw new ProblemException(
                    ProblemCode.NO_STAGED_ROLLOUT, "The newest revision has no staged rollout that still goes on.");
        }
        outbox.changed(Outbox.Kind.LOAD_BALANCER, id, in.projectId(), spec.generation(), Trace.traceparent());
        return ResponseEntity.ok(
                RolloutView.staged(rollouts.staged(in.projectId(), id).orElseThrow()));
    }
}
