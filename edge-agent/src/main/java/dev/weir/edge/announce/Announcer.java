// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.announce;

import java.util.SortedSet;

/** Puts announcements where the speaker finds them. Nothing here decides whether the gate is open. */
public interface Announcer {
    /** Idempotent; returns when the files are written, whether or not the speaker could be told already. */
    void announce(Announcements announcements);

    /** VIPs in the files as they are now, written by whichever agent. */
    SortedSet<Address> announcedVips();

    /** Tells the speaker again if it could not be told before; called about once a second. */
    void retry();
}
