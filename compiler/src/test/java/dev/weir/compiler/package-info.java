// SPDX-License-Identifier: Apache-2.0
@NullMarked
package dev.weir.compiler;

import org.jspecify.annotations.NullMarked;
