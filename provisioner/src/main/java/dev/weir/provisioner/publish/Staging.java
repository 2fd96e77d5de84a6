// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import dev.weir.compiler.CompileInput;
import dev.weir.compiler.CompileResult;
import dev.weir.compiler.Fault;
import dev.weir.compiler.LoadBalancerCompiler;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.PopSite;
import dev.weir.compiler.ResourceId;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.LoadBalancerRecord;
import dev.weir.provisioner.publish.RecordStore.Kind;
import dev.weir.provisioner.publish.RecordStore.PublishedRecord;
import dev.weir.provisioner.publish.SpecStore.LoadBalancerSpec;
import dev.weir.provisioner.rollout.StagedRollout;
import dev.weir.provisioner.rollout.StagedRollout.State;
import dev.weir.provisioner.rollout.StagedRollouts;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * Says which configurations a record holds: one, or while a revision is rolled out in waves, the one before and the
 * candidate. VIPs are no part of a revision: they are the same in both.
 */
@Component
final class Staging {
    private final StagedRollouts rollouts;
    private final SpecStore specs;
    private final LoadBalancerCompiler compiler = new LoadBalancerCompiler();

    Staging(StagedRollouts rollouts, SpecStore specs) {
        this.rollouts = rollouts;
        this.specs = specs;
    }

    sealed interface Result {}

    /** @param record its configurations and the PoPs of the waves, nothing else */
    record Staged(LoadBalancerRecord record, Placed placement) implements Result {}

    /** What was stable cannot be compiled any more. */
    record Refused(List<Fault> faults) implements Result {}

    /**
     * Where a record takes effect.
     *
     * @param popIds PoPs that run something
     * @param stableGeneration null: all of them run the newest generation
     * @param candidatePopIds otherwise, those that do
     */
    record Placed(List<UUID> popIds, @Nullable Long stableGeneration, List<UUID> candidatePopIds) {
        static Placed whole(List<UUID> popIds) {
            return new Placed(popIds, null, List.of());
        }
    }

    /** In the transaction that takes the record's sequence; may begin a rollout. */
    Result of(
            LoadBalancerSpec wanted,
            @Nullable PublishedRecord newest,
            LoadBalancerConfig compiled,
            List<PopSite> pops) {
        Optional<StagedRollout> rollout = rollout(wanted, newest);
        if (rollout.isEmpty()) {
            return whole(compiled);
        }
        return switch (stable(rollout.get(), wanted, pops)) {
            case CompileResult.Refused refused -> new Refused(refused.faults());
            case CompileResult.Compiled before -> staged(rollout.get(), before.config(), compiled, pops);
        };
    }

    /** Empty: to all PoPs at once. */
    private Optional<StagedRollout> rollout(LoadBalancerSpec wanted, @Nullable PublishedRecord newest) {
        Optional<StagedRollout> current = rollouts.lock(wanted.id());
        if (current.isPresent() && current.get().candidateRevisionId().equals(wanted.revisionId())) {
            return current.filter(one -> one.state() != State.PROMOTED);
        }
        if (!wanted.staged() || newest == null || newest.kind() == Kind.DELETED) {
            current.ifPresent(old -> rollouts.forget(wanted.id()));
            return Optional.empty();
        }
        // A candidate that was not promoted is no ground to fall back to.
        Optional<StagedRollout.Stable> stable = current.filter(one -> one.state() != State.PROMOTED)
                .map(StagedRollout::stable)
                .or(() -> published(wanted, newest));
        return stable.map(one -> new StagedRollout(
                wanted.projectId(),
                wanted.id(),
                one,
                wanted.revisionId(),
                wanted.generation(),
                State.RUNNING,
                1,
                List.of(),
                List.of()));
    }

    /** Empty if the newest record is of the same revision: what changed is no part of it. */
    private Optional<StagedRollout.Stable> published(LoadBalancerSpec wanted, PublishedRecord newest) {
        return rollouts.revision(wanted.id(), newest.generation())
                .filter(revision -> !revision.id().equals(wanted.revisionId()))
                .map(revision -> new StagedRollout.Stable(
                        newest.generation(),
                        revision.tree(),
                        newest.committedAt(),
                        newest.maglevTableSizes(),
                        Objects.requireNonNullElse(newest.servingSinceUs(), Map.of())));
    }

    /** As it was, but for what changed since that is no part of a revision: VIPs, PoPs, prefix lists. */
    private CompileResult stable(StagedRollout rollout, LoadBalancerSpec wanted, List<PopSite> pops) {
        StagedRollout.Stable stable = rollout.stable();
        LoadBalancerTree tree = specs.tree(stable.tree());
        return compiler.compile(new CompileInput(tree, stable.generation(), wanted.vips(), pops, stable.committedAt())
                .withPrefixLists(ConfigPublisher.prefixLists(tree))
                .withMaglevTableSizes(stable.maglevTableSizes())
                .withServingSince(stable.servingSinceUs()));
    }

    private Result staged(
            StagedRollout rollout, LoadBalancerConfig stable, LoadBalancerConfig candidate, List<PopSite> pops) {
        LinkedHashSet<UUID> concerned = new LinkedHashSet<>(popIds(candidate));
        concerned.addAll(popIds(stable));
        if (concerned.isEmpty()) {
            return whole(candidate);
        }
        List<UUID> waves = rollouts.inOrder(concerned, pops);
        StagedRollout now = rollout.candidatePopIds().isEmpty() && rollout.state() == State.RUNNING
                ? rollouts.begin(rollout, waves)
                : rollouts.placed(rollout, waves);
        long generation = now.stable().generation();
        if (now.state() == State.REVERTED) {
            LoadBalancerRecord record =
                    LoadBalancerRecord.newBuilder().setStable(stable).build();
            return new Staged(record, new Placed(popIds(stable), generation, List.of()));
        }
        Set<UUID> wave = Set.copyOf(now.candidatePopIds());
        List<UUID> runs = new ArrayList<>();
        popIds(candidate).stream().filter(wave::contains).forEach(runs::add);
        popIds(stable).stream().filter(pop -> !wave.contains(pop)).forEach(runs::add);
        LoadBalancerRecord record = LoadBalancerRecord.newBuilder()
                .setStable(stable)
                .setCandidate(candidate)
                .addAllCandidatePopIds(now.candidatePopIds().stream()
                        .map(ResourceId.POP::format)
                        .toList())
                .build();
        return new Staged(record, new Placed(runs, generation, now.candidatePopIds()));
    }

    private static Staged whole(LoadBalancerConfig config) {
        return new Staged(LoadBalancerRecord.newBuilder().setStable(config).build(), Placed.whole(popIds(config)));
    }

    private static List<UUID> popIds(LoadBalancerConfig config) {
        return config.getPopIdsList().stream().map(ResourceId.POP::parse).toList();
    }
}
