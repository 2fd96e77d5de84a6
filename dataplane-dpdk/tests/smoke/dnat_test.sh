#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# dnat end to end: real clients reach real servers through the engine in network namespaces.
. "$(dirname "$0")/lab.sh"

lab_up
engine_start node
node_request 1 11 | apply node
lb_request 1 ROUND_ROBIN DNAT "$(three_members)" | apply node

# HTTP, the client's address kept, spread by turns
for turn in $(seq 30); do fetch >>"$WORK/answers"; done
equal "answers of 30 requests" 30 "$(wc -l <"$WORK/answers")"
equal "members that answered, ten requests each" "10 10 10" \
	"$(cut -d' ' -f1 "$WORK/answers" | sort | uniq -c | awk '{print $1}' | xargs)"
equal "source that members saw" 192.0.2.2 "$(awk '{print $3}' "$WORK/answers" | sort -u)"
equal "new flows counted" 30 "$(counter node new_flows)"
equal "flows ended by FIN" 30 "$(counter node ended_fin)"

# UDP: one flow per socket stays at one member
in_ns client python3 - >"$WORK/udp" <<'PY'
import socket
for n in range(20):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(3)
    names = set()
    for m in range(5):
        s.sendto(b"hello", ("203.0.113.10", 7000))
        names.add(s.recv(100))
    print(len(names))
PY
equal "members per UDP flow" 1 "$(sort -u "$WORK/udp")"
equal "new flows with UDP" 50 "$(counter node new_flows)"

# Maglev
lb_request 2 MAGLEV DNAT "$(three_members)" | apply node
for turn in $(seq 30); do fetch >>"$WORK/maglev"; done
at_least "members that answered by Maglev" 2 "$(cut -d' ' -f1 "$WORK/maglev" | sort -u | wc -l)"

# ping for VIP and data address, and what has no place
in_ns client ping -c 2 -i 0.2 -W 2 203.0.113.10 >/dev/null || fail "the VIP does not answer ping"
in_ns router ping -c 2 -i 0.2 -W 2 10.9.0.11 >/dev/null || fail "the engine does not answer ping"
in_ns client curl -s -m 1 http://203.0.113.10:81/ >/dev/null && fail "port 81 must not answer"
at_least "drops counted as no_listener" 1 "$(drops node no_listener)"
echo "PASS"
