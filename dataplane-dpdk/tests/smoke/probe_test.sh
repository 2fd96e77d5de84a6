#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TCP probes over the data path: every outcome against real servers, and none left half open.
. "$(dirname "$0")/lab.sh"

probe() { # ADDRESS PORT: the outcome
	echo "request_id: 7 probe { probe_id: 77 type: PROBE_TYPE_TCP_CONNECT
		forwarding_mode: FORWARDING_MODE_DNAT member_address: \"$(bytes "$1")\"
		member_port: $2 timeout_ms: 600 }" | apply node | tee "$WORK/probe.json" | jq -r .probe_result.outcome
}

lab_up
engine_start node
node_request 1 11 | apply node
equal "open port" connected "$(probe 10.9.20.11 8080)"
at_least "round trip in microseconds" 1 "$(jq .probe_result.rtt_us "$WORK/probe.json")"
equal "its id" 77 "$(jq .probe_result.probe_id "$WORK/probe.json")"
equal "closed port" refused "$(probe 10.9.20.11 9)"
equal "silent member behind a router" timeout "$(in_ns members nft add table ip t && in_ns members nft add chain ip t c '{ type filter hook input priority 0; }' && in_ns members nft add rule ip t c tcp dport 5000 drop && probe 10.9.20.11 5000)"
equal "nobody on the network" unreachable "$(probe 10.9.0.99 80)"
ip -n "$LAB-members" route add unreachable 10.9.20.77/32
in_ns members sysctl -qw net.ipv4.ip_forward=1
equal "router says unreachable" unreachable "$(probe 10.9.20.77 80)"

udp_probe() { # ADDRESS PORT EXPECT: the outcome
	echo "request_id: 7 probe { probe_id: 78 type: PROBE_TYPE_UDP
		forwarding_mode: FORWARDING_MODE_DNAT member_address: \"$(bytes "$1")\"
		member_port: $2 timeout_ms: 600 udp_send: \"ping\" udp_expect: \"$3\" }" | apply node |
		jq -r .probe_result.outcome
}
equal "echo answers as expected" connected "$(udp_probe 10.9.20.11 7000 10.9.20.11)"
equal "another answer than expected" timeout "$(udp_probe 10.9.20.11 7000 nothing)"
equal "closed UDP port" refused "$(udp_probe 10.9.20.11 7001 any)"

# dsr: the VIP at the member's MAC; the answer comes from the VIP to the data address.
dsr_probe() { # PORT: the outcome
	echo "request_id: 7 probe { probe_id: 79 type: PROBE_TYPE_TCP_CONNECT
		forwarding_mode: FORWARDING_MODE_DSR member_address: \"$(bytes 10.9.0.2)\"
		vip_address: \"$(bytes 203.0.113.10)\" member_port: $1 timeout_ms: 600 }" | apply node |
		jq -r .probe_result.outcome
}
equal "dsr, the member does not have the VIP" timeout "$(dsr_probe 80)"
in_ns members sysctl -qw net.ipv4.ip_forward=0
ip -n "$LAB-members" addr add 203.0.113.10/32 dev lo
in_ns members python3 -m http.server --bind 203.0.113.10 80 >>"$WORK/vip.log" 2>&1 &
CHILDREN+=($!)
wait_for "the VIP's server" in_ns members curl -fsS -m 1 -o /dev/null http://203.0.113.10/
equal "dsr, open port" connected "$(dsr_probe 80)"
equal "dsr, closed port" refused "$(dsr_probe 81)"
equal "connections left at the member" 0 "$(in_ns members ss -Htn state syn-recv state established sport = :8080 dst 10.9.0.11 | wc -l)"
echo "PASS"
