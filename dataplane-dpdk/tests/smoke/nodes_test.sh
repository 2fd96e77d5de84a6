#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two nodes: replies through the other one, flows that change nodes, packets without a place.
. "$(dirname "$0")/lab.sh"

lab_up
engine_start node
engine_start node2
for name in node node2; do
	node_request 1 "$([ $name = node ] && echo 11 || echo 12)" | apply $name
	lb_request 1 MAGLEV DNAT "$(three_members)" | apply $name
done

# Replies take node2, requests take node: one direction each
ip -n "$LAB-members" route replace default via 10.9.0.12
for turn in $(seq 30); do fetch >>"$WORK/answers"; done
equal "answers with replies through the other node" 30 "$(wc -l <"$WORK/answers")"
equal "new flows at the first node" 30 "$(counter node new_flows)"
equal "flows ended by FIN, seen from one direction" 30 "$(counter node ended_fin)"
equal "flows left active" 0 "$(counter node active_flows)"
equal "new flows at the second node" 0 "$(counter node2 new_flows)"
equal "packets out of the first node" 0 "$(counter node out_packets)"
at_least "packets out of the second node" 120 "$(counter node2 out_packets)"

# Both by ECMP
ip -n "$LAB-members" route replace default nexthop via 10.9.0.11 nexthop via 10.9.0.12
ip -n "$LAB-router" route replace 203.0.113.0/24 nexthop via 10.9.0.11 nexthop via 10.9.0.12
for turn in $(seq 60); do fetch >>"$WORK/ecmp"; done
equal "answers over ECMP" 60 "$(wc -l <"$WORK/ecmp")"
equal "new flows at both nodes" 90 "$(($(counter node new_flows) + $(counter node2 new_flows)))"

# A flow in mid-flow moves with its route: the other node's table names the same member
ip -n "$LAB-members" route replace default via 10.9.0.11
ip -n "$LAB-router" route replace 203.0.113.0/24 via 10.9.0.11
in_ns client curl -fsSN -m 60 "http://203.0.113.10/slow?seconds=4" >"$WORK/moves" &
moving=$!
wait_for "the download's first line" test -s "$WORK/moves"
{ kill -9 "${ENGINES[0]}" && wait "${ENGINES[0]}"; } 2>/dev/null || true
ip -n "$LAB-members" route replace default via 10.9.0.12
ip -n "$LAB-router" route replace 203.0.113.0/24 via 10.9.0.12
before=$(counter node2 new_flows)
wait $moving || fail "the flow did not survive its node"
equal "download over the loss of its node" end "$(tail -1 "$WORK/moves")"
equal "new flows do not count the one that came" "$before" "$(counter node2 new_flows)"

# A member's packet that belongs nowhere
in_ns members python3 - <<'PY'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.20.11", 5555))
s.sendto(b"hello", ("192.0.2.2", 9))
PY
dropped() { [ "$(drops node2 no_reverse)" -ge 1 ]; }
wait_for "drop without a way back" dropped
echo "PASS"
