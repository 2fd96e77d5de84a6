// SPDX-License-Identifier: Apache-2.0
@NullMarked
package dev.weir.provisioner;

import org.jspecify.annotations.NullMarked;
