// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "main/engine.h"

// Reads the engine's own options, what follows EAL's "--". Returns 0, or -EINVAL after saying on
// standard error what is wrong.
int weir_options_parse(int argc, char **argv, struct weir_options *options);
