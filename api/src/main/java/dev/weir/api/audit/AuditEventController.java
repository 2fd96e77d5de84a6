// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.audit;

import dev.weir.api.access.Access;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Pages;
import dev.weir.api.web.Times;
import dev.weir.compiler.ResourceId;
import dev.weir.db.audit.AuditLog;
import dev.weir.rest.v1.AuditEventsApi;
import dev.weir.rest.v1.model.AuditChange;
import dev.weir.rest.v1.model.AuditEvent;
import dev.weir.rest.v1.model.AuditEventPage;
import dev.weir.rest.v1.model.AuditOutcome;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

@RestController
final class AuditEventController implements AuditEventsApi {
    private static final TypeReference<List<AuditChange>> CHANGES = new TypeReference<>() {};

    private final Access access;
    private final AuditLog audit;
    private final JsonMapper json;

    AuditEventController(Access access, AuditLog audit, JsonMapper json) {
        this.access = access;
        this.audit = audit;
        this.json = json;
    }

    @Override
    public ResponseEntity<AuditEventPage> listProjectAuditEvents(
            String projectId,
            Integer limit,
            @Nullable String cursor,
            @Nullable AuditOutcome outcome,
            @Nullable String action,
            @Nullable String resource) {
        UUID before = Pages.beforeId(cursor);
        int rows = Pages.rows(limit);
        return access.administer(
                projectId,
                in -> page(new AuditLog.Query(in.projectId(), before, text(outcome), action, resource, rows), limit));
    }

    @Override
    public ResponseEntity<AuditEventPage> listAuditEvents(
            Integer limit,
            @Nullable String cursor,
            @Nullable String projectId,
            @Nullable AuditOutcome outcome,
            @Nullable String action,
            @Nullable String resource) {
        UUID project = projectId == null ? null : Ids.path(ResourceId.PROJECT, projectId);
        UUID before = Pages.beforeId(cursor);
        int rows = Pages.rows(limit);
        return access.readFleet(
                fleet -> page(new AuditLog.Query(project, before, text(outcome), action, resource, rows), limit));
    }

    private static @Nullable String text(@Nullable AuditOutcome outcome) {
        return outcome == null ? null : outcome.getValue();
    }

    private ResponseEntity<AuditEventPage> page(AuditLog.Query query, int limit) {
        Pages<dev.weir.db.audit.AuditEvent> page =
                Pages.of(audit.page(query), limit, event -> event.id().toString());
        return ResponseEntity.ok(new AuditEventPage()
                .items(page.items().stream().map(this::rest).toList())
                .nextCursor(page.nextCursor()));
    }

    private AuditEvent rest(dev.weir.db.audit.AuditEvent event) {
        UUID project = event.projectId();
        return new AuditEvent()
                .id(ResourceId.AUDIT_EVENT.format(event.id()))
                .projectId(project == null ? null : ResourceId.PROJECT.format(project))
                .subject(event.call().subject())
                .username(event.call().username())
                .action(event.call().action())
                .resource(event.call().resource())
                .path(event.call().path())
                .sourceAddress(event.call().sourceAddress())
                .requestId(event.call().requestId())
                .outcome(event.code() == null ? AuditOutcome.ALLOWED : AuditOutcome.REFUSED)
                .code(event.code())
                .changes(json.readValue(event.changes(), CHANGES))
                .createdAt(Times.of(event.createdAt()));
    }
}
