// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.quota;

import dev.weir.api.access.Access;
import dev.weir.api.web.Ids;
import dev.weir.api.web.ProblemException;
import dev.weir.compiler.ResourceId;
import dev.weir.db.quota.ProjectQuotas;
import dev.weir.db.quota.ProjectQuotas.Resource;
import dev.weir.rest.v1.QuotasApi;
import dev.weir.rest.v1.model.Quota;
import dev.weir.rest.v1.model.QuotaUpdate;
import dev.weir.rest.v1.model.QuotaUsage;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

@RestController
final class QuotaController implements QuotasApi {
    private final Access access;
    private final ProjectQuotas quotas;

    QuotaController(Access access, ProjectQuotas quotas) {
        this.access = access;
        this.quotas = quotas;
    }

    @Override
    public ResponseEntity<Quota> getQuota(String projectId) {
        UUID id = Ids.path(ResourceId.PROJECT, projectId);
        Optional<ResponseEntity<Quota>> operators =
                access.readShared(operator -> Optional.of(answer(id)), tenant -> Optional.empty());
        return operators.orElseGet(() -> access.read(projectId, in -> answer(in.projectId())));
    }

    @Override
    public ResponseEntity<Quota> updateQuota(String projectId, QuotaUpdate body) {
        UUID id = Ids.path(ResourceId.PROJECT, projectId);
        return access.writeFleet("updateQuota", fleet -> {
            wanted(body).forEach((resource, limit) -> quotas.set(id, resource, limit));
            return answer(id);
        });
    }

    private static Map<Resource, Integer> wanted(QuotaUpdate body) {
        Map<Resource, Integer> wanted = new EnumMap<>(Resource.class);
        put(wanted, Resource.LOAD_BALANCERS, body.getLoadBalancers());
        put(wanted, Resource.LISTENERS, body.getListeners());
        put(wanted, Resource.POOLS, body.getPools());
        put(wanted, Resource.MEMBERS, body.getMembers());
        put(wanted, Resource.VIPS, body.getVips());
        put(wanted, Resource.PREFIX_LISTS, body.getPrefixLists());
        return wanted;
    }

    private static void put(Map<Resource, Integer> wanted, Resource resource, @Nullable Integer limit) {
        if (limit != null) {
            wanted.put(resource, limit);
        }
    }

    private ResponseEntity<Quota> answer(UUID projectId) {
        Map<Resource, ProjectQuotas.Quota> found = quotas.find(projectId).orElseThrow(ProblemException::notFound);
        return ResponseEntity.ok(new Quota()
                .projectId(ResourceId.PROJECT.format(projectId))
                .loadBalancers(rest(found.get(Resource.LOAD_BALANCERS)))
                .listeners(rest(found.get(Resource.LISTENERS)))
                .pools(rest(found.get(Resource.POOLS)))
                .members(rest(found.get(Resource.MEMBERS)))
                .vips(rest(found.get(Resource.VIPS)))
                .prefixLists(rest(found.get(Resource.PREFIX_LISTS))));
    }

    private static QuotaUsage rest(ProjectQuotas.@Nullable Quota quota) {
        ProjectQuotas.Quota known = java.util.Objects.requireNonNull(quota);
        return new QuotaUsage().limit(known.limit()).used(known.used());
    }
}
