#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Generates the API client from the contract and builds the provider into bin/.
set -euo pipefail
cd "$(dirname "$0")/.."

go generate ./internal/client
version="$(git describe --tags --always --dirty 2>/dev/null || echo dev)"
CGO_ENABLED=0 go build -trimpath -ldflags "-X main.version=${version#v}" -o bin/terraform-provider-weir .
