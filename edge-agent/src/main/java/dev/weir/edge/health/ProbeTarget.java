// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.health;

import com.google.protobuf.ByteString;
import dev.weir.messages.v1.ForwardingMode;
import dev.weir.messages.v1.HealthMonitor;
import dev.weir.messages.v1.Listener;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.Member;
import dev.weir.messages.v1.Pool;
import dev.weir.messages.v1.TunnelEncapsulation;
import dev.weir.messages.v1.VipAttachment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One member to probe, and how.
 *
 * @param vip the address that the member is tested at, in the member's family if there is one; empty where the mode
 *     translates
 */
public record ProbeTarget(
        MemberKey key,
        ByteString address,
        int port,
        ForwardingMode mode,
        ByteString vip,
        TunnelEncapsulation encapsulation,
        int tunnelPort,
        HealthMonitor monitor) {

    /**
     * The enabled members of monitored pools; none while the load balancer is disabled, and none where they would be
     * tested at a VIP that is not there.
     */
    public static List<ProbeTarget> of(LoadBalancerConfig config) {
        List<ProbeTarget> targets = new ArrayList<>();
        if (!config.getEnabled()) {
            return targets;
        }
        for (Pool pool : config.getPoolsList()) {
            if (!pool.hasHealthMonitor()) {
                continue;
            }
            for (Member member : pool.getMembersList()) {
                Optional<Integer> port = port(config, pool, member);
                Optional<ByteString> vip = vip(config, pool, member);
                if (member.getEnabled() && port.isPresent() && vip.isPresent()) {
                    targets.add(new ProbeTarget(
                            new MemberKey(config.getLoadBalancerId(), pool.getPoolId(), member.getMemberId()),
                            member.getAddress(),
                            port.get(),
                            pool.getForwardingMode(),
                            vip.get(),
                            pool.getTunnelEncapsulation(),
                            pool.getTunnelPort(),
                            pool.getHealthMonitor()));
                }
            }
        }
        return targets;
    }

    private static Optional<ByteString> vip(LoadBalancerConfig config, Pool pool, Member member) {
        boolean atVip = pool.getForwardingMode() == ForwardingMode.FORWARDING_MODE_DSR
                || pool.getForwardingMode() == ForwardingMode.FORWARDING_MODE_TUNNEL;
        if (!atVip) {
            return Optional.of(ByteString.EMPTY);
        }
        List<ByteString> vips =
                config.getVipsList().stream().map(VipAttachment::getAddress).toList();
        return vips.stream()
                .filter(vip -> vip.size() == member.getAddress().size())
                .findFirst()
                .or(() -> vips.stream().findFirst());
    }

    private static Optional<Integer> port(LoadBalancerConfig config, Pool pool, Member member) {
        if (pool.getHealthMonitor().getPort() != 0) {
            return Optional.of(pool.getHealthMonitor().getPort());
        }
        if (member.getPort().hasFixed()) {
            return Optional.of(member.getPort().getFixed());
        }
        int offset = member.getPort().hasOffset() ? member.getPort().getOffset() : 0;
        return config.getListenersList().stream()
                .filter(listener -> listener.getPoolId().equals(pool.getPoolId()))
                .filter(listener -> listener.getPortRangesCount() > 0)
                .findFirst()
                .map((Listener listener) -> listener.getPortRanges(0).getFirst() + offset)
                .filter(port -> port > 0 && port <= 65_535);
    }
}
