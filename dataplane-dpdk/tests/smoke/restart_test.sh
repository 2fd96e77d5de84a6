#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An engine that is killed maps flows and counters again and loads its configuration by itself.
. "$(dirname "$0")/lab.sh"

run_mode() {
	local mode=$1 killed started
	rm -f "$WORK"/slow.*
	lb_request "$2" ROUND_ROBIN "$mode" "$(three_members)" | apply node
	for turn in 1 2 3 4 5 6; do
		in_ns client curl -fsSN -m 60 "http://203.0.113.10/slow?seconds=4" >"$WORK/slow.$turn" 2>&1 &
		pids[turn]=$!
	done
	for turn in 1 2 3 4 5 6; do wait_for "first line of download $turn" test -s "$WORK/slow.$turn"; done
	before=$(counter node new_flows)
	id_before=$(ctl node --json counters | jq .counters_id)
	flows_before=$(ctl node --json flows --limit 100 | jq '[.flows[] | select(.state == "established")] | length')
	killed=$(date +%s%N)
	{ kill -9 "$ENGINE_PID" && wait "$ENGINE_PID"; } 2>/dev/null || true
	engine_start node
	started=$(date +%s%N)
	echo "killed until its socket answers: $(((started - killed) / 1000000)) ms"
	grep "engine ready" "$WORK/node.log" | tail -1
	at_least "$mode flows recovered" 6 "$(ctl node --json status | jq .flows_recovered)"
	at_least "established flows before" 6 "$flows_before"
	equal "$mode new flows kept" "$before" "$(counter node new_flows)"
	equal "counters' id kept" "$id_before" "$(ctl node --json counters | jq .counters_id)"
	for turn in 1 2 3 4 5 6; do
		wait "${pids[turn]}" || fail "download $turn broke in mode $mode"
		equal "download $turn over the restart" end "$(tail -1 "$WORK/slow.$turn")"
	done
	fetch >/dev/null || fail "no new flow after the restart"
	equal "$mode new flows after one more" $((before + 1)) "$(counter node new_flows)"
}

lab_up
engine_start node
node_request 1 11 | apply node
run_mode DNAT 1
run_mode SNAT 2

# Bits of recovered SNAT flows are taken: hundreds of new ones collide with none of them
in_ns client curl -fsSN -m 60 "http://203.0.113.10/slow?seconds=4" >"$WORK/slow.last" &
slow=$!
wait_for "the first line" test -s "$WORK/slow.last"
{ kill -9 "$ENGINE_PID" && wait "$ENGINE_PID"; } 2>/dev/null || true
engine_start node
for turn in $(seq 100); do fetch >>"$WORK/after"; done
equal "answers after the restart" 100 "$(wc -l <"$WORK/after")"
wait $slow || fail "the old flow broke"
equal "old flow" end "$(tail -1 "$WORK/slow.last")"

# A deleted load balancer drains on over the restart, to its deadline
in_ns client curl -fsSN -m 60 "http://203.0.113.10/slow?seconds=60" >"$WORK/slow.drain" 2>&1 &
wait_for "the first line" test -s "$WORK/slow.drain"
DRAIN_S=6 lb_request 3 ROUND_ROBIN SNAT "$(three_members)" | apply node
echo 'request_id: 3 apply { delete_load_balancer_ids: "lb_one" }' | apply node
deadline() { ctl node --json state | jq -r '.draining[].drain_deadline_us'; }
before=$(deadline)
{ kill -9 "$ENGINE_PID" && wait "$ENGINE_PID"; } 2>/dev/null || true
engine_start node
equal "drain's deadline over the restart" "$before" "$(deadline)"
equal "flows purged before it" 0 "$(counter node ended_drained)"
drain_over() { [ "$(counter node ended_drained)" -ge 1 ]; }
wait_for "the purge at the deadline" drain_over
equal "drains left" 0 "$(ctl node --json state | jq '.draining | length')"

# SIGTERM: says STOPPING (2) in the heartbeat, ends with 0
kill -TERM "$ENGINE_PID"
wait "$ENGINE_PID" || fail "exit code $? at SIGTERM"
equal "heartbeat state" 2 "$(od -A n -t u4 -j 12 -N 4 "/dev/shm/$LAB/node/heartbeat" | xargs)"
echo "PASS"
