#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The af_xdp profile on a node with one port: the steering program takes the load balancer's packets
# and leaves BGP and ping of the node's own address to the kernel.
. "$(dirname "$0")/lab.sh"

STEER=$BUILD_DIR/xdp/steer.bpf.o
[ -e "$STEER" ] || skip "clang is missing: no steering program"
DEVICE="net_af_xdp0,iface=data0,xdp_prog=$STEER"
OWN=10.9.0.41

# What the kernel of the node counted as received, by nstat's name.
kernel_counted() {
	in_ns node nstat -az "$1" | awk 'END { print $2 }'
}

lab_up
ip -n "$LAB-node" addr add $OWN/24 dev data0
ip netns exec "$LAB-node" python3 -c '
import socket
server = socket.create_server(("'$OWN'", 179))
while True:
    server.accept()[0].sendall(b"speaker\n")
' >"$WORK/speaker.log" 2>&1 &
CHILDREN+=($!)

engine_start node --kernel-address $OWN
node_request 1 11 | apply node
lb_request 1 ROUND_ROBIN DNAT "$(three_members)" | apply node

# Traffic of the load balancer is the engine's; the kernel sees none of it
resets=$(kernel_counted TcpOutRsts)
for turn in $(seq 30); do fetch >>"$WORK/answers" || fail "request $turn over af_xdp"; done
equal "answers over af_xdp" 30 "$(wc -l <"$WORK/answers")"
equal "new flows" 30 "$(counter node new_flows)"
equal "resets by the kernel" "$resets" "$(kernel_counted TcpOutRsts)"

# The kernel's own address: ARP, ping and BGP arrive there, other ports do not
in_ns router ping -c 2 -W 2 $OWN >"$WORK/ping.log" || fail "ping to the kernel's address"
equal "pings answered by the kernel" 2 "$(kernel_counted IcmpInEchos)"
answer=$(in_ns router timeout 3 bash -c "exec 3<>/dev/tcp/$OWN/179; cat <&3 & sleep 0.5; kill \$! 2>/dev/null" || true)
equal "BGP speaker answers" speaker "$answer"
if in_ns router timeout 1 bash -c "exec 3<>/dev/tcp/$OWN/22" 2>/dev/null; then
	fail "another port of the kernel's address answers"
fi
equal "resets by the kernel, after a knock on port 22" "$resets" "$(kernel_counted TcpOutRsts)"

# Ping to the engine's address is the engine's
in_ns router ping -c 1 -W 2 10.9.0.11 >"$WORK/ping.log" || fail "ping to the data address"
equal "pings answered by the kernel, still" 2 "$(kernel_counted IcmpInEchos)"

# A kill leaves the program on the port; the next engine takes its place, flows go on
in_ns client curl -fsSN -m 60 "http://203.0.113.10/slow?seconds=3" >"$WORK/slow" &
slow=$!
wait_for "the first line" test -s "$WORK/slow"
{ kill -9 "$ENGINE_PID" && wait "$ENGINE_PID"; } 2>/dev/null || true
engine_start node --kernel-address $OWN
wait $slow || fail "a download broke over the restart"
equal "the download's end" end "$(tail -1 "$WORK/slow")"
in_ns router ping -c 1 -W 2 $OWN >"$WORK/ping.log" || fail "ping after the restart"

# Without the program on the port the engine says what is missing
kill -TERM "$ENGINE_PID" && wait "$ENGINE_PID"
DEVICE=net_af_packet0,iface=data0
if (engine_start node --kernel-address $OWN) >/dev/null 2>&1; then
	fail "an engine without the steering program accepts --kernel-address"
fi
grep -q "needs the steering program" "$WORK/node.log" || fail "no word about the steering program"
echo "PASS"
