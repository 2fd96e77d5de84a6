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
equal "connections left at the member" 0 "$(in_ns members ss -Htn state syn-recv state established sport = :8080 dst 10.9.0.11 | wc -l)"
echo "PASS"
