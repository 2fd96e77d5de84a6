#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Members that take no new flows: drained, removed, unhealthy; purge at the deadline.
. "$(dirname "$0")/lab.sh"

lab_up
engine_start node
node_request 1 11 | apply node
lb_request 1 ROUND_ROBIN DNAT "$(three_members)" | apply node

slow_to() { # starts downloads until one is served by address $1
	local turn
	for turn in $(seq 12); do
		ip netns exec "$LAB-client" curl -fsSN -m 90 "http://203.0.113.10/slow?seconds=$2" >"$WORK/drain.$1.$turn" 2>&1 &
		slow_pid=$!
		slow_file=$WORK/drain.$1.$turn
		wait_for "the download's first line" test -s "$slow_file"
		if [ "$(head -1 "$slow_file")" = "$1" ]; then return 0; fi
		kill "$slow_pid"
	done
	fail "no flow reached $1"
}

# Weight 0: no new flow after the acknowledgement, the existing one stays
slow_to 10.9.20.12 4
{ member mbr_1 10.9.20.11; member mbr_2 10.9.20.12 0; member mbr_3 10.9.20.13; } >"$WORK/members"
lb_request 2 ROUND_ROBIN DNAT "$(cat "$WORK/members")" | apply node
for turn in $(seq 30); do fetch >>"$WORK/answers"; done
equal "new flows at the drained member" 0 "$(grep -c '^10.9.20.12' "$WORK/answers" || true)"
equal "draining, by list_members" true "$(ctl node --json members | jq '.members[] | select(.member_id == "mbr_2") | .draining')"
at_least "its active flows" 1 "$(ctl node --json members | jq '.members[] | select(.member_id == "mbr_2") | .active_flows')"
wait "$slow_pid" || fail "the drained member's flow broke"
equal "drained member's flow" end "$(tail -1 "$slow_file")"

# Back again
lb_request 3 ROUND_ROBIN DNAT "$(three_members)" | apply node
for turn in $(seq 30); do fetch >>"$WORK/back"; done
equal "flows at the member that is back" 10 "$(grep -c '^10.9.20.12' "$WORK/back")"

# Removed with a short deadline: stays until then, is purged and counted
slow_to 10.9.20.13 60
evicted=$(counter node ended_drained)
{ member mbr_1 10.9.20.11; member mbr_2 10.9.20.12; } >"$WORK/members"
DRAIN_S=5 lb_request 4 ROUND_ROBIN DNAT "$(three_members)" | apply node
lines=$(wc -l <"$slow_file")
DRAIN_S=5 lb_request 5 ROUND_ROBIN DNAT "$(cat "$WORK/members")" | apply node
more_lines() { [ "$(wc -l <"$slow_file")" -ge $((lines + 10)) ]; }
wait_for "a removed member that still sends" more_lines
equal "flows purged before the deadline" "$evicted" "$(counter node ended_drained)"
for turn in $(seq 20); do fetch >>"$WORK/removed"; done
equal "new flows at the removed member" 0 "$(grep -c '^10.9.20.13' "$WORK/removed" || true)"
purged() { [ "$(counter node ended_drained)" -gt "$evicted" ]; }
wait_for "the purge at the deadline" purged
# Its download had minutes to go: the RST ends it at once.
wait_for "the client's connection to be reset" grep -q "reset by peer" "$slow_file"
equal "removed member is listed no more" 0 "$(ctl node --json members | jq '[.members[] | select(.member_id == "mbr_3")] | length')"

# Unhealthy: no new flows, back when healthy, all unhealthy fails open
lb_request 6 ROUND_ROBIN DNAT "$(three_members)" | apply node
verdict() { echo "verdicts { load_balancer_id: \"lb_one\" member_id: \"$1\" healthy: $2 }"; }
echo "request_id: 9 set_health { $(verdict mbr_1 false) $(verdict mbr_9 false) }" | apply node >"$WORK/verdict"
equal "unknown members in the reply" 1 "$(jq .set_health.unknown_members "$WORK/verdict")"
for turn in $(seq 20); do fetch >>"$WORK/sick"; done
equal "new flows at the unhealthy member" 0 "$(grep -c '^10.9.20.11' "$WORK/sick" || true)"
echo "request_id: 9 set_health { $(verdict mbr_2 false) $(verdict mbr_3 false) }" | apply node
for turn in $(seq 9); do fetch >>"$WORK/open"; done
equal "answers with all members unhealthy" 9 "$(wc -l <"$WORK/open")"
equal "unhealthy members kept in the state" 3 "$(ctl node --json state | jq '.load_balancers[0].unhealthy_member_ids | length')"

# Deleted: gone at once for new flows; what goes on is named until it has ended
delete_lb() { echo 'request_id: 3 apply { delete_load_balancer_ids: "lb_one" }' | apply node >"$WORK/deleted"; }
draining() { ctl node --json state | jq '.draining | length'; }
none_drains() { [ "$(draining)" = 0 ]; }
slow_to 10.9.20.12 4
delete_lb
in_ns client curl -s -m 1 http://203.0.113.10/ >/dev/null && fail "a deleted load balancer answers"
equal "load balancers that run" 0 "$(ctl node --json state | jq '.load_balancers | length')"
at_least "the drain's number in the reply" 1 "$(jq '.apply.results[0].drain_id | tonumber' "$WORK/deleted")"
equal "draining load balancers" 1 "$(draining)"
wait "$slow_pid" || fail "the deleted load balancer's flow broke"
equal "deleted load balancer's flow" end "$(tail -1 "$slow_file")"
wait_for "the end of the drain" none_drains

# Deleted and made again while its flows drain: nothing is purged
slow_to_again() { DRAIN_S=2 lb_request "$1" ROUND_ROBIN DNAT "$(three_members)" | apply node >/dev/null; }
slow_to_again 7
slow_to 10.9.20.12 5
evicted=$(counter node ended_drained)
delete_lb
equal "draining before it is back" 1 "$(draining)"
slow_to_again 8
wait_for "no drain once it is back" none_drains
wait "$slow_pid" || fail "the flow broke although its load balancer is back"
equal "flow over deletion and return" end "$(tail -1 "$slow_file")"
equal "flows purged" "$evicted" "$(counter node ended_drained)"

# Listener removed, VIP detached, load balancer disabled: each is purged at its deadline, then told
without() { lb_request "$1" ROUND_ROBIN DNAT "$(three_members)" | eval "$2" | apply node >"$WORK/without"; }
http_gone() { sed '/listener_id: "lst_http"/,/pool_id: "pool_http"/{s/lst_http/lst_other/;s/first: 80 last: 80/first: 81 last: 81/}'; }
moved() { sed "s/$(bytes 203.0.113.10 | sed 's/\\/\\\\/g')/$(bytes 203.0.113.11 | sed 's/\\/\\\\/g')/"; }
disabled() { sed 's/generation: \([0-9]*\) enabled: true/generation: \1 enabled: false/'; }
sequence=10
for change in http_gone moved disabled; do
	DRAIN_S=2 without $((sequence++)) cat
	slow_to 10.9.20.12 60
	evicted=$(counter node ended_drained)
	DRAIN_S=2 without $((sequence++)) $change
	at_least "$change: the drain's number" 1 "$(jq '.apply.results[0].drain_id | tonumber' "$WORK/without")"
	equal "$change: draining" 1 "$(draining)"
	equal "$change: purged before the deadline" "$evicted" "$(counter node ended_drained)"
	wait_for "$change: the end of the drain" none_drains
	at_least "$change: purged" $((evicted + 1)) "$(counter node ended_drained)"
	wait_for "the client's connection to be reset" grep -q "reset by peer" "$slow_file"
	# Without flows there is nothing to wait for.
	DRAIN_S=2 without $((sequence++)) cat
	DRAIN_S=2 without $((sequence++)) $change
	equal "$change without flows: drain" 0 "$(jq '.apply.results[0].drain_id' "$WORK/without")"
done
echo "PASS"
