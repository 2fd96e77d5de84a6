// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.api.access.ProjectAccess;
import dev.weir.api.quota.Quotas;
import dev.weir.api.web.ETags;
import dev.weir.api.web.FieldFault;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Networks;
import dev.weir.api.web.ProblemCode;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import dev.weir.api.web.Trace;
import dev.weir.compiler.AttachedVip;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.ResourceId;
import dev.weir.db.loadbalancer.LoadBalancer;
import dev.weir.db.loadbalancer.LoadBalancerRepository;
import dev.weir.db.loadbalancer.Revision;
import dev.weir.db.loadbalancer.RevisionRepository;
import dev.weir.db.loadbalancer.TreeRows;
import dev.weir.db.loadbalancer.Trees;
import dev.weir.db.outbox.Outbox;
import dev.weir.db.vip.Vip;
import dev.weir.db.vip.VipAttachments;
import dev.weir.db.vip.VipAttachments.Attachment;
import dev.weir.db.vip.VipRepository;
import dev.weir.rest.v1.model.RolloutStrategy;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * Writes load balancers. Row, tree, revision and outbox change in the caller's transaction, or nothing does. Writers of
 * one load balancer wait for each other; none is turned away because something else is in progress.
 */
@Component
public final class LoadBalancerWrites {
    /** How long a deleted load balancer can be taken back. */
    static final Duration UNDELETABLE = Duration.ofHours(72);

    private final LoadBalancerRepository loadBalancers;
    private final RevisionRepository revisions;
    private final TreeRows rows;
    private final VipRepository vips;
    private final VipAttachments attachments;
    private final TreeChecks checks;
    private final Quotas quotas;
    private final Outbox outbox;
    private final Ids ids;
    private final Clock clock;

    LoadBalancerWrites(
            LoadBalancerRepository loadBalancers,
            RevisionRepository revisions,
            TreeRows rows,
            VipRepository vips,
            VipAttachments attachments,
            TreeChecks checks,
            Quotas quotas,
            Outbox outbox,
            Ids ids,
            Clock clock) {
        this.loadBalancers = loadBalancers;
        this.revisions = revisions;
        this.rows = rows;
        this.vips = vips;
        this.attachments = attachments;
        this.checks = checks;
        this.quotas = quotas;
        this.outbox = outbox;
        this.ids = ids;
        this.clock = clock;
    }

    /** A load balancer with its tree. */
    record Found(LoadBalancer row, LoadBalancerTree tree) {}

    Found find(UUID projectId, UUID id) {
        return found(loadBalancers.find(projectId, id));
    }

    /** Holds other writers off until the transaction ends. */
    Found lock(UUID projectId, UUID id) {
        return found(loadBalancers.lock(projectId, id));
    }

    private Found found(Optional<LoadBalancer> row) {
        LoadBalancer loadBalancer = row.orElseThrow(ProblemException::notFound);
        return new Found(loadBalancer, tree(loadBalancer));
    }

    private LoadBalancerTree tree(LoadBalancer row) {
        return Trees.read(revisions
                .findByProjectIdAndLoadBalancerIdAndId(row.projectId(), row.id(), row.revisionId())
                .orElseThrow()
                .tree());
    }

    /** @param vipIds as the request names them, in its order */
    Found create(
            ProjectAccess in, Draft draft, List<String> vipIds, boolean deleteProtection, RolloutStrategy rollout) {
        if (!vipIds.isEmpty()) {
            attachments.lock(in.projectId());
        }
        List<FieldFault> faults = new ArrayList<>();
        List<Vip> wanted = new ArrayList<>();
        for (int i = 0; i < vipIds.size(); i++) {
            Optional<Vip> vip = ResourceId.VIP.matches(vipIds.get(i))
                    ? vips.lock(in.projectId(), ResourceId.VIP.parse(vipIds.get(i)))
                    : Optional.empty();
            if (vip.isEmpty()) {
                faults.add(new FieldFault("/vip_ids/" + i, "VIP_NOT_FOUND", "The project has no such VIP."));
            }
            vip.ifPresent(wanted::add);
        }
        faults.addAll(checks.faults(in, draft, attached(wanted)));
        Map<UUID, LoadBalancer> holders = lockHolders(in, wanted);
        faults.addAll(quotas.faults(in.projectId(), TreeQuota.added(null, draft.tree())));
        if (!faults.isEmpty()) {
            throw ProblemException.refused(faults);
        }
        LoadBalancerTree tree = draft.sorted();
        Instant now = Times.stored(clock.instant());
        UUID revisionId = ids.next();
        LoadBalancer made = new LoadBalancer(tree, Trees.write(tree.placement()), revisionId, now);
        made.protect(deleteProtection);
        made.rollOut(rollout.getValue());
        LoadBalancer row = loadBalancers.save(made);
        loadBalancers.flush();
        revise(in, revisionId, row, tree, "created", now);
        for (Vip vip : wanted) {
            takeFromAnother(holders.get(vip.id()), vip, now);
            attachments.attach(in.projectId(), vip.id(), row.id());
            vip.changed(now);
        }
        publish(row);
        return new Found(row, tree);
    }

    /** By VIP, the load balancer that it is attached to; held so that no other writer changes it meanwhile. */
    private Map<UUID, LoadBalancer> lockHolders(ProjectAccess in, List<Vip> wanted) {
        Map<UUID, LoadBalancer> holders = new HashMap<>();
        attachments.ofVips(in.projectId(), wanted.stream().map(Vip::id).toList()).stream()
                .sorted(Comparator.comparing(
                        attachment -> attachment.loadBalancerId().toString()))
                .forEach(attachment -> loadBalancers
                        .lock(in.projectId(), attachment.loadBalancerId())
                        .ifPresent(holder -> holders.put(attachment.vipId(), holder)));
        return holders;
    }

    /** Attaching a VIP elsewhere takes it from where it is: that load balancer's configuration changes too. */
    private void takeFromAnother(@Nullable LoadBalancer holder, Vip vip, Instant now) {
        if (holder != null) {
            holder.raiseGeneration(now);
            removed(holder, vip);
            publish(holder);
        }
    }

    /** Replaces the tree of a locked load balancer; a tree that changes nothing leaves everything as it is. */
    Found replace(ProjectAccess in, Found current, Draft draft) {
        return replace(in, current, draft, "");
    }

    /** @param why what the revision's summary begins with */
    Found replace(ProjectAccess in, Found current, Draft draft, String why) {
        LoadBalancerTree tree = draft.sorted();
        if (draft.faults().isEmpty() && tree.equals(current.tree())) {
            return current;
        }
        List<AttachedVip> attached = attachments.ofLoadBalancer(in.projectId(), tree.loadBalancerId()).stream()
                .map(TreeChecks::attached)
                .toList();
        List<FieldFault> faults = new ArrayList<>(checks.faults(in, draft, attached));
        faults.addAll(quotas.faults(in.projectId(), TreeQuota.added(current.tree(), draft.tree())));
        if (!faults.isEmpty()) {
            throw ProblemException.refused(faults);
        }
        Instant now = Times.stored(clock.instant());
        UUID revisionId = ids.next();
        LoadBalancer row = current.row();
        row.revise(tree, Trees.write(tree.placement()), revisionId, now);
        revise(in, revisionId, row, tree, why + TreeDiff.summary(current.tree(), tree), now);
        publish(row);
        return new Found(row, tree);
    }

    private void revise(
            ProjectAccess in, UUID revisionId, LoadBalancer row, LoadBalancerTree tree, String summary, Instant now) {
        revisions.save(new Revision(
                in.projectId(),
                revisionId,
                row.id(),
                row.generation(),
                Trees.write(tree),
                in.subject(),
                in.name(),
                "api",
                summary,
                Trace.traceparent(),
                now));
        loadBalancers.flush();
        rows.replace(tree);
    }

    void delete(ProjectAccess in, UUID id, @Nullable String ifMatch) {
        attachments.lock(in.projectId());
        LoadBalancer row = loadBalancers.lock(in.projectId(), id).orElseThrow(ProblemException::notFound);
        ETags.check(ifMatch, row.generation());
        if (row.deleteProtection()) {
            throw new ProblemException(
                    ProblemCode.DELETE_PROTECTED, "Set delete_protection to false before deleting the load balancer.");
        }
        Instant now = Times.stored(clock.instant());
        List<Attachment> attached = attachments.ofLoadBalancer(in.projectId(), id);
        attached.forEach(
                attachment -> vips.lock(in.projectId(), attachment.vipId()).ifPresent(vip -> vip.changed(now)));
        attachments.detachAll(in.projectId(), id);
        row.delete(attached.stream().map(Attachment::vipId).toList(), now);
        attached.forEach(attachment -> attachments.removed(in.projectId(), attachment.address(), id, row.generation()));
        loadBalancers.flush();
        rows.delete(in.projectId(), id);
        publish(row);
    }

    /**
     * Takes back a load balancer that was deleted: disabled, with those of its VIPs that are still free and that it can
     * serve.
     */
    Found undelete(ProjectAccess in, UUID id) {
        attachments.lock(in.projectId());
        Instant now = Times.stored(clock.instant());
        LoadBalancer row = loadBalancers
                .lockDeleted(in.projectId(), id, now.minus(UNDELETABLE))
                .orElseThrow(ProblemException::notFound);
        LoadBalancerTree tree = tree(row).disabled();
        Draft draft = Draft.of(tree);
        List<Vip> free = row.deletedVipIds().stream()
                .flatMap(vip -> vips.lock(in.projectId(), vip).stream())
                .filter(vip -> attachments.ofVip(in.projectId(), vip.id()).isEmpty())
                .toList();
        if (!checks.faults(in, draft, attached(free)).isEmpty()) {
            free = List.of();
        }
        List<FieldFault> faults = new ArrayList<>(checks.faults(in, draft, attached(free)));
        faults.addAll(quotas.faults(in.projectId(), TreeQuota.added(null, tree)));
        if (!faults.isEmpty()) {
            throw ProblemException.refused(faults);
        }
        UUID revisionId = ids.next();
        row.undelete(tree, Trees.write(tree.placement()), revisionId, now);
        revise(in, revisionId, row, tree, "undeleted", now);
        for (Vip vip : free) {
            attachments.attach(in.projectId(), vip.id(), id);
            vip.changed(now);
        }
        publish(row);
        return new Found(row, tree);
    }

    private static List<AttachedVip> attached(List<Vip> vips) {
        return vips.stream()
                .map(vip -> new AttachedVip(vip.id(), vip.address(), 0))
                .toList();
    }

    /**
     * Attaches a VIP of the project, moves it, or detaches it. The caller holds {@link VipAttachments#lock}.
     *
     * @param loadBalancerId null: detach
     * @throws ProblemException if there is no such load balancer, or its members cannot serve the VIP
     */
    public void attach(ProjectAccess in, Vip vip, @Nullable UUID loadBalancerId) {
        UUID before = attachments
                .ofVip(in.projectId(), vip.id())
                .map(Attachment::loadBalancerId)
                .orElse(null);
        if (java.util.Objects.equals(before, loadBalancerId)) {
            return;
        }
        Instant now = Times.stored(clock.instant());
        List<LoadBalancer> touched = java.util.stream.Stream.of(
                        Optional.ofNullable(before), Optional.ofNullable(loadBalancerId))
                .flatMap(Optional::stream)
                .sorted(Comparator.comparing(UUID::toString))
                .flatMap(id -> loadBalancers.lock(in.projectId(), id).stream())
                .toList();
        if (loadBalancerId == null) {
            attachments.detach(in.projectId(), vip.id());
        } else {
            LoadBalancer target = touched.stream()
                    .filter(row -> row.id().equals(loadBalancerId))
                    .findFirst()
                    .orElseThrow(() -> ProblemException.refused(List.of(new FieldFault(
                            "/load_balancer_id",
                            "LOAD_BALANCER_NOT_FOUND",
                            "The project has no such load balancer."))));
            attachments.attach(in.projectId(), vip.id(), loadBalancerId);
            requireServable(in, target);
        }
        for (LoadBalancer row : touched) {
            row.raiseGeneration(now);
            if (row.id().equals(before)) {
                removed(row, vip);
            }
            publish(row);
        }
    }

    private void removed(LoadBalancer from, Vip vip) {
        attachments.removed(from.projectId(), Networks.text(vip.address()), from.id(), from.generation());
    }

    private void requireServable(ProjectAccess in, LoadBalancer target) {
        List<AttachedVip> attached = attachments.ofLoadBalancer(in.projectId(), target.id()).stream()
                .map(TreeChecks::attached)
                .toList();
        List<FieldFault> faults = checks.compile(Draft.of(tree(target)), attached).stream()
                .map(fault -> new FieldFault("/load_balancer_id", fault.code(), fault.detail()))
                .toList();
        if (!faults.isEmpty()) {
            throw ProblemException.refused(faults);
        }
    }

    void publish(LoadBalancer row) {
        loadBalancers.flush();
        outbox.changed(Outbox.Kind.LOAD_BALANCER, row.id(), row.projectId(), row.generation(), Trace.traceparent());
    }
}
