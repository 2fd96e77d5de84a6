#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Katran on the same machine, from a build of your own: KATRAN_RUNNER names a program that loads
# balancer.bpf.o, runs it over frames from memory with BPF_PROG_TEST_RUN, and prints one line per
# number of flows: "FLOWS HIT_NS NEW_NS". Writes rows like those of engine-bench to FILE.
set -euo pipefail

out=${1:?usage: bench/katran.sh FILE}
if [ -z "${KATRAN_RUNNER:-}" ]; then
	echo "katran: not compared, there is no build of it here (KATRAN_RUNNER is not set)" >&2
	exit 77
fi
[ -x "$KATRAN_RUNNER" ] || {
	echo "katran: KATRAN_RUNNER=$KATRAN_RUNNER can't be run" >&2
	exit 1
}
"$KATRAN_RUNNER" | jq -R -s '
	def row(case; value): {case: case, metric: "ns_per_packet", value: value, unit: "ns", baseline: null, ratio: null};
	[split("\n")[] | select(length > 0) | [splits(" +")] | map(tonumber) | . as [$flows, $hit, $new]
	 | row("katran.hit.\($flows)"; $hit), row("katran.new.\($flows)"; $new)]' >"$out"
