// SPDX-License-Identifier: Apache-2.0
@NullMarked
package dev.weir.sdk;

import org.jspecify.annotations.NullMarked;
