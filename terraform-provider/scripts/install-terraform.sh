#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the real command line that the acceptance tests drive, once, and prints its path.
#
#   install-terraform.sh              Terraform 1.5.7, the last one under the MPL (about 2 minutes)
#   install-terraform.sh --opentofu   OpenTofu 1.12.6 (about 5 minutes and 2 GB of memory)
#
# Both are built from source through the Go module proxy and kept in ${XDG_CACHE_HOME:-~/.cache}/weir/tools,
# outside the clone, so that a fresh clone finds them again.
set -euo pipefail

terraform_version=1.5.7
opentofu_version=1.12.6
cache="${XDG_CACHE_HOME:-$HOME/.cache}/weir/tools"

build_terraform() {
  GOBIN="$1" GOFLAGS="-mod=mod ${GOFLAGS:-}" go install "github.com/hashicorp/terraform@v${terraform_version}"
}

# OpenTofu builds only with its own fork of hcl, and `go install module@version` ignores replace lines.
# A module that requires OpenTofu and repeats its replace lines does the same job.
build_opentofu() {
  local module="github.com/opentofu/opentofu" gomod
  cd "$1"
  gomod=$(go mod download -json "${module}@v${opentofu_version}" | sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p')
  {
    echo "module tools"
    grep -E '^go ' "$gomod"
    echo "require ${module} v${opentofu_version}"
    grep -E '^replace ' "$gomod" || true
  } > go.mod
  GOFLAGS="-mod=mod ${GOFLAGS:-}" go build -o opentofu "${module}/cmd/tofu"
}

case "${1:-}" in
  "") name=terraform version=$terraform_version ;;
  --opentofu) name=opentofu version=$opentofu_version ;;
  *)
    echo "usage: $0 [--opentofu]" >&2
    exit 2
    ;;
esac

wanted="$cache/$name-$version/$name"
if [[ ! -x $wanted ]]; then
  echo "building $name $version into $(dirname "$wanted") (once)" >&2
  mkdir -p "$cache"
  staging=$(mktemp -d "$cache/.$name-XXXXXX")
  trap 'rm -rf "$staging"' EXIT
  (cd "$staging" && "build_$name" "$staging") >&2
  mkdir -p "$(dirname "$wanted")"
  mv -f "$staging/$name" "$wanted"
fi
echo "$wanted"
