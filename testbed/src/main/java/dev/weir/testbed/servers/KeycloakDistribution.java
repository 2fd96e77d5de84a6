// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** Keycloak, unpacked and built for its options once; a start then only runs it. */
final class KeycloakDistribution {
    private static final List<String> BUILD_OPTIONS =
            List.of("--db=postgres", "--features=organization", "--health-enabled=false", "--metrics-enabled=false");

    private KeycloakDistribution() {}

    static Path home() throws IOException, InterruptedException {
        String options = Integer.toHexString(BUILD_OPTIONS.hashCode());
        return Cache.directory(
                "keycloak-" + Artifacts.value("keycloak.version") + "-" + options, KeycloakDistribution::make);
    }

    /** The command that {@code kc.sh} would run; the script itself stays between us and the process and hides its end. */
    static List<String> command(Path home, Path libraries, List<String> jvmOptions, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvmOptions);
        command.addAll(List.of(
                "-XX:+UseSerialGC",
                "-XX:+ExitOnOutOfMemoryError",
                "-Dfile.encoding=UTF-8",
                "-Duser.language=en",
                "-Duser.country=US",
                "-Djava.util.concurrent.ForkJoinPool.common.threadFactory="
                        + "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
                "--add-opens=java.base/java.util=ALL-UNNAMED",
                "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
                "--add-opens=java.base/java.security=ALL-UNNAMED",
                "--add-opens=java.base/java.lang=ALL-UNNAMED",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Dkc.home.dir=" + home,
                "-cp",
                libraries.resolve("lib/quarkus-run.jar").toString(),
                "io.quarkus.bootstrap.runner.QuarkusEntryPoint"));
        command.addAll(arguments);
        return command;
    }

    private static void make(Path directory) throws IOException, InterruptedException {
        unzip(Artifacts.path("keycloak.zip"), directory);
        List<String> arguments = new ArrayList<>(List.of("build"));
        arguments.addAll(BUILD_OPTIONS);
        Path log = directory.resolve("build.log");
        List<String> command = command(directory, directory, List.of("-Xmx512m"), arguments);
        int status = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start()
                .waitFor();
        if (status != 0) {
            throw new IOException("building Keycloak failed:\n" + Files.readString(log));
        }
    }

    // Leaves out the archive's only top directory.
    private static void unzip(Path archive, Path directory) throws IOException {
        try (ZipFile zip = new ZipFile(archive.toFile())) {
            Enumeration<? extends ZipEntry> entries = zip.entries();
            while (entries.hasMoreElements()) {
                ZipEntry entry = entries.nextElement();
                Path name = Path.of(entry.getName());
                if (name.getNameCount() < 2) {
                    continue;
                }
                Path target =
                        directory.resolve(name.subpath(1, name.getNameCount())).normalize();
                if (!target.startsWith(directory)) {
                    throw new IOException("the archive names a file outside itself: " + name);
                }
                if (entry.isDirectory()) {
                    Files.createDirectories(target);
                } else {
                    Files.createDirectories(target.getParent());
                    try (var in = zip.getInputStream(entry)) {
                        Files.copy(in, target);
                    }
                }
            }
        }
    }
}
