// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import org.junit.jupiter.api.Test;
import org.springframework.modulith.core.ApplicationModules;

class ModularityTests {
    @Test
    void modulesUseEachOtherThroughTheirPublicTypesAndWithoutCycles() {
        ApplicationModules.of(ApiApplication.class).verify();
    }
}
