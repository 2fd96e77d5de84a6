// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.observation;

import dev.weir.api.access.Access;
import dev.weir.api.drain.OverlayView;
import dev.weir.api.loadbalancer.LoadBalancers;
import dev.weir.api.loadbalancer.LoadBalancers.Spec;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Pages;
import dev.weir.api.web.Times;
import dev.weir.compiler.ResourceId;
import dev.weir.db.metrics.MetricsRows;
import dev.weir.db.overlay.OverlayRows;
import dev.weir.db.rollout.MemberStatusRows;
import dev.weir.db.rollout.MemberStatusRows.Seen;
import dev.weir.db.rollout.RolloutRows;
import dev.weir.db.rollout.RolloutRows.Published;
import dev.weir.rest.v1.ObservationsApi;
import dev.weir.rest.v1.model.LoadBalancerStatus;
import dev.weir.rest.v1.model.Metrics;
import dev.weir.rest.v1.model.MetricsRow;
import dev.weir.rest.v1.model.Rollout;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

@RestController
final class ObservationController implements ObservationsApi {
    private static final Duration DEFAULT_PERIOD = Duration.ofMinutes(5);
    private static final int MAX_STEPS = 720;

    private final Access access;
    private final LoadBalancers loadBalancers;
    private final RolloutRows rollouts;
    private final MemberStatusRows members;
    private final OverlayRows overlay;
    private final MetricsRows metrics;
    private final Clock clock;

    ObservationController(
            Access access,
            LoadBalancers loadBalancers,
            RolloutRows rollouts,
            MemberStatusRows members,
            OverlayRows overlay,
            MetricsRows metrics,
            Clock clock) {
        this.access = access;
        this.loadBalancers = loadBalancers;
        this.rollouts = rollouts;
        this.members = members;
        this.overlay = overlay;
        this.metrics = metrics;
        this.clock = clock;
    }

    @Override
    public ResponseEntity<LoadBalancerStatus> getLoadBalancerStatus(String projectId, String loadBalancerId) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return access.read(projectId, in -> {
            Spec spec = loadBalancers.spec(in.projectId(), id);
            List<Seen> seen = members.of(in.projectId(), id);
            StatusView view = new StatusView(spec.tree(), loadBalancers.placed(spec.tree()), seen);
            OverlayView inForce = new OverlayView(spec.tree(), overlay.of(in.projectId(), id), seen);
            return ResponseEntity.ok(view.status(
                            spec.generation(),
                            rollouts.progress(in.projectId(), id).observedGeneration())
                    .drains(inForce.drains())
                    .shifts(inForce.shifts()));
        });
    }

    @Override
    public ResponseEntity<Rollout> getRollout(String projectId, String loadBalancerId) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return access.read(projectId, in -> {
            Spec spec = loadBalancers.spec(in.projectId(), id);
            List<Published> published = rollouts.published(in.projectId(), id);
            Integer partition =
                    published.isEmpty() ? null : published.getFirst().partition();
            return ResponseEntity.ok(RolloutView.of(
                    spec,
                    rollouts.progress(in.projectId(), id),
                    published,
                    rollouts.staged(in.projectId(), id),
                    rollouts.nodes(
                            in.projectId(),
                            id,
                            loadBalancers.placed(spec.tree()).keySet(),
                            partition),
                    clock.instant()));
        });
    }

    @Override
    public ResponseEntity<Metrics> getMetrics(
            String projectId,
            String loadBalancerId,
            @Nullable OffsetDateTime from,
            @Nullable OffsetDateTime to,
            String step) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        Duration length = step(step);
        Instant end = to == null ? clock.instant() : to.toInstant();
        Instant start = floor(from == null ? end.minus(DEFAULT_PERIOD) : from.toInstant(), length);
        if (!start.isBefore(end)) {
            throw Pages.invalid("from", "must be before to");
        }
        if (Duration.between(start, end).dividedBy(length) > MAX_STEPS) {
            throw Pages.invalid("from", "must be at most %d steps before to".formatted(MAX_STEPS));
        }
        return access.read(projectId, in -> {
            loadBalancers.spec(in.projectId(), id);
            return ResponseEntity.ok(new Metrics()
                    .loadBalancerId(loadBalancerId)
                    .from(Times.of(start))
                    .to(Times.of(end))
                    .stepS((int) length.toSeconds())
                    .rows(metrics.sums(in.projectId(), id, start, end, length).stream()
                            .map(ObservationController::rest)
                            .toList()));
        });
    }

    private static Duration step(String text) {
        return switch (text) {
            case "10s" -> Duration.ofSeconds(10);
            case "1m" -> Duration.ofMinutes(1);
            case "5m" -> Duration.ofMinutes(5);
            default -> throw Pages.invalid("step", "must be one of 10s, 1m, 5m");
        };
    }

    private static Instant floor(Instant time, Duration step) {
        long seconds = Math.floorDiv(time.getEpochSecond(), step.toSeconds()) * step.toSeconds();
        return Instant.ofEpochSecond(seconds);
    }

    private static MetricsRow rest(MetricsRows.Row row) {
        return new MetricsRow()
                .time(Times.of(row.time()))
                .popId(ResourceId.POP.format(row.popId()))
                .listenerId(ResourceId.LISTENER.format(row.listenerId()))
                .memberId(ResourceId.MEMBER.format(row.memberId()))
                .inPackets(row.inPackets())
                .inBytes(row.inBytes())
                .outPackets(row.outPackets())
                .outBytes(row.outBytes())
                .newFlows(row.newFlows())
                .endedFin(row.endedFin())
                .endedRst(row.endedRst())
                .endedTimeout(row.endedTimeout())
                .endedEvicted(row.endedEvicted())
                .activeFlows(Math.round(row.activeFlows()));
    }
}
