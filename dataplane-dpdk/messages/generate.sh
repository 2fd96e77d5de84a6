#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Generates protobuf-c code of the messages that the engine speaks, flat into one folder.
# usage: generate.sh PROTOC_C PROTO_ROOT OUT_DIR
set -eu
protoc_c=$1
root=$2
out=$3
scratch=$(mktemp -d "$out/generate.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
"$protoc_c" --proto_path="$root" --c_out="$scratch" \
	"$root/weir/v1/engine.proto" "$root/weir/v1/flow.proto" \
	"$root/weir/v1/load_balancer_config.proto" \
	"$root/weir/v1/pop.proto" "$root/weir/v1/prefix_list.proto"
for file in "$scratch"/weir/v1/*; do
	sed 's|#include "weir/v1/|#include "|' "$file" >"$out/$(basename "$file")"
done
