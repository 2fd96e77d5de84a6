// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.contract;

import dev.weir.api.web.ContractSchemas;
import dev.weir.rest.v1.ContractApi;
import dev.weir.rest.v1.model.Health;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.util.function.SingletonSupplier;
import org.springframework.web.bind.annotation.RestController;

/** The contract itself, and whether the service works. */
@RestController
final class ContractController implements ContractApi {
    private final DataSource database;
    private final Draining draining;
    private final String contract = ContractSchemas.text();
    private final Supplier<String> page = SingletonSupplier.of(() -> ContractPage.of(contract));

    ContractController(DataSource database, Draining draining) {
        this.database = database;
        this.draining = draining;
    }

    @Override
    public ResponseEntity<String> getContract() {
        return ResponseEntity.ok()
                .contentType(MediaType.parseMediaType("application/yaml"))
                .body(contract);
    }

    @Override
    public ResponseEntity<String> getContractPage() {
        return ResponseEntity.ok()
                .contentType(new MediaType(MediaType.TEXT_HTML, StandardCharsets.UTF_8))
                .header("Content-Security-Policy", ContractPage.SECURITY_POLICY)
                .body(page.get());
    }

    @Override
    public ResponseEntity<Health> getLiveness() {
        return ResponseEntity.ok(new Health().status("UP"));
    }

    @Override
    public ResponseEntity<Health> getReadiness() {
        if (!draining.isRunning()) {
            return ResponseEntity.status(HttpStatus.SERVICE_UNAVAILABLE).body(new Health().status("STOPPING"));
        }
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
