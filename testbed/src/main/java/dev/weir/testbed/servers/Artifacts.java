// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.servers;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Properties;

/** Where the build found the servers' archives. */
final class Artifacts {
    private Artifacts() {}

    static Path path(String name) throws IOException {
        return Path.of(value(name));
    }

    static String value(String name) throws IOException {
        Properties properties = new Properties();
        try (InputStream in =
                Objects.requireNonNull(Artifacts.class.getResourceAsStream("artifacts.properties"), "artifacts")) {
            properties.load(in);
        }
        String value = properties.getProperty(name);
        if (value == null || value.startsWith("@")) {
            throw new IOException("the build did not note where " + name + " is; build module testbed with Maven");
        }
        return value;
    }
}
