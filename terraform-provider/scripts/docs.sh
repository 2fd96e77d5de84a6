#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Writes docs/ from the schemas' descriptions and examples/. With --check it only says whether docs/ is up to date.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/build.sh
terraform=$(scripts/install-terraform.sh)
staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT

cat > "$staging/cli.tfrc" <<EOF
provider_installation {
  dev_overrides { "weir/weir" = "$PWD/bin" }
}
EOF
cat > "$staging/main.tf" <<'EOF'
terraform {
  required_providers { weir = { source = "weir/weir" } }
}
EOF
TF_CLI_CONFIG_FILE="$staging/cli.tfrc" CHECKPOINT_DISABLE=1 \
  "$terraform" -chdir="$staging" providers schema -json |
  sed 's|"registry.terraform.io/weir/weir"|"weir"|' > "$staging/schema.json" # the generator looks for the short name

# The generator starts from a folder that looks like the provider's and writes beside it.
mkdir -p "$staging/provider"
cp -r examples "$staging/provider/"
[[ ! -d templates ]] || cp -r templates "$staging/provider/"
go tool -modfile=tools/go.mod tfplugindocs generate --provider-dir "$staging/provider" --provider-name weir \
  --rendered-provider-name Weir --providers-schema "$staging/schema.json" > "$staging/log" 2>&1 || {
  cat "$staging/log" >&2
  exit 1
}

if [[ ${1:-} == --check ]]; then
  diff -ru docs "$staging/provider/docs" || {
    echo "docs/ is out of date (run terraform-provider/scripts/docs.sh)" >&2
    exit 1
  }
else
  rm -rf docs
  cp -r "$staging/provider/docs" docs
fi
