// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.api.access.Access;
import dev.weir.api.access.ProjectAccess;
import dev.weir.api.loadbalancer.TreeParts.Change;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.MergePatch;
import dev.weir.api.web.Pages;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.ListenerSpec;
import dev.weir.compiler.ResourceId;
import dev.weir.db.project.ProjectRole;
import dev.weir.rest.v1.ListenersApi;
import dev.weir.rest.v1.model.Listener;
import dev.weir.rest.v1.model.ListenerPage;
import dev.weir.rest.v1.model.ListenerUpdate;
import java.net.URI;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

/** Single listeners. Each call is a small change of the load balancer's tree. */
@RestController
final class ListenerController implements ListenersApi {
    private final Access access;
    private final IdempotentCalls idempotent;
    private final TreeParts parts;
    private final MergePatch patches;

    ListenerController(Access access, IdempotentCalls idempotent, TreeParts parts, MergePatch patches) {
        this.access = access;
        this.idempotent = idempotent;
        this.parts = parts;
        this.patches = patches;
    }

    @Override
    public ResponseEntity<ListenerPage> listListeners(
            String projectId, String loadBalancerId, Integer limit, @Nullable String cursor, @Nullable String name) {
        return parts.read(projectId, loadBalancerId, tree -> {
            Pages<ListenerSpec> page = Pages.of(
                    tree.listeners().stream()
                            .filter(listener -> name == null || listener.name().equals(name))
                            .filter(listener -> listener.id()
                                            .toString()
                                            .compareTo(Pages.afterId(cursor).toString())
                                    > 0)
                            .sorted(Comparator.comparing(
                                    listener -> listener.id().toString()))
                            .limit(Pages.rows(limit))
                            .toList(),
                    limit,
                    listener -> listener.id().toString());
            return ResponseEntity.ok(new ListenerPage()
                    .items(page.items().stream()
                            .map(listener -> RestTrees.listener(tree, listener))
                            .toList())
                    .nextCursor(page.nextCursor()));
        });
    }

    @Override
    public ResponseEntity<Listener> getListener(String projectId, String loadBalancerId, String listenerId) {
        UUID id = Ids.path(ResourceId.LISTENER, listenerId);
        return parts.read(projectId, loadBalancerId, tree -> answer(ResponseEntity.ok(), tree, id));
    }

    private static ResponseEntity<Listener> answer(ResponseEntity.BodyBuilder builder, LoadBalancerTree tree, UUID id) {
        ListenerSpec listener = TreeParts.listener(tree, id);
        return builder.eTag(SpecTag.of(listener)).body(RestTrees.listener(tree, listener));
    }

    @Override
    public ResponseEntity<Listener> createListener(
            String projectId,
            String loadBalancerId,
            dev.weir.rest.v1.model.ListenerSpec body,
            @Nullable String idempotencyKey) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return access.write(
                projectId,
                ProjectRole.EDITOR,
                "createListener",
                in -> idempotent.run(
                        in.projectId(), in.subject(), idempotencyKey, Listener.class, () -> create(in, id, body)));
    }

    private ResponseEntity<Listener> create(
            ProjectAccess in, UUID loadBalancerId, dev.weir.rest.v1.model.ListenerSpec body) {
        MemberController.requireNew(body.getId());
        List<UUID> made = new ArrayList<>();
        LoadBalancerTree tree = parts.change(in, loadBalancerId, null, seen -> seen, (current, reader) -> {
            String at = "/listeners/" + current.listeners().size();
            ListenerSpec listener = reader.listener(body, null, current.pools(), at);
            made.add(listener.id());
            return TreeParts.withListener(current, reader, listener, body.getPoolId() == null);
        });
        URI location = URI.create("/v1/projects/%s/load-balancers/%s/listeners/%s"
                .formatted(
                        ResourceId.PROJECT.format(in.projectId()),
                        ResourceId.LOAD_BALANCER.format(loadBalancerId),
                        ResourceId.LISTENER.format(made.getFirst())));
        return answer(ResponseEntity.created(location), tree, made.getFirst());
    }

    @Override
    public ResponseEntity<Listener> updateListener(
            String projectId, String loadBalancerId, String listenerId, ListenerUpdate body, @Nullable String ifMatch) {
        UUID id = Ids.path(ResourceId.LISTENER, listenerId);
        return parts.write(
                projectId,
                loadBalancerId,
                ProjectRole.EDITOR,
                "updateListener",
                ifMatch,
                tree -> TreeParts.listener(tree, id),
                (tree, reader) -> updated(tree, reader, TreeParts.listener(tree, id)),
                tree -> answer(ResponseEntity.ok(), tree, id));
    }

    private Change updated(LoadBalancerTree tree, TreeReader reader, ListenerSpec before) {
        boolean byName = patches.properties().contains("pool_name")
                && !patches.properties().contains("pool_id");
        dev.weir.rest.v1.model.ListenerSpec after = patches.apply(
                RestTrees.listener(tree, before),
                List.of("id", byName ? "pool_id" : "pool_name"),
                dev.weir.rest.v1.model.ListenerSpec.class);
        String at = "/listeners/" + (tree.listeners().size() - 1);
        return TreeParts.withListener(tree, reader, reader.listener(after, before, tree.pools(), at), byName);
    }

    @Override
    public ResponseEntity<Void> deleteListener(
            String projectId, String loadBalancerId, String listenerId, @Nullable String ifMatch) {
        UUID id = Ids.path(ResourceId.LISTENER, listenerId);
        return parts.write(
                projectId,
                loadBalancerId,
                ProjectRole.EDITOR,
                "deleteListener",
                ifMatch,
                tree -> TreeParts.listener(tree, id),
                (tree, reader) -> new Change(
                        Draft.of(TreeParts.with(
                                tree,
                                tree.listeners().stream()
                                        .filter(listener -> !listener.id().equals(id))
                                        .toList(),
                                tree.pools())),
                        ""),
                tree -> ResponseEntity.noContent().build());
    }
}
