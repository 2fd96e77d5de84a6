// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.ClassPathScanningCandidateComponentProvider;
import org.springframework.core.type.filter.AssignableTypeFilter;
import org.springframework.data.repository.Repository;

/** The fence behind row-level security: what is a project's is found by its project and by nothing less. */
class RepositoryFenceTests {
    /** Of operators' calls and of jobs, which go over all projects. */
    private static final Set<String> OVER_ALL_PROJECTS =
            Set.of("ServiceAccountRepository.clientIds", "ServiceAccountRepository.creatingSince");

    @Test
    void everyQueryForWhatIsAProjectsNamesTheProject() throws ClassNotFoundException {
        ClassPathScanningCandidateComponentProvider scanner = new ClassPathScanningCandidateComponentProvider(false) {
            @Override
            protected boolean isCandidateComponent(
                    org.springframework.beans.factory.annotation.AnnotatedBeanDefinition definition) {
                return true;
            }
        };
        scanner.addIncludeFilter(new AssignableTypeFilter(Repository.class));
        Set<String> withoutProject = new TreeSet<>();
        int repositories = 0;
        for (var definition : scanner.findCandidateComponents("dev.weir.db")) {
            Class<?> repository = Class.forName(definition.getBeanClassName());
            Class<?> entity =
                    (Class<?>) ((ParameterizedType) repository.getGenericInterfaces()[0]).getActualTypeArguments()[0];
            boolean ofProjects = Arrays.stream(entity.getDeclaredFields())
                    .anyMatch(field -> field.getName().equals("projectId"));
            if (ofProjects) {
                repositories++;
                for (Method method : repository.getDeclaredMethods()) {
                    boolean named = Arrays.stream(method.getParameters())
                            .anyMatch(parameter -> parameter.getName().equals("projectId")
                                    || parameter.getType().equals(entity));
                    if (!named && !method.getName().equals("flush")) {
                        withoutProject.add(repository.getSimpleName() + "." + method.getName());
                    }
                }
            }
        }

        assertThat(repositories).isGreaterThan(3);
        assertThat(List.copyOf(withoutProject)).containsExactlyElementsOf(new TreeSet<>(OVER_ALL_PROJECTS));
    }
}
