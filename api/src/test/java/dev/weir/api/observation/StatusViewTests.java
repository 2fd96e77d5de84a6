// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.observation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.rest.v1.model.OperatingStatus;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StatusViewTests {
    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource({
        "'', unknown",
        "unknown, unknown",
        "healthy, healthy",
        "healthy unmonitored, healthy",
        "unmonitored, unmonitored",
        "healthy unhealthy, degraded",
        "unhealthy, unhealthy",
        "unhealthy unhealthy, unhealthy",
        "degraded, degraded",
        "healthy draining, healthy",
        "unhealthy disabled, unhealthy",
        "draining disabled, draining",
        "disabled, disabled",
        "unknown disabled, unknown",
        "healthy unknown, healthy",
    })
    void partsAmountTo(String parts, String whole) {
        var statuses = Stream.of(parts.split(" "))
                .filter(part -> !part.isEmpty())
                .map(OperatingStatus::fromValue)
                .toList();

        assertThat(StatusView.combine(statuses).getValue()).isEqualTo(whole);
    }
}
