// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * Everything that a configuration is made of.
 *
 * @param vips attached to the load balancer
 * @param pops all that exist
 * @param committedAt when the generation was committed
 * @param otherDnatMappings of the project's other load balancers, see {@link DnatMapping#of}
 * @param prefixListIds that the project has
 * @param maglevTableSizes by pool id, as in the configuration that runs now; keeps tables from being resized needlessly
 * @param servingSinceUs by member id, see {@link ServingSince}; a member that is not named has served for long
 */
public record CompileInput(
        LoadBalancerTree tree,
        long generation,
        List<AttachedVip> vips,
        List<PopSite> pops,
        Instant committedAt,
        List<DnatMapping> otherDnatMappings,
        Set<UUID> prefixListIds,
        Map<UUID, Integer> maglevTableSizes,
        Map<UUID, Long> servingSinceUs) {

    public CompileInput {
        vips = List.copyOf(vips);
        pops = List.copyOf(pops);
        otherDnatMappings = List.copyOf(otherDnatMappings);
        prefixListIds = Set.copyOf(prefixListIds);
        maglevTableSizes = Map.copyOf(maglevTableSizes);
        servingSinceUs = Map.copyOf(servingSinceUs);
    }

    /** For a load balancer that is alone in its project and runs nowhere yet. */
    public CompileInput(
            LoadBalancerTree tree, long generation, List<AttachedVip> vips, List<PopSite> pops, Instant committedAt) {
        this(tree, generation, vips, pops, committedAt, List.of(), Set.of(), Map.of(), Map.of());
    }

    public CompileInput withOtherDnatMappings(List<DnatMapping> mappings) {
        return new CompileInput(
                tree, generation, vips, pops, committedAt, mappings, prefixListIds, maglevTableSizes, servingSinceUs);
    }

    public CompileInput withPrefixLists(Set<UUID> ids) {
        return new CompileInput(
                tree, generation, vips, pops, committedAt, otherDnatMappings, ids, maglevTableSizes, servingSinceUs);
    }

    public CompileInput withMaglevTableSizes(Map<UUID, Integer> sizes) {
        return new CompileInput(
                tree, generation, vips, pops, committedAt, otherDnatMappings, prefixListIds, sizes, servingSinceUs);
    }

    public CompileInput withServingSince(Map<UUID, Long> us) {
        return new CompileInput(
                tree, generation, vips, pops, committedAt, otherDnatMappings, prefixListIds, maglevTableSizes, us);
    }
}
