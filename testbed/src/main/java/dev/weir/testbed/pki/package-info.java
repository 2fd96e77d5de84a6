// SPDX-License-Identifier: Apache-2.0
/** The testbed's certificate authority: for the centre's own parts; nodes get their certificates by enrolment. */
@NullMarked
package dev.weir.testbed.pki;

import org.jspecify.annotations.NullMarked;
