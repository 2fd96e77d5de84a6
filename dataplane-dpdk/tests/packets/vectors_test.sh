#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every packet vector through the data path in process, and Scapy still writes the same vectors.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PROGRAM=${WEIR_BUILD_DIR:-$HERE/../../build}/tests/vectors-test
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
status=0

if ! /usr/bin/python3 -c 'import scapy' 2>/dev/null; then
	echo "SKIP: python3-scapy is missing"
	exit 77
fi
/usr/bin/python3 "$HERE/make_vectors.py" "$WORK/vectors"
diff -r "$HERE/vectors" "$WORK/vectors" || {
	echo "FAIL: make_vectors.py writes other vectors than those that are kept"
	status=1
}
for vector in "$HERE"/vectors/*.json; do
	name=$(basename "$vector" .json)
	python3 "$HERE/vector_file.py" flat "$vector" >"$WORK/$name.flat"
	if "$PROGRAM" "$WORK/$name.flat" >"$WORK/$name.log" 2>&1; then
		echo "ok: $name, $(tail -n 1 "$WORK/$name.log")"
	else
		echo "FAIL: $name"
		grep -v ' INFO ' "$WORK/$name.log" || true
		status=1
	fi
done
exit $status
