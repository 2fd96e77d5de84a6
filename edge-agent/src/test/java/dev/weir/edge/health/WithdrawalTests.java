// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.health;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.edge.Records;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.WhenAllUnhealthy;
import java.util.Set;
import org.junit.jupiter.api.Test;

class WithdrawalTests {
    private static final Set<String> ALL = Set.of("mbr_1", "mbr_2");

    private static LoadBalancerConfig web(WhenAllUnhealthy what) {
        LoadBalancerConfig.Builder config = Records.loadBalancer("lb_1", "203.0.113.10", 1).toBuilder();
        config.getPoolsBuilder(0).setWhenAllUnhealthy(what);
        return config.build();
    }

    @Test
    void poolThatStaysOpenOrClosedNeverWithdraws() {
        assertThat(Withdrawal.wanted(web(WhenAllUnhealthy.WHEN_ALL_UNHEALTHY_OPEN), ALL))
                .isFalse();
        assertThat(Withdrawal.wanted(web(WhenAllUnhealthy.WHEN_ALL_UNHEALTHY_CLOSED), ALL))
                .isFalse();
    }

    @Test
    void withdrawsOnlyWhenNobodyIsHealthy() {
        LoadBalancerConfig config = web(WhenAllUnhealthy.WHEN_ALL_UNHEALTHY_WITHDRAW_VIP);

        assertThat(Withdrawal.wanted(config, ALL)).isTrue();
        assertThat(Withdrawal.wanted(config, Set.of("mbr_1"))).isFalse();
    }

    @Test
    void oneListenerThatStillServesKeepsTheVip() {
        LoadBalancerConfig asks = web(WhenAllUnhealthy.WHEN_ALL_UNHEALTHY_WITHDRAW_VIP);
        LoadBalancerConfig other = Records.loadBalancer("lb_2", "203.0.113.10", 1);
        LoadBalancerConfig both = asks.toBuilder()
                .addListeners(other.getListeners(0))
                .addPools(other.getPools(0))
                .build();

        assertThat(Withdrawal.wanted(both, ALL)).isFalse();

        LoadBalancerConfig disabled = both.toBuilder()
                .setListeners(1, other.getListeners(0).toBuilder().setEnabled(false))
                .build();
        assertThat(Withdrawal.wanted(disabled, ALL)).isTrue();
    }
}
