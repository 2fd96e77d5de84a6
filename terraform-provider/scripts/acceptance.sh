#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the acceptance tests with a real Terraform against a running service:
#
#   eval "$(./weir env acme)" && terraform-provider/scripts/acceptance.sh [go test flags]
#
# TF_ACC_TERRAFORM_PATH chooses another binary, such as $(scripts/install-terraform.sh --opentofu).
set -euo pipefail
cd "$(dirname "$0")/.."

for name in WEIR_API WEIR_TOKEN_URL WEIR_CLIENT_ID WEIR_CLIENT_SECRET WEIR_PROJECT; do
  if [[ -z ${!name:-} ]]; then
    echo "$name is not set: start the service with ./weir up, then eval \"\$(./weir env acme)\"" >&2
    exit 2
  fi
done

scripts/build.sh
TF_ACC_TERRAFORM_PATH=${TF_ACC_TERRAFORM_PATH:-$(scripts/install-terraform.sh)}
TF_CLI_CONFIG_FILE=$(mktemp)
trap 'rm -f "$TF_CLI_CONFIG_FILE"' EXIT
export TF_ACC=1 TF_ACC_TERRAFORM_PATH TF_CLI_CONFIG_FILE CHECKPOINT_DISABLE=1
export WEIR_PROVIDER_DIR="$PWD/bin"

go test -count=1 -timeout 15m -run '^TestAcc' "$@" ./internal/...
