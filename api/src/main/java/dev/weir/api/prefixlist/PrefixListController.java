// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.prefixlist;

import dev.weir.api.access.Access;
import dev.weir.api.access.ProjectAccess;
import dev.weir.api.quota.Quotas;
import dev.weir.api.web.ETags;
import dev.weir.api.web.FieldFault;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Pages;
import dev.weir.api.web.ProblemCode;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import dev.weir.api.web.Trace;
import dev.weir.compiler.ResourceId;
import dev.weir.db.outbox.Outbox;
import dev.weir.db.prefixlist.PrefixLists;
import dev.weir.db.project.ProjectRole;
import dev.weir.db.query.Lists;
import dev.weir.db.quota.ProjectQuotas.Resource;
import dev.weir.rest.v1.PrefixListsApi;
import dev.weir.rest.v1.model.PrefixList;
import dev.weir.rest.v1.model.PrefixListCreate;
import dev.weir.rest.v1.model.PrefixListPage;
import dev.weir.rest.v1.model.PrefixListUpdate;
import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

@RestController
final class PrefixListController implements PrefixListsApi {
    private final Access access;
    private final IdempotentCalls idempotent;
    private final PrefixLists lists;
    private final Lists queries;
    private final Quotas quotas;
    private final Outbox outbox;
    private final Ids ids;

    PrefixListController(
            Access access,
            IdempotentCalls idempotent,
            PrefixLists lists,
            Lists queries,
            Quotas quotas,
            Outbox outbox,
            Ids ids) {
        this.access = access;
        this.idempotent = idempotent;
        this.lists = lists;
        this.queries = queries;
        this.quotas = quotas;
        this.outbox = outbox;
        this.ids = ids;
    }

    @Override
    public ResponseEntity<PrefixListPage> listPrefixLists(
            String projectId,
            Integer limit,
            @Nullable String cursor,
            @Nullable String name,
            @Nullable String filter,
            @Nullable String orderBy) {
        int most = Pages.rows(limit) - 1;
        return access.read(projectId, in -> {
            Lists.Page page = queries.page(
                    in.projectId(), Lists.Listed.PREFIX_LISTS, new Lists.Request(filter, orderBy, cursor, name, most));
            return ResponseEntity.ok(new PrefixListPage()
                    .items(Pages.inOrder(
                                    page.ids(),
                                    lists.findAll(in.projectId(), page.ids()),
                                    dev.weir.db.prefixlist.PrefixList::id)
                            .stream()
                            .map(PrefixListController::rest)
                            .toList())
                    .nextCursor(page.nextCursor()));
        });
    }

    @Override
    public ResponseEntity<PrefixList> getPrefixList(String projectId, String prefixListId) {
        UUID id = Ids.path(ResourceId.PREFIX_LIST, prefixListId);
        return access.read(projectId, in -> answer(ResponseEntity.ok(), in, id));
    }

    private ResponseEntity<PrefixList> answer(ResponseEntity.BodyBuilder builder, ProjectAccess in, UUID id) {
        dev.weir.db.prefixlist.PrefixList list = lists.find(in.projectId(), id).orElseThrow(ProblemException::notFound);
        return builder.eTag(ETags.of(list.generation())).body(rest(list).cidrs(lists.cidrs(in.projectId(), id)));
    }

    @Override
    public ResponseEntity<PrefixList> createPrefixList(
            String projectId, PrefixListCreate body, @Nullable String idempotencyKey) {
        return access.write(
                projectId,
                ProjectRole.EDITOR,
                "createPrefixList",
                in -> idempotent.run(
                        in.projectId(), in.subject(), idempotencyKey, PrefixList.class, () -> create(in, body)));
    }

    private ResponseEntity<PrefixList> create(ProjectAccess in, PrefixListCreate body) {
        List<FieldFault> faults = new ArrayList<>();
        PackedCidrs packed = PackedCidrs.of(body.getCidrs(), faults);
        faults.addAll(quotas.faults(in.projectId(), List.of(new Quotas.Added(Resource.PREFIX_LISTS, 1, ""))));
        if (!faults.isEmpty()) {
            throw ProblemException.refused(faults);
        }
        UUID id = ids.next();
        lists.insert(
                new dev.weir.db.prefixlist.PrefixList(
                        in.projectId(),
                        id,
                        body.getName(),
                        body.getDescription(),
                        body.getLabels() == null ? Map.of() : body.getLabels(),
                        packed.cidrs().size(),
                        packed.sha256(),
                        1,
                        Instant.EPOCH,
                        Instant.EPOCH),
                packed.cidrs());
        outbox.changed(Outbox.Kind.PREFIX_LIST, id, in.projectId(), 1, Trace.traceparent());
        URI location = URI.create("/v1/projects/%s/prefix-lists/%s"
                .formatted(ResourceId.PROJECT.format(in.projectId()), ResourceId.PREFIX_LIST.format(id)));
        return answer(ResponseEntity.created(location), in, id);
    }

    @Override
    public ResponseEntity<PrefixList> updatePrefixList(
            String projectId, String prefixListId, PrefixListUpdate body, @Nullable String ifMatch) {
        UUID id = Ids.path(ResourceId.PREFIX_LIST, prefixListId);
        return access.write(projectId, ProjectRole.EDITOR, "updatePrefixList", in -> {
            dev.weir.db.prefixlist.PrefixList before =
                    lists.lock(in.projectId(), id).orElseThrow(ProblemException::notFound);
            ETags.check(ifMatch, before.generation());
            List<FieldFault> faults = new ArrayList<>();
            PackedCidrs packed = body.getCidrs() == null ? null : PackedCidrs.of(body.getCidrs(), faults);
            if (!faults.isEmpty()) {
                throw ProblemException.refused(faults);
            }
            update(before, body, packed);
            return answer(ResponseEntity.ok(), in, id);
        });
    }

    private void update(dev.weir.db.prefixlist.PrefixList before, PrefixListUpdate body, @Nullable PackedCidrs packed) {
        boolean sameContent = packed == null || Arrays.equals(packed.sha256(), before.contentSha256());
        dev.weir.db.prefixlist.PrefixList after = new dev.weir.db.prefixlist.PrefixList(
                before.projectId(),
                before.id(),
                body.getName() == null ? before.name() : body.getName(),
                body.getDescription().isPresent() ? body.getDescription().orElse(null) : before.description(),
                body.getLabels() == null ? before.labels() : body.getLabels(),
                before.cidrCount(),
                packed == null ? before.contentSha256() : packed.sha256(),
                before.generation() + 1,
                before.createdAt(),
                before.updatedAt());
        lists.update(after, sameContent || packed == null ? null : packed.cidrs());
        outbox.changed(Outbox.Kind.PREFIX_LIST, after.id(), after.projectId(), after.generation(), Trace.traceparent());
    }

    @Override
    public ResponseEntity<Void> deletePrefixList(String projectId, String prefixListId, @Nullable String ifMatch) {
        UUID id = Ids.path(ResourceId.PREFIX_LIST, prefixListId);
        return access.write(projectId, ProjectRole.EDITOR, "deletePrefixList", in -> {
            dev.weir.db.prefixlist.PrefixList list =
                    lists.lock(in.projectId(), id).orElseThrow(ProblemException::notFound);
            ETags.check(ifMatch, list.generation());
            List<FieldFault> users = lists.users(in.projectId(), id).stream()
                    .map(user -> FieldFault.user(
                            "load balancer %s (%s): listener"
                                    .formatted(
                                            user.loadBalancerName(),
                                            ResourceId.LOAD_BALANCER.format(user.loadBalancerId())),
                            user.listenerName(),
                            ResourceId.LISTENER.format(user.listenerId())))
                    .toList();
            if (!users.isEmpty()) {
                throw new ProblemException(ProblemCode.RESOURCE_IN_USE, "Listeners use the prefix list.", users);
            }
            lists.delete(in.projectId(), id);
            outbox.changed(Outbox.Kind.PREFIX_LIST, id, in.projectId(), list.generation() + 1, Trace.traceparent());
            return ResponseEntity.noContent().build();
        });
    }

    private static PrefixList rest(dev.weir.db.prefixlist.PrefixList list) {
        return new PrefixList()
                .id(ResourceId.PREFIX_LIST.format(list.id()))
                .projectId(ResourceId.PROJECT.format(list.projectId()))
                .name(list.name())
                .description(list.description())
                .labels(list.labels())
                .cidrCount(list.cidrCount())
                .contentSha256(HexFormat.of().formatHex(list.contentSha256()))
                .generation(list.generation())
                .createdAt(Times.of(list.createdAt()))
                .updatedAt(Times.of(list.updatedAt()));
    }
}
