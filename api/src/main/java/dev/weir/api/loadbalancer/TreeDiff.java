// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.ListenerSpec;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** What changed between two trees, for people. */
final class TreeDiff {
    private static final int MAX_CHANGES = 20;

    private final List<String> changes = new ArrayList<>();

    private TreeDiff() {}

    static String summary(LoadBalancerTree before, LoadBalancerTree after) {
        TreeDiff diff = new TreeDiff();
        diff.value("name", before.name(), after.name());
        diff.changed("description", before.description(), after.description());
        diff.changed("labels", before.labels(), after.labels());
        diff.value("enabled", before.enabled(), after.enabled());
        diff.changed("placement", before.placement(), after.placement());
        diff.parts(
                "listener",
                before.listeners(),
                after.listeners(),
                ListenerSpec::id,
                ListenerSpec::name,
                diff::listener);
        diff.parts("pool", before.pools(), after.pools(), PoolSpec::id, PoolSpec::name, diff::pool);
        if (diff.changes.size() > MAX_CHANGES) {
            return String.join("; ", diff.changes.subList(0, MAX_CHANGES))
                    + "; and %d more".formatted(diff.changes.size() - MAX_CHANGES);
        }
        return String.join("; ", diff.changes);
    }

    private <T> void parts(
            String kind,
            List<T> before,
            List<T> after,
            Function<T, UUID> id,
            Function<T, String> name,
            BiConsumer<T, T> same) {
        Map<UUID, T> old = new LinkedHashMap<>();
        before.forEach(part -> old.put(id.apply(part), part));
        for (T part : after) {
            T match = old.remove(id.apply(part));
            if (match == null) {
                changes.add("%s %s added".formatted(kind, name.apply(part)));
            } else if (!match.equals(part)) {
                same.accept(match, part);
            }
        }
        old.values().forEach(part -> changes.add("%s %s removed".formatted(kind, name.apply(part))));
    }

    private void listener(ListenerSpec before, ListenerSpec after) {
        changes.add("listener %s changed".formatted(after.name()));
    }

    private void pool(PoolSpec before, PoolSpec after) {
        PoolSpec rest = Draft.withMembers(before, after.members());
        if (!rest.equals(after)) {
            changes.add("pool %s changed".formatted(after.name()));
        }
        parts(
                "pool %s: member".formatted(after.name()),
                before.members(),
                after.members(),
                MemberSpec::id,
                MemberSpec::name,
                (old, now) -> member(after.name(), old, now));
    }

    private void member(String pool, MemberSpec before, MemberSpec after) {
        String at = "pool %s: member %s ".formatted(pool, after.name());
        value(at + "weight", before.weight(), after.weight());
        value(at + "enabled", before.enabled(), after.enabled());
        value(at + "address", before.address(), after.address());
        boolean rest = before.name().equals(after.name())
                && before.port().equals(after.port())
                && before.priority() == after.priority()
                && before.popIds().equals(after.popIds());
        if (!rest) {
            changes.add(at + "changed");
        }
    }

    private void value(String what, Object before, Object after) {
        if (!before.equals(after)) {
            changes.add("%s %s → %s".formatted(what, before, after));
        }
    }

    private void changed(
            String what,
            @org.jspecify.annotations.Nullable Object before,
            @org.jspecify.annotations.Nullable Object after) {
        if (!Objects.equals(before, after)) {
            changes.add(what + " changed");
        }
    }
}
