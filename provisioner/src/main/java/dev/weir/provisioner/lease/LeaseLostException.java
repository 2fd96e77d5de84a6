// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.lease;

/** Another instance works on the partition now. */
public final class LeaseLostException extends RuntimeException {
    private static final long serialVersionUID = 1;

    LeaseLostException(Lease lease) {
        super("lease of " + lease + " was lost");
    }
}
