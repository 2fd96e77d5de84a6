// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.session;

import java.util.Map;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;

/** Connects as the database role of the current {@link Session}; without one as the role that then sees nothing. */
public final class RoleRoutingDataSource extends AbstractRoutingDataSource {

    public RoleRoutingDataSource(Map<Session.DatabaseRole, DataSource> sources) {
        setTargetDataSources(
                sources.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)));
        setLenientFallback(false);
    }

    @Override
    protected Object determineCurrentLookupKey() {
        return Sessions.current().map(Session::role).orElse(Session.DatabaseRole.API);
    }
}
