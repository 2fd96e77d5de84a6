// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.health;

/**
 * @param unknown     no verdict yet
 * @param healthy     the verdict; true while unknown
 * @param reason      lower snake case outcome that led to the verdict, or why it does not follow the outcomes:
 *                    {@code flapping}, {@code removal_held}; else empty while unknown
 * @param lastProbeUs Unix time in microseconds; 0: never
 * @param rttUs       of the last probe, 0 if it failed
 * @param sinceUs     Unix time in microseconds of the last change of verdict
 */
public record MemberStatus(
        boolean unknown, boolean healthy, String reason, long lastProbeUs, int rttUs, long sinceUs) {}
