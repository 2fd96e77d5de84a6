#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs fuzz.py in a Python environment of its own, made when first needed; the settings come by environment.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=${XDG_CACHE_HOME:-$HOME/.cache}/weir/schemathesis
if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
	rm -rf "$venv"
	python3 -m venv "$venv" || { echo "fuzzing needs the package python3-venv" >&2; exit 1; }
	"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
	cp "$here/requirements.txt" "$venv/requirements.txt"
fi
exec "$venv/bin/python" "$here/fuzz.py"
