#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An engine with thousands of load balancers is killed: how long a flow of datagrams stands still. MANY: how many
# (10000), MAX_GAP_MS: what passes (500, the time until a node's routes would be withdrawn being 1000).
. "$(dirname "$0")/lab.sh"

MANY=${MANY:-10000}
MAX_GAP_MS=${MAX_GAP_MS:-500}

# requests FIRST COUNT: an apply of so many load balancers of four members each, in protobuf's text form.
requests() {
	python3 - "$1" "$2" <<-'PYTHON'
		import sys

		first, count = int(sys.argv[1]), int(sys.argv[2])


		def octets(*numbers):
		    return "".join(f"\\x{number:02x}" for number in numbers)


		print("request_id: 2 apply {")
		for n in range(first, first + count):
		    vip = octets(198, 18 + n // 65536, n // 256 % 256, n % 256)
		    members = " ".join(
		        f'members {{ member_id: "mbr_{n}_{m}" address: "{octets(10, 9, 20, 11 + m % 3)}" '
		        f"port {{ fixed: {10000 + m * 10000 + n} }} weight: 1 enabled: true }}"
		        for m in range(4)
		    )
		    print(
		        f'upserts {{ epoch: 1 sequence: 1 config {{ load_balancer_id: "lb_{n}" project_id: "prj_one" '
		        f'generation: 1 enabled: true vips {{ vip_id: "vip_{n}" address: "{vip}" claim_sequence: 1 }} '
		        f'listeners {{ listener_id: "lst_{n}" protocol: PROTOCOL_TCP port_ranges {{ first: 80 last: 80 }} '
		        f'pool_id: "pool_{n}" flow_tracking: FLOW_TRACKING_STATEFUL enabled: true }} '
		        f'pools {{ pool_id: "pool_{n}" algorithm: ALGORITHM_MAGLEV forwarding_mode: FORWARDING_MODE_DNAT '
		        f"maglev_table_size: 1009 drain_timeout_s: 30 {members} }} }} }}"
		    )
		print("}")
	PYTHON
}

# Sends datagrams to the VIP for $1 seconds, one each 2 ms, and prints the longest time without an answer, in ms.
longest_gap() {
	in_ns client python3 - "$1" <<-'PYTHON'
		import socket
		import sys
		import time

		peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		peer.connect(("203.0.113.10", 7000))
		peer.settimeout(0.002)
		end = time.monotonic() + float(sys.argv[1])
		last, longest, answers = time.monotonic(), 0.0, 0
		while time.monotonic() < end:
		    peer.send(b"ping")
		    try:
		        peer.recv(100)
		    except (TimeoutError, ConnectionError):
		        continue
		    answers += 1
		    longest = max(longest, time.monotonic() - last)
		    last = time.monotonic()
		assert answers > 0, "no answer at all"
		print(round(1000 * max(longest, time.monotonic() - last)))
	PYTHON
}

lab_up
engine_start node
node_request 1 11 | apply node
lb_request 1 ROUND_ROBIN DNAT "$(three_members)" | apply node
started=$(date +%s%N)
for ((first = 0; first < MANY; first += 500)); do
	count=$((MANY - first < 500 ? MANY - first : 500))
	requests "$first" "$count" | apply node >"$WORK/applied"
	equal "refused of $first and on" 0 "$(jq '[.apply.results[] | select(.rejected_code != "")] | length' "$WORK/applied")"
done
echo "configured $MANY load balancers in $((($(date +%s%N) - started) / 1000000)) ms"
du -h "$WORK/node.state"/*
for turn in 1 2 3; do
	longest_gap 3 >"$WORK/gap" &
	prober=$!
	sleep 1
	{ kill -9 "$ENGINE_PID" && wait "$ENGINE_PID"; } 2>/dev/null || true
	engine_start node
	wait $prober || fail "the prober failed"
	grep "engine ready" "$WORK/node.log" | tail -1
	echo "SIGKILL $turn: longest time without an answer: $(cat "$WORK/gap") ms"
	gaps+=("$(cat "$WORK/gap")")
done
equal "load balancers after the restart" $((MANY + 1)) "$(ctl node --json state | jq '.load_balancers | length')"
least=$(printf '%s\n' "${gaps[@]}" | sort -n | head -1)
[ "$least" -le "$MAX_GAP_MS" ] || fail "the engine was away for $least ms at best"
echo "PASS"
