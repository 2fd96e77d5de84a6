// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <stddef.h>
#include <stdint.h>

// SHA-256 (FIPS 180-4) of a whole buffer.
void weir_sha256(const uint8_t *data, size_t length, uint8_t digest[32]);
