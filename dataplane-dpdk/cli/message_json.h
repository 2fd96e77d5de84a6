// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <stdio.h>

#include <protobuf-c/protobuf-c.h>

// Prints any message as one line of JSON: field names as in the contract, enums in lower snake
// case without their type's prefix, 4 and 16 bytes as an address, 6 as a MAC, other bytes in hex.
// Empty fields are printed too, except messages that are absent.
void message_json_print(FILE *out, const ProtobufCMessage *message);
