#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# snat end to end: members see an address of the node's range, replies come back to the engine.
. "$(dirname "$0")/lab.sh"

lab_up
engine_start node
node_request 1 11 | apply node
lb_request 1 ROUND_ROBIN SNAT "$(three_members)" | apply node

for turn in $(seq 60); do fetch >>"$WORK/answers"; done
equal "answers of 60 requests" 60 "$(wc -l <"$WORK/answers")"
equal "sources outside of the SNAT range" 0 "$(awk '{print $3}' "$WORK/answers" | grep -vc '^10\.9\.31\.\([0-9]\|1[0-5]\)$')"
at_least "SNAT addresses in use" 8 "$(awk '{print $3}' "$WORK/answers" | sort -u | wc -l)"
equal "new flows counted" 60 "$(counter node new_flows)"
equal "flows ended by FIN" 60 "$(counter node ended_fin)"

# Many flows at once, both protocols
in_ns client python3 - >"$WORK/many" <<'PY'
import socket
flows = []
for n in range(300):
    s = socket.create_connection(("203.0.113.10", 80), timeout=5)
    flows.append(s)
for s in flows:
    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
answers = 0
for s in flows:
    data = b""
    while True:
        piece = s.recv(4096)
        if not piece:
            break
        data += piece
    answers += b"saw 10.9.31." in data
udp = 0
for n in range(100):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(3)
    s.sendto(b"hello", ("203.0.113.10", 7000))
    udp += s.recv(100).endswith(b"hello")
print(answers, udp)
PY
equal "concurrent TCP and UDP flows answered" "300 100" "$(cat "$WORK/many")"

# A packet in mid-flow without an entry is dropped silently
in_ns client python3 - <<'PY'
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
s.sendto(struct.pack(">HHIIBBHHH", 4000, 80, 1, 1, 5 << 4, 0x10, 1024, 0, 0), ("203.0.113.10", 0))
PY
dropped() { [ "$(drops node no_flow)" -ge 1 ]; }
wait_for "drop of a packet in mid-flow" dropped
echo "PASS"
