// SPDX-License-Identifier: Apache-2.0
//
// What weirctl shows of the engine's answers to a person; with --json the messages themselves.

#pragma once

#include "cli/options.h"
#include "engine.pb-c.h"

// Each prints one message, which holds the answer that it is for.
void print_status(const Weir__V1__EngineMessage *message, const struct options *options);
void print_state(const Weir__V1__EngineMessage *message, const struct options *options);
void print_counters(const Weir__V1__EngineMessage *message, const struct options *options);
void print_drops(const Weir__V1__EngineMessage *message, const struct options *options);
void print_histogram(const Weir__V1__EngineMessage *message, const struct options *options);
void print_flows(const Weir__V1__EngineMessage *message, const struct options *options);
void print_members(const Weir__V1__EngineMessage *message, const struct options *options);
void print_explain(const Weir__V1__EngineMessage *message, const struct options *options);
// Flow records and top sources, a line each.
void print_watched(const Weir__V1__EngineMessage *message, const struct options *options);
