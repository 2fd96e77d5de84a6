// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.api.access.ProjectAccess;
import dev.weir.api.web.FieldFault;
import dev.weir.compiler.AttachedVip;
import dev.weir.compiler.CompileInput;
import dev.weir.compiler.CompileResult;
import dev.weir.compiler.CompileResult.Compiled;
import dev.weir.compiler.CompileResult.Refused;
import dev.weir.compiler.DnatMapping;
import dev.weir.compiler.Fault;
import dev.weir.compiler.FaultCode;
import dev.weir.compiler.LoadBalancerCompiler;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.ForwardingModeKind;
import dev.weir.compiler.PopSite;
import dev.weir.db.loadbalancer.Trees;
import dev.weir.db.pop.NodeRows;
import dev.weir.db.pop.PopRepository;
import dev.weir.db.prefixlist.PrefixLists;
import dev.weir.db.vip.VipAttachments;
import dev.weir.db.vip.VipAttachments.Attachment;
import java.net.InetAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.stereotype.Component;

/** Finds everything that is wrong with a tree, as the compiler sees it and as the project's policy does. */
@Component
final class TreeChecks {
    private static final Pattern POOL_OF_LISTENER = Pattern.compile("/listeners/(\\d+)/pool_id");

    private final LoadBalancerCompiler compiler = new LoadBalancerCompiler();
    private final PopRepository pops;
    private final NodeRows nodes;
    private final Trees trees;
    private final VipAttachments attachments;
    private final PrefixLists prefixLists;

    TreeChecks(PopRepository pops, NodeRows nodes, Trees trees, VipAttachments attachments, PrefixLists prefixLists) {
        this.pops = pops;
        this.nodes = nodes;
        this.trees = trees;
        this.attachments = attachments;
        this.prefixLists = prefixLists;
    }

    /** @param vips that will be attached */
    List<FieldFault> faults(ProjectAccess in, Draft draft, List<AttachedVip> vips) {
        List<FieldFault> faults = new ArrayList<>(draft.faults());
        faults.addAll(
                MemberPolicy.of(in.project().memberCidrs(), nodes.ownNetworks()).faults(draft.tree()));
        faults.addAll(compile(draft, vips));
        return faults;
    }

    List<FieldFault> compile(Draft draft, List<AttachedVip> vips) {
        LoadBalancerTree tree = draft.tree();
        // Features of nodes that are not up yet are unknown, and may change: the rollout tells who lacks one.
        List<PopSite> sites = pops.findByDeletedAtIsNull().stream()
                .map(pop -> new PopSite(pop.id(), pop.name(), pop.labels(), Set.of()))
                .toList();
        CompileInput input = new CompileInput(tree, 1, vips, sites, Instant.EPOCH)
                .withOtherDnatMappings(otherMappings(tree, sites))
                .withPrefixLists(prefixLists.share(tree.projectId(), namedPrefixLists(tree)));
        CompileResult result = compiler.compile(input);
        return switch (result) {
            case Compiled compiled -> List.of();
            case Refused refused ->
                refused.faults().stream()
                        .filter(fault -> !toldAlready(fault, draft))
                        .map(fault -> new FieldFault(
                                inRequest(fault.pointer(), draft), fault.code().name(), fault.message()))
                        .toList();
        };
    }

    private static Set<UUID> namedPrefixLists(LoadBalancerTree tree) {
        return tree.listeners().stream()
                .flatMap(listener -> Stream.concat(
                        listener.allowedPrefixListIds().stream(), listener.deniedPrefixListIds().stream()))
                .collect(Collectors.toSet());
    }

    private List<DnatMapping> otherMappings(LoadBalancerTree tree, List<PopSite> sites) {
        if (tree.pools().stream().noneMatch(pool -> pool.forwardingMode() == ForwardingModeKind.DNAT)) {
            return List.of();
        }
        List<LoadBalancerTree> others = trees.othersWithDnat(tree.projectId(), tree.loadBalancerId());
        Map<UUID, List<AttachedVip>> vips = attachments
                .ofLoadBalancers(
                        tree.projectId(),
                        others.stream().map(LoadBalancerTree::loadBalancerId).toList())
                .stream()
                .collect(Collectors.groupingBy(
                        Attachment::loadBalancerId, Collectors.mapping(TreeChecks::attached, Collectors.toList())));
        return others.stream()
                .flatMap(other ->
                        DnatMapping.of(other, vips.getOrDefault(other.loadBalancerId(), List.of()), sites).stream())
                .toList();
    }

    static AttachedVip attached(Attachment attachment) {
        return new AttachedVip(
                attachment.vipId(), InetAddress.ofLiteral(attachment.address()), attachment.claimSequence());
    }

    // A listener without any pool was told so while it was read.
    private static boolean toldAlready(Fault fault, Draft draft) {
        return fault.code() == FaultCode.POOL_NOT_FOUND
                && draft.faults().stream()
                        .anyMatch(told -> told.pointer().equals(fault.pointer().replace("pool_id", "pool_name")));
    }

    private static String inRequest(String pointer, Draft draft) {
        Matcher matcher = POOL_OF_LISTENER.matcher(pointer);
        return matcher.matches() && draft.poolsByName().get(Integer.parseInt(matcher.group(1)))
                ? pointer.replace("pool_id", "pool_name")
                : pointer;
    }
}
