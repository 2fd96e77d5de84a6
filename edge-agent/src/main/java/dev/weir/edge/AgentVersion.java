// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

/** The version of this build, as reported with each watermark. */
public final class AgentVersion {
    private AgentVersion() {}

    /** Returns "development" outside a packaged jar. */
    public static String get() {
        String version = AgentVersion.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
