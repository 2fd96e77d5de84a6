// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.web.ContractSchemas;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.context.annotation.ClassPathScanningCandidateComponentProvider;
import org.springframework.core.type.filter.AnnotationTypeFilter;
import org.springframework.web.bind.annotation.RestController;
import org.yaml.snakeyaml.Yaml;

/** What the contract promises, the service has. */
class ContractTests {
    private final Map<String, Map<String, Object>> paths = paths();

    @SuppressWarnings("unchecked")
    private static Map<String, Map<String, Object>> paths() {
        Map<String, Object> contract = new Yaml().load(ContractSchemas.text());
        return (Map<String, Map<String, Object>>) contract.getOrDefault("paths", Map.of());
    }

    @SuppressWarnings("unchecked")
    private Stream<Map<String, Object>> operations() {
        return paths.values().stream()
                .flatMap(path -> path.entrySet().stream())
                .filter(entry -> !entry.getKey().equals("parameters"))
                .map(entry -> (Map<String, Object>) entry.getValue());
    }

    @Test
    void everyOperationIsImplemented() throws ClassNotFoundException {
        ClassPathScanningCandidateComponentProvider scanner = new ClassPathScanningCandidateComponentProvider(false);
        scanner.addIncludeFilter(new AnnotationTypeFilter(RestController.class));
        List<String> implemented = scanner.findCandidateComponents("dev.weir.api").stream()
                .map(BeanDefinition::getBeanClassName)
                .map(ContractTests::load)
                .flatMap(type -> Stream.of(type.getInterfaces()))
                .flatMap(contract -> Stream.of(contract.getMethods()))
                .map(java.lang.reflect.Method::getName)
                .toList();

        assertThat(operations().map(operation -> operation.get("operationId")))
                .isNotEmpty()
                .allSatisfy(id -> assertThat(implemented).contains(String.valueOf(id)));
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name);
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void everyOperationNamesTheRightItNeedsAndItsProblems() {
        assertThat(operations()).allSatisfy(operation -> {
            assertThat(operation).containsKeys("operationId", "summary", "tags", "x-permission", "responses");
            if (!"public".equals(operation.get("x-permission"))) {
                assertThat(String.valueOf(operation.get("responses"))).contains("default=");
            }
        });
    }

    @Test
    void everyCreationTakesAnIdempotencyKey() {
        paths.forEach((path, item) -> {
            if (item.containsKey("post")) {
                assertThat(item.get("post").toString()).as(path).contains("IdempotencyKey");
            }
        });
    }

    @Test
    void pathsAreKebabCaseAndPropertiesSnakeCase() {
        assertThat(paths.keySet()).allMatch(path -> path.matches("(/[a-z0-9.-]+|/\\{[a-z_]+})+(:[a-z-]+)?"));
    }

    @Test
    void schemasUseNothingThatTheCheckDoesNotKnow() {
        // The constructor refuses what it does not know.
        assertThat(new ContractSchemas().has("LoadBalancerCreate")).isTrue();
    }
}
