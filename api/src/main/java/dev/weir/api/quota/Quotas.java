// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.quota;

import dev.weir.api.web.FieldFault;
import dev.weir.api.web.ProblemCode;
import dev.weir.db.quota.ProjectQuotas;
import dev.weir.db.quota.ProjectQuotas.Quota;
import dev.weir.db.quota.ProjectQuotas.Resource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.springframework.stereotype.Component;

/** Holds projects to their quotas, in the transaction of the call that adds something. */
@Component
public final class Quotas {
    private final ProjectQuotas quotas;

    Quotas(ProjectQuotas quotas) {
        this.quotas = quotas;
    }

    /**
     * What a call adds.
     *
     * @param more what is not stored yet
     * @param pointer into the request, to what is too much
     */
    public record Added(Resource resource, int more, String pointer) {}

    /** Waits for others that add to the project; a call takes no other lock afterwards. */
    public List<FieldFault> faults(UUID projectId, List<Added> added) {
        List<Added> growing =
                added.stream().filter(addition -> addition.more() > 0).toList();
        return growing.isEmpty() ? List.of() : counted(projectId, growing);
    }

    /** As {@link #faults}, for what is stored already. */
    public List<FieldFault> faultsAfter(UUID projectId, Resource resource, String pointer) {
        return counted(projectId, List.of(new Added(resource, 0, pointer)));
    }

    private List<FieldFault> counted(UUID projectId, List<Added> growing) {
        quotas.lock(projectId);
        List<FieldFault> faults = new ArrayList<>();
        for (Added addition : growing) {
            Quota quota = quotas.get(projectId, addition.resource());
            if (quota.used() + addition.more() > quota.limit()) {
                faults.add(new FieldFault(
                        addition.pointer(),
                        ProblemCode.QUOTA_EXCEEDED.name(),
                        "the project may have %d %s, and this would make %d"
                                .formatted(
                                        quota.limit(), addition.resource().column(), quota.used() + addition.more())));
            }
        }
        return faults;
    }
}
