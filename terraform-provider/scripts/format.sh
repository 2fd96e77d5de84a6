#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Formats the provider's Go code and examples in place.
set -euo pipefail
cd "$(dirname "$0")/.."

find . -name '*.go' -not -path '*/generated/*' -print0 | xargs -0 go tool -modfile=tools/go.mod gofumpt -w -extra
"$(scripts/install-terraform.sh)" fmt -recursive examples
