// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import dev.weir.api.web.Ids;
import dev.weir.api.web.ProblemCode;
import dev.weir.api.web.ProblemException;
import dev.weir.compiler.ResourceId;
import dev.weir.db.project.Project;
import dev.weir.db.project.ProjectRole;
import dev.weir.db.project.ProjectRows;
import dev.weir.db.project.ProjectRows.Granted;
import dev.weir.db.session.Sessions;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * Lets calls in. Each runs in one transaction, with the rights of its caller: the token must name the organization of
 * the project's tenant, and a grant must name the token's subject. Whoever may not see a project learns nothing of it.
 */
@Component
public final class Access {
    private final Sessions sessions;
    private final ProjectRows projects;
    private final AuditTrail audit;

    Access(Sessions sessions, ProjectRows projects, AuditTrail audit) {
        this.sessions = sessions;
        this.projects = projects;
        this.audit = audit;
    }

    /** A caller of the fleet's resources. */
    public record FleetAccess(String subject, @Nullable String name) {}

    /** Reads in a project; any role will do. */
    public <T> T read(String projectId, Function<ProjectAccess, T> work) {
        Caller caller = tenantsCaller();
        UUID id = Ids.path(ResourceId.PROJECT, projectId);
        return sessions.read(caller.session(), () -> work.apply(enter(caller, id, ProjectRole.VIEWER, false)));
    }

    /**
     * Writes in a project.
     *
     * @param action operation of the contract, for the audit log
     */
    public <T> T write(String projectId, ProjectRole needed, String action, Function<ProjectAccess, T> work) {
        Caller caller = tenantsCaller();
        UUID id = Ids.path(ResourceId.PROJECT, projectId);
        return sessions.write(caller.session(), () -> {
            T result = work.apply(enter(caller, id, needed, true));
            audit.allowed(id, caller, action, result);
            return result;
        });
    }

    /** Reads as an operator, or as an admin of the project. */
    public <T> T administer(String projectId, Function<ProjectAccess, T> work) {
        Caller caller = caller();
        UUID id = Ids.path(ResourceId.PROJECT, projectId);
        return caller.operator()
                ? sessions.read(caller.operatorSession(), () -> work.apply(enterAsOperator(caller, id)))
                : sessions.read(caller.session(), () -> work.apply(enter(caller, id, ProjectRole.ADMIN, false)));
    }

    /** Writes as an operator, or as an admin of the project. */
    public <T> T administer(String projectId, String action, Function<ProjectAccess, T> work) {
        Caller caller = caller();
        UUID id = Ids.path(ResourceId.PROJECT, projectId);
        return prepare(projectId, in -> {
            T result = work.apply(in);
            audit.allowed(id, caller, action, result);
            return result;
        });
    }

    /** As {@link #administer}, for the steps before the one that does what was asked: the log names only that one. */
    public <T> T prepare(String projectId, Function<ProjectAccess, T> work) {
        Caller caller = caller();
        UUID id = Ids.path(ResourceId.PROJECT, projectId);
        return caller.operator()
                ? sessions.write(caller.operatorSession(), () -> work.apply(enterAsOperator(caller, id)))
                : sessions.write(caller.session(), () -> work.apply(enter(caller, id, ProjectRole.ADMIN, true)));
    }

    public <T> T readFleet(Function<FleetAccess, T> work) {
        Caller caller = operator();
        return sessions.read(
                caller.operatorSession(), () -> work.apply(new FleetAccess(caller.subject(), caller.name())));
    }

    public <T> T writeFleet(String action, Function<FleetAccess, T> work) {
        Caller caller = operator();
        return sessions.write(caller.operatorSession(), () -> {
            T result = work.apply(new FleetAccess(caller.subject(), caller.name()));
            audit.allowed(null, caller, action, result);
            return result;
        });
    }

    /**
     * Reads for a node that has no access token. Whoever calls this lets nothing out before the node proved who it is.
     *
     * @param nodeId that the node claims to have
     */
    public <T> T readAsNode(UUID nodeId, Supplier<T> work) {
        return sessions.read(node(nodeId).operatorSession(), work);
    }

    /** As {@link #readAsNode}, for writes. */
    public <T> T writeAsNode(UUID nodeId, String action, Supplier<T> work) {
        Caller caller = node(nodeId);
        return sessions.write(caller.operatorSession(), () -> {
            T result = work.get();
            audit.allowed(null, caller, action, result);
            return result;
        });
    }

    private static Caller node(UUID id) {
        return new Caller(ResourceId.NODE.format(id), null, false, false, Set.of());
    }

    /** Reads what every caller may, with the rights of an operator or of a tenant's caller. */
    public <T> T readShared(Function<FleetAccess, T> forOperator, Function<FleetAccess, T> forTenant) {
        Caller caller = caller();
        FleetAccess access = new FleetAccess(caller.subject(), caller.name());
        return caller.operator()
                ? sessions.read(caller.operatorSession(), () -> forOperator.apply(access))
                : sessions.read(caller.session(), () -> forTenant.apply(access));
    }

    private ProjectAccess enter(Caller caller, UUID id, ProjectRole needed, boolean writing) {
        Granted granted = projects.findGranted(id, caller.subject()).orElseThrow(ProblemException::notFound);
        AuditTrail.entered(id);
        if (!granted.role().includes(needed)) {
            throw new ProblemException(
                    ProblemCode.FORBIDDEN,
                    "This needs the role %s in the project; yours is %s."
                            .formatted(needed.text(), granted.role().text()));
        }
        if (writing && granted.tenantSuspended()) {
            throw new ProblemException(
                    ProblemCode.TENANT_SUSPENDED, "The tenant is suspended: its traffic stays, changes wait.");
        }
        sessions.enterProject(id);
        return new ProjectAccess(granted.project(), caller.subject(), caller.name());
    }

    private ProjectAccess enterAsOperator(Caller caller, UUID id) {
        Project project = projects.find(id).orElseThrow(ProblemException::notFound);
        AuditTrail.entered(id);
        sessions.enterProject(id);
        return new ProjectAccess(project, caller.subject(), caller.name());
    }

    private static Caller operator() {
        Caller caller = caller();
        if (!caller.operator()) {
            throw new ProblemException(ProblemCode.FORBIDDEN, "This is for operators.");
        }
        return caller;
    }

    private static Caller tenantsCaller() {
        Caller caller = caller();
        if (!caller.tenants()) {
            throw new ProblemException(
                    ProblemCode.FORBIDDEN, "This needs a token with the audience " + Caller.TENANTS_AUDIENCE + ".");
        }
        return caller;
    }

    private static Caller caller() {
        return Caller.current()
                .orElseThrow(() -> new ProblemException(ProblemCode.UNAUTHENTICATED, "Send a bearer token."));
    }
}
