// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLTransientConnectionException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Reads what the database's errors mean for the caller; goes by the names of constraints. */
final class DatabaseFaults {
    private static final Map<String, ProblemException> CONFLICTS = Map.ofEntries(
            conflict("tenant_name_key", ProblemCode.NAME_TAKEN, "/name", "Another tenant has this name."),
            conflict(
                    "tenant_organization_key",
                    ProblemCode.NAME_TAKEN,
                    "/name",
                    "The organization of this name belongs to another tenant."),
            conflict("project_name_key", ProblemCode.NAME_TAKEN, "/name", "Another project has this name."),
            conflict(
                    "service_account_name_key",
                    ProblemCode.NAME_TAKEN,
                    "/name",
                    "Another service account has this name."),
            conflict("address_pool_name_key", ProblemCode.NAME_TAKEN, "/name", "Another address pool has this name."),
            conflict("pop_name_key", ProblemCode.NAME_TAKEN, "/name", "Another PoP has this name."),
            conflict("node_name_key", ProblemCode.NAME_TAKEN, "/name", "Another node of the PoP has this name."),
            conflict("prefix_list_name_key", ProblemCode.NAME_TAKEN, "/name", "Another prefix list has this name."),
            conflict("vip_name_key", ProblemCode.NAME_TAKEN, "/name", "Another VIP has this name."),
            conflict("load_balancer_name_key", ProblemCode.NAME_TAKEN, "/name", "Another load balancer has this name."),
            conflict(
                    "node_data_address_key",
                    ProblemCode.ADDRESS_NOT_AVAILABLE,
                    "/data_address",
                    "Another node of the PoP has this address."),
            conflict(
                    "node_snat_range_overlap",
                    ProblemCode.NETWORK_OVERLAP,
                    "/snat_ranges",
                    "A range overlaps with one that is in use."),
            conflict("node_snat_range_pk", ProblemCode.NETWORK_OVERLAP, "/snat_ranges", "A range is named twice."),
            conflict(
                    "address_pool_prefix_overlap",
                    ProblemCode.NETWORK_OVERLAP,
                    "/prefixes",
                    "A prefix overlaps with one that is in use."),
            conflict("address_pool_prefix_pk", ProblemCode.NETWORK_OVERLAP, "/prefixes", "A prefix is named twice."));

    /** What HikariCP says, without a state, of a connection that broke: to a roll-back, for one. */
    private static final String TAKEN_AWAY = "Connection is closed";

    private DatabaseFaults() {}

    private static Map.Entry<String, ProblemException> conflict(
            String constraint, ProblemCode code, String pointer, String detail) {
        return Map.entry(
                constraint, new ProblemException(code, detail, List.of(new FieldFault(pointer, code.name(), detail))));
    }

    static Optional<ProblemException> conflict(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof PSQLException postgres) {
                ServerErrorMessage message = postgres.getServerErrorMessage();
                if (message != null && message.getConstraint() != null) {
                    return Optional.ofNullable(CONFLICTS.get(message.getConstraint()));
                }
            }
        }
        return Optional.empty();
    }

    /** Whether the database could not be reached, or went away in the middle of the call. */
    static boolean unavailable(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLTransientConnectionException
                    || cause instanceof SQLNonTransientConnectionException) {
                return true;
            }
            if (cause instanceof SQLException sql && TAKEN_AWAY.equals(sql.getMessage())) {
                return true;
            }
            if (cause instanceof SQLException sql && sql.getSQLState() != null) {
                String state = sql.getSQLState();
                // Connection failures; shut down by an administrator, a crash or while starting; too many connections.
                if (state.startsWith("08") || state.startsWith("57P0") || state.equals("53300")) {
                    return true;
                }
            }
        }
        return false;
    }
}
