// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import java.util.UUID;

/**
 * Ids as REST and messages spell them: the resource's prefix, an underscore, the UUID's 32 lower-case hex digits. In SQL
 * they are plain {@code uuid} columns.
 */
public enum ResourceId {
    TENANT("tnt"),
    PROJECT("prj"),
    ADDRESS_POOL("apool"),
    VIP("vip"),
    LOAD_BALANCER("lb"),
    LISTENER("lst"),
    POOL("pool"),
    MEMBER("mbr"),
    HEALTH_MONITOR("hm"),
    PREFIX_LIST("pfx"),
    POP("pop"),
    NODE("node"),
    REVISION("rev"),
    ROLE_GRANT("grant"),
    SERVICE_ACCOUNT("sa"),
    EVENT("evt"),
    AUDIT_EVENT("audit");

    private final String prefix;

    ResourceId(String prefix) {
        this.prefix = prefix + "_";
    }

    public String format(UUID id) {
        return prefix + id.toString().replace("-", "");
    }

    /** @throws IllegalArgumentException if {@code text} is not such an id of this kind of resource */
    public UUID parse(String text) {
        if (!matches(text)) {
            throw new IllegalArgumentException("not an id of the form " + prefix + "<32 hex digits>");
        }
        String hex = text.substring(prefix.length());
        return new UUID(Long.parseUnsignedLong(hex, 0, 16, 16), Long.parseUnsignedLong(hex, 16, 32, 16));
    }

    public boolean matches(String text) {
        if (text.length() != prefix.length() + 32 || !text.startsWith(prefix)) {
            return false;
        }
        for (int i = prefix.length(); i < text.length(); i++) {
            char c = text.charAt(i);
            if (!(c >= '0' && c <= '9' || c >= 'a' && c <= 'f')) {
                return false;
            }
        }
        return true;
    }
}
