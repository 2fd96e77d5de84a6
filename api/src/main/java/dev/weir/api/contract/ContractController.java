// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.contract;

import dev.weir.api.web.ContractSchemas;
import dev.weir.rest.v1.ContractApi;
import dev.weir.rest.v1.model.Health;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

/** The contract itself, and whether the service works. */
@RestController
final class ContractController implements ContractApi {
    private final DataSource database;
    private final String contract = ContractSchemas.text();

    ContractController(DataSource database) {
        this.database = database;
    }

    @Override
    public ResponseEntity<String> getContract() {
        return ResponseEntity.ok()
                .contentType(MediaType.parseMediaType("application/yaml"))
                .body(contract);
    }

    @Override
    public ResponseEntity<Health> getLiveness() {
        return ResponseEntity.ok(new Health().status("UP"));
    }

    @Override
    public ResponseEntity<Health> getReadiness() {
        try (Connection connection = database.getConnection()) {
            if (connection.isValid(1)) {
                return ResponseEntity.ok(new Health().status("UP"));
            }
        } catch (SQLException e) {
            // Answered below: being asked is how it is noticed.
        }
        return ResponseEntity.status(HttpStatus.SERVICE_UNAVAILABLE).body(new Health().status("DATABASE_UNAVAILABLE"));
    }
}
