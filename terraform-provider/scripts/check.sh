#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Everything that needs no running service: format, static analysis, unit tests (with a real Terraform against
# a small API in the test's process), and whether docs/ is what the schemas say.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/build.sh

unformatted=$(find . -name '*.go' -not -path '*/generated/*' -print0 | xargs -0 go tool -modfile=tools/go.mod gofumpt -l -extra)
if [[ -n $unformatted ]]; then
  echo "not formatted (run terraform-provider/scripts/format.sh):" >&2
  echo "$unformatted" >&2
  exit 1
fi
go vet ./...
go build -C tools -o ../bin/lint ./lint
mapfile -t written < <(go list ./... | grep -v '/generated$')
go vet -vettool="$PWD/bin/lint" "${written[@]}"
go tool -modfile=tools/go.mod staticcheck ./...

TF_ACC_TERRAFORM_PATH=$(scripts/install-terraform.sh)
export TF_ACC_TERRAFORM_PATH CHECKPOINT_DISABLE=1 WEIR_PROVIDER_DIR="$PWD/bin"
# A developer's own CLI configuration must not decide which provider is tested.
TF_CLI_CONFIG_FILE=$(mktemp)
export TF_CLI_CONFIG_FILE
trap 'rm -f "$TF_CLI_CONFIG_FILE"' EXIT
# The acceptance tests run with scripts/acceptance.sh; here they would only report that they were skipped.
env -u TF_ACC go test -skip '^TestAcc' "$@" ./...

scripts/docs.sh --check
