// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.kafka;

import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;

/** What a broker process needs on its class path; none of it is on the class path of those who start one. */
public final class BrokerClassPath {
    private BrokerClassPath() {}

    /** The class path for {@code java -cp}: this module and the broker's libraries where the build found them. */
    public static String get() throws IOException {
        try (InputStream in =
                Objects.requireNonNull(BrokerClassPath.class.getResourceAsStream("class-path.txt"), "class-path.txt")) {
            String libraries = new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
            Path own = Path.of(BrokerClassPath.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            return own + ":" + libraries;
        } catch (URISyntaxException e) {
            throw new IOException("the class path has a location that is no file", e);
        }
    }
}
