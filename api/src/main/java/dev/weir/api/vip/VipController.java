// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.vip;

import dev.weir.api.access.Access;
import dev.weir.api.access.ProjectAccess;
import dev.weir.api.loadbalancer.LoadBalancerWrites;
import dev.weir.api.quota.Quotas;
import dev.weir.api.web.DryRun;
import dev.weir.api.web.ETags;
import dev.weir.api.web.FieldFault;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Networks;
import dev.weir.api.web.Pages;
import dev.weir.api.web.ProblemCode;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import dev.weir.compiler.ResourceId;
import dev.weir.db.project.ProjectRole;
import dev.weir.db.query.Lists;
import dev.weir.db.quota.ProjectQuotas;
import dev.weir.db.vip.AddressPoolRows;
import dev.weir.db.vip.AddressPoolRows.Lease;
import dev.weir.db.vip.DeletedVips;
import dev.weir.db.vip.DeletedVips.DeletedVip;
import dev.weir.db.vip.VipAttachments;
import dev.weir.db.vip.VipAttachments.Attachment;
import dev.weir.db.vip.VipRepository;
import dev.weir.rest.v1.VipsApi;
import dev.weir.rest.v1.model.AddressFamily;
import dev.weir.rest.v1.model.Vip;
import dev.weir.rest.v1.model.VipCreate;
import dev.weir.rest.v1.model.VipPage;
import dev.weir.rest.v1.model.VipUpdate;
import java.net.InetAddress;
import java.net.URI;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

@RestController
final class VipController implements VipsApi {
    private final Access access;
    private final IdempotentCalls idempotent;
    private final VipRepository vips;
    private final VipAttachments attachments;
    private final DeletedVips deleted;
    private final AddressPoolRows addresses;
    private final LoadBalancerWrites loadBalancers;
    private final Quotas quotas;
    private final Lists lists;
    private final Ids ids;
    private final Clock clock;

    VipController(
            Access access,
            IdempotentCalls idempotent,
            VipRepository vips,
            VipAttachments attachments,
            DeletedVips deleted,
            AddressPoolRows addresses,
            LoadBalancerWrites loadBalancers,
            Quotas quotas,
            Lists lists,
            Ids ids,
            Clock clock) {
        this.access = access;
        this.idempotent = idempotent;
        this.vips = vips;
        this.attachments = attachments;
        this.deleted = deleted;
        this.addresses = addresses;
        this.loadBalancers = loadBalancers;
        this.quotas = quotas;
        this.lists = lists;
        this.ids = ids;
        this.clock = clock;
    }

    @Override
    public ResponseEntity<VipPage> listVips(
            String projectId,
            Integer limit,
            @Nullable String cursor,
            @Nullable String name,
            Boolean ofDeleted,
            @Nullable String filter,
            @Nullable String orderBy) {
        int most = Pages.rows(limit) - 1;
        return access.read(projectId, in -> {
            if (ofDeleted) {
                return deletedPage(in, limit, cursor, name);
            }
            Lists.Page found = lists.page(
                    in.projectId(), Lists.Listed.VIPS, new Lists.Request(filter, orderBy, cursor, name, most));
            Pages<dev.weir.db.vip.Vip> page = new Pages<>(
                    Pages.inOrder(
                            found.ids(),
                            vips.findByProjectIdAndIdIn(in.projectId(), found.ids()),
                            dev.weir.db.vip.Vip::id),
                    found.nextCursor());
            Map<UUID, Attachment> attached =
                    attachments
                            .ofVips(
                                    in.projectId(),
                                    page.items().stream()
                                            .map(dev.weir.db.vip.Vip::id)
                                            .toList())
                            .stream()
                            .collect(Collectors.toMap(Attachment::vipId, attachment -> attachment));
            return ResponseEntity.ok(new VipPage()
                    .items(page.items().stream()
                            .map(vip -> rest(vip, Optional.ofNullable(attached.get(vip.id()))))
                            .toList())
                    .nextCursor(page.nextCursor()));
        });
    }

    private ResponseEntity<VipPage> deletedPage(
            ProjectAccess in, int limit, @Nullable String cursor, @Nullable String name) {
        Pages<DeletedVip> page = Pages.of(
                deleted.page(in.projectId(), Pages.afterId(cursor), name, Pages.rows(limit)),
                limit,
                vip -> vip.id().toString());
        return ResponseEntity.ok(new VipPage()
                .items(page.items().stream().map(VipController::rest).toList())
                .nextCursor(page.nextCursor()));
    }

    @Override
    public ResponseEntity<Vip> getVip(String projectId, String vipId) {
        UUID id = Ids.path(ResourceId.VIP, vipId);
        return access.read(
                projectId,
                in -> answer(
                        ResponseEntity.ok(),
                        in,
                        vips.findByProjectIdAndId(in.projectId(), id).orElseThrow(ProblemException::notFound)));
    }

    @Override
    public ResponseEntity<Vip> createVip(
            String projectId, VipCreate body, @Nullable String idempotencyKey, Boolean validateOnly) {
        if (validateOnly) {
            return DryRun.run(() -> access.write(
                    projectId,
                    ProjectRole.EDITOR,
                    "createVip",
                    in -> DryRun.end(ResponseEntity.ok(create(in, body).getBody()))));
        }
        return access.write(
                projectId,
                ProjectRole.EDITOR,
                "createVip",
                in -> idempotent.run(in.projectId(), in.subject(), idempotencyKey, Vip.class, () -> create(in, body)));
    }

    private ResponseEntity<Vip> create(ProjectAccess in, VipCreate body) {
        List<FieldFault> faults = new ArrayList<>();
        String wished = body.getAddress();
        if (wished != null && Networks.address(wished).isEmpty()) {
            faults.add(new FieldFault("/address", "ADDRESS_INVALID", "must be an IPv4 or IPv6 address"));
        }
        UUID poolId = null;
        if (body.getAddressPoolId() != null) {
            if (ResourceId.ADDRESS_POOL.matches(body.getAddressPoolId())) {
                poolId = ResourceId.ADDRESS_POOL.parse(body.getAddressPoolId());
            } else {
                faults.add(new FieldFault("/address_pool_id", "ADDRESS_POOL_NOT_FOUND", "There is no such pool."));
            }
        }
        Target target = target(body.getLoadBalancerId().orElse(null), faults);
        if (!faults.isEmpty()) {
            throw ProblemException.refused(faults);
        }
        if (target.loadBalancerId() != null) {
            attachments.lock(in.projectId());
        }
        UUID id = ids.next();
        Lease lease = addresses.lease(id, poolId, wished, family(body, poolId)).orElseThrow(() -> notAvailable(wished));
        dev.weir.db.vip.Vip vip = vips.save(new dev.weir.db.vip.Vip(
                in.projectId(),
                id,
                body.getName() == null ? "vip-" + id.toString().substring(24) : body.getName(),
                InetAddress.ofLiteral(lease.address()),
                lease.addressPoolId(),
                Times.stored(clock.instant())));
        vip.protect(body.getDeleteProtection());
        vips.flush();
        if (target.loadBalancerId() != null) {
            loadBalancers.attach(in, vip, target.loadBalancerId());
        }
        requireQuota(in);
        URI location = URI.create("/v1/projects/%s/vips/%s"
                .formatted(ResourceId.PROJECT.format(in.projectId()), ResourceId.VIP.format(id)));
        return answer(ResponseEntity.created(location), in, vip);
    }

    /** Counts what is there already, the new one with it. */
    private void requireQuota(ProjectAccess in) {
        List<FieldFault> faults = quotas.faultsAfter(in.projectId(), ProjectQuotas.Resource.VIPS, "");
        if (!faults.isEmpty()) {
            throw ProblemException.refused(faults);
        }
    }

    /** Without a pool or an address that says so, a VIP is an IPv4 address. */
    private static @Nullable Integer family(VipCreate body, @Nullable UUID poolId) {
        AddressFamily family = body.getAddressFamily();
        if (family == null) {
            return poolId == null && body.getAddress() == null ? 4 : null;
        }
        return family == AddressFamily.IPV4 ? 4 : 6;
    }

    private static ProblemException notAvailable(@Nullable String wished) {
        if (wished == null) {
            return new ProblemException(ProblemCode.ADDRESS_NOT_AVAILABLE, "No address is free.");
        }
        String detail = "%s is not available.".formatted(wished);
        return new ProblemException(
                ProblemCode.ADDRESS_NOT_AVAILABLE,
                detail,
                List.of(new FieldFault("/address", ProblemCode.ADDRESS_NOT_AVAILABLE.name(), detail)));
    }

    /** @param loadBalancerId null: none */
    private record Target(@Nullable UUID loadBalancerId) {}

    private static Target target(@Nullable String text, List<FieldFault> faults) {
        if (text == null) {
            return new Target(null);
        }
        if (!ResourceId.LOAD_BALANCER.matches(text)) {
            faults.add(new FieldFault(
                    "/load_balancer_id", "LOAD_BALANCER_NOT_FOUND", "The project has no such load balancer."));
            return new Target(null);
        }
        return new Target(ResourceId.LOAD_BALANCER.parse(text));
    }

    @Override
    public ResponseEntity<Vip> updateVip(
            String projectId, String vipId, VipUpdate body, @Nullable String ifMatch, Boolean validateOnly) {
        UUID id = Ids.path(ResourceId.VIP, vipId);
        return DryRun.run(() -> access.write(projectId, ProjectRole.EDITOR, "updateVip", in -> {
            List<FieldFault> faults = new ArrayList<>();
            boolean moves = body.getLoadBalancerId().isPresent();
            Target target = target(moves ? body.getLoadBalancerId().get() : null, faults);
            if (moves) {
                attachments.lock(in.projectId());
            }
            dev.weir.db.vip.Vip vip = vips.lock(in.projectId(), id).orElseThrow(ProblemException::notFound);
            ETags.check(ifMatch, vip.version());
            if (!faults.isEmpty()) {
                throw ProblemException.refused(faults);
            }
            UUID before = attachments
                    .ofVip(in.projectId(), id)
                    .map(Attachment::loadBalancerId)
                    .orElse(null);
            boolean renamed = body.getName() != null && !body.getName().equals(vip.name());
            boolean moved = moves && !Objects.equals(before, target.loadBalancerId());
            if (renamed) {
                vip.rename(body.getName());
            }
            boolean protection =
                    body.getDeleteProtection() == null ? vip.deleteProtection() : body.getDeleteProtection();
            boolean protectedAnew = protection != vip.deleteProtection();
            vip.protect(protection);
            if (renamed || moved || protectedAnew) {
                vip.changed(Times.stored(clock.instant()));
                vips.flush();
            }
            if (moved) {
                loadBalancers.attach(in, vip, target.loadBalancerId());
            }
            ResponseEntity<Vip> answer = answer(ResponseEntity.ok(), in, vip);
            return validateOnly ? DryRun.end(ResponseEntity.ok(answer.getBody())) : answer;
        }));
    }

    @Override
    public ResponseEntity<Void> deleteVip(String projectId, String vipId, @Nullable String ifMatch) {
        UUID id = Ids.path(ResourceId.VIP, vipId);
        return access.write(projectId, ProjectRole.EDITOR, "deleteVip", in -> {
            attachments.lock(in.projectId());
            dev.weir.db.vip.Vip vip = vips.lock(in.projectId(), id).orElseThrow(ProblemException::notFound);
            ETags.check(ifMatch, vip.version());
            if (vip.deleteProtection()) {
                throw new ProblemException(
                        ProblemCode.DELETE_PROTECTED, "Set delete_protection to false before deleting the VIP.");
            }
            loadBalancers.attach(in, vip, null);
            vips.delete(vip);
            vips.flush();
            deleted.add(vip);
            addresses.release(id);
            return ResponseEntity.noContent().build();
        });
    }

    @Override
    public ResponseEntity<Vip> undeleteVip(String projectId, String vipId, @Nullable String idempotencyKey) {
        UUID id = Ids.path(ResourceId.VIP, vipId);
        return access.write(
                projectId,
                ProjectRole.EDITOR,
                "undeleteVip",
                in -> idempotent.run(in.projectId(), in.subject(), idempotencyKey, Vip.class, () -> undelete(in, id)));
    }

    private ResponseEntity<Vip> undelete(ProjectAccess in, UUID id) {
        DeletedVip found = deleted.take(in.projectId(), id).orElseThrow(ProblemException::notFound);
        String address = Networks.text(found.address());
        if (addresses.lease(id, null, address, null).isEmpty()) {
            throw notAvailable(address);
        }
        dev.weir.db.vip.Vip vip = vips.save(new dev.weir.db.vip.Vip(found, Times.stored(clock.instant())));
        vips.flush();
        requireQuota(in);
        return answer(ResponseEntity.ok(), in, vip);
    }

    private ResponseEntity<Vip> answer(ResponseEntity.BodyBuilder builder, ProjectAccess in, dev.weir.db.vip.Vip vip) {
        return builder.eTag(ETags.of(vip.version())).body(rest(vip, attachments.ofVip(in.projectId(), vip.id())));
    }

    private static Vip rest(DeletedVip vip) {
        return new Vip()
                .id(ResourceId.VIP.format(vip.id()))
                .projectId(ResourceId.PROJECT.format(vip.projectId()))
                .name(vip.name())
                .address(Networks.text(vip.address()))
                .addressPoolId(ResourceId.ADDRESS_POOL.format(vip.addressPoolId()))
                .version(vip.version())
                .deleteProtection(false)
                .createdAt(Times.of(vip.createdAt()))
                .deletedAt(Times.of(vip.deletedAt()))
                .purgeAt(Times.of(vip.deletedAt().plus(DeletedVips.KEPT)));
    }

    private static Vip rest(dev.weir.db.vip.Vip vip, Optional<Attachment> attachment) {
        return new Vip()
                .id(ResourceId.VIP.format(vip.id()))
                .projectId(ResourceId.PROJECT.format(vip.projectId()))
                .name(vip.name())
                .address(Networks.text(vip.address()))
                .addressPoolId(ResourceId.ADDRESS_POOL.format(vip.addressPoolId()))
                .loadBalancerId(attachment
                        .map(found -> ResourceId.LOAD_BALANCER.format(found.loadBalancerId()))
                        .orElse(null))
                .version(vip.version())
                .deleteProtection(vip.deleteProtection())
                .createdAt(Times.of(vip.createdAt()));
    }
}
