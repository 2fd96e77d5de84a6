// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Arrows between the parts of the product point one way. */
class ArchitectureTests {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.weir");

    @Test
    void contractsKnowNobody() {
        noClasses()
                .that()
                .resideInAnyPackage("dev.weir.messages..", "dev.weir.rest..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.weir.compiler..", "dev.weir.db..", "dev.weir.api..")
                .check(CLASSES);
    }

    @Test
    void compilerKnowsTheContractsOnlyAndDoesNoInputOrOutput() {
        noClasses()
                .that()
                .resideInAPackage("dev.weir.compiler..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.weir.db..",
                        "dev.weir.api..",
                        "dev.weir.rest..",
                        "org.springframework..",
                        "java.sql..",
                        "java.nio.file..")
                .check(CLASSES);
    }

    @Test
    void databaseKnowsNeitherServiceNorRest() {
        noClasses()
                .that()
                .resideInAPackage("dev.weir.db..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.weir.api..", "dev.weir.rest..", "dev.weir.provisioner..")
                .check(CLASSES);
    }

    @Test
    void serviceKnowsNeitherProvisionerNorEdgeNorKafka() {
        noClasses()
                .that()
                .resideInAPackage("dev.weir.api..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.weir.provisioner..", "dev.weir.edge..", "org.apache.kafka..")
                .check(CLASSES);
    }

    @Test
    void onlyTheDatabaseModuleSpeaksSql() {
        noClasses()
                .that()
                .resideInAPackage("dev.weir.api..")
                .and()
                .haveSimpleNameNotContaining("Database")
                .and()
                .resideOutsideOfPackage("dev.weir.api.contract..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.springframework.jdbc..", "java.sql..")
                .check(CLASSES);
    }
}
