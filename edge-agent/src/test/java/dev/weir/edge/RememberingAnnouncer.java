// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import dev.weir.edge.announce.Address;
import dev.weir.edge.announce.Announcements;
import dev.weir.edge.announce.Announcer;
import java.util.SortedSet;
import java.util.TreeSet;

/** Remembers instead of writing BIRD's files; outlives agents as files do. */
public final class RememberingAnnouncer implements Announcer {
    private volatile SortedSet<Address> vips = new TreeSet<>();

    @Override
    public void announce(Announcements announcements) {
        vips = announcements.vips();
    }

    @Override
    public SortedSet<Address> announcedVips() {
        return vips;
    }

    @Override
    public void retry() {}
}
