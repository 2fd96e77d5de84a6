#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# IPv6 and the modes in which members answer clients themselves: dnat and snat over IPv6 with
# neighbour discovery, dsr over both families, all with real kernels and real HTTP.
. "$(dirname "$0")/lab.sh"

# bytes6 ADDRESS: an IPv6 address as a protobuf text literal.
bytes6() {
	python3 -c 'import ipaddress, sys
print("".join(f"\\x{b:02x}" for b in ipaddress.ip_address(sys.argv[1]).packed))' "$1"
}

enable_ipv6() {
	local name
	for name in client router members; do
		in_ns "$name" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 \
			net.ipv6.conf.default.disable_ipv6=0 net.ipv6.conf.all.accept_dad=0
	done
	in_ns router sysctl -qw net.ipv6.conf.all.forwarding=1
	ip -n "$LAB-router" addr add 2001:db8:9::1/64 dev lan nodad
	ip -n "$LAB-router" addr add 2001:db8:c::1/64 dev c0 nodad
	ip -n "$LAB-client" addr add 2001:db8:c::2/64 dev c0 nodad
	ip -n "$LAB-client" route add default via 2001:db8:c::1
	ip -n "$LAB-members" addr add 2001:db8:9::2/64 dev lan0 nodad
	ip -n "$LAB-members" addr add 2001:db8:20::11/128 dev lo nodad
	ip -n "$LAB-router" route add 2001:db8:f::/64 via 2001:db8:9::11
	ip -n "$LAB-router" route add 2001:db8:31::/64 via 2001:db8:9::11
	ip -n "$LAB-members" route add 2001:db8:31::/64 via 2001:db8:9::11
	ip -n "$LAB-members" route add 2001:db8:c::/64 via 2001:db8:9::11
}

node_request_v6() {
	cat <<-TEXT
		request_id: 1
		apply_node {
		  epoch: 1 sequence: 1
		  node {
		    node_id: "node_11" data_address: "$(bytes 10.9.0.11)" data_prefix_length: 24 mtu: 1500
		    data_address_v6: "$(bytes6 2001:db8:9::11)" data_prefix_length_v6: 64
		    routes { prefix { address: "$(bytes 0.0.0.0)" length: 0 } next_hop: "$(bytes 10.9.0.1)" }
		    routes { prefix { address: "$(bytes6 ::)" length: 0 } next_hop: "$(bytes6 2001:db8:9::1)" }
		    routes { prefix { address: "$(bytes6 2001:db8:20::)" length: 64 } next_hop: "$(bytes6 2001:db8:9::2)" }
		    snat_ranges { address: "$(bytes6 2001:db8:31::)" length: 64 }
		  }
		}
	TEXT
}

# one_member SEQUENCE MODE VIP_BYTES MEMBER_BYTES PORT: listener on port 80.
one_member() {
	cat <<-TEXT
		request_id: 2
		apply {
		  upserts {
		    epoch: 1 sequence: $1
		    config {
		      load_balancer_id: "lb_one" project_id: "prj_one" generation: $1 enabled: true
		      vips { vip_id: "vip_one" address: "$3" claim_sequence: 1 }
		      listeners {
		        listener_id: "lst_http" protocol: PROTOCOL_TCP port_ranges { first: 80 last: 80 }
		        pool_id: "pool_$2" flow_tracking: FLOW_TRACKING_STATEFUL enabled: true
		      }
		      pools {
		        pool_id: "pool_$2" algorithm: ALGORITHM_MAGLEV forwarding_mode: FORWARDING_MODE_$2
		        maglev_table_size: 1009 drain_timeout_s: 0
		        members { member_id: "mbr_$2" address: "$4" port { $5 } weight: 1 enabled: true }
		      }
		    }
		  }
		}
	TEXT
}

# serve ADDRESS PORT: an HTTP server in the members' namespace.
serve() {
	in_ns members python3 -m http.server --bind "$1" --directory "$WORK/www" "$2" \
		>>"$WORK/serve.log" 2>&1 &
	CHILDREN+=($!)
}

# twenty URL: all of 20 requests are answered.
twenty() {
	local turn answered=0
	for turn in $(seq 20); do
		in_ns client curl -gfsS -m 5 "$1" >>"$WORK/answer" 2>>"$WORK/curl.log" && answered=$((answered + 1))
	done
	echo "$answered"
}

lab_up
enable_ipv6
mkdir -p "$WORK/www"
head -c 30000 /dev/zero | tr '\0' x >"$WORK/www/file"
serve 2001:db8:20::11 8080
engine_start node
node_request_v6 | apply node
V6=$(bytes6 2001:db8:f::10)
FAR6=$(bytes6 2001:db8:20::11)

one_member 1 DNAT "$V6" "$FAR6" "fixed: 8080" | apply node
wait_for "the IPv6 server" in_ns members curl -gfsS -m 1 "http://[2001:db8:20::11]:8080/file"
equal "requests over IPv6, dnat" 20 "$(twenty "http://[2001:db8:f::10]/file")"
equal "neighbours found by discovery" 2 \
	"$(ctl node --json status | jq '[.neighbours[] | select(.address | contains(":")) | select(.state == "reachable")] | length')"
every_worker_sends node "http://[2001:db8:f::10]/file"

one_member 2 SNAT "$V6" "$FAR6" "fixed: 8080" | apply node
equal "requests over IPv6, snat" 20 "$(twenty "http://[2001:db8:f::10]/file")"
equal "clients' addresses that the member saw under snat" 0 \
	"$(tail -n 20 "$WORK/serve.log" | grep -c '^2001:db8:c::2' || true)"

# dsr: the VIPs are on the member's lo, it answers by the router.
in_ns members sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
ip -n "$LAB-members" addr add 203.0.113.10/32 dev lo
ip -n "$LAB-members" addr add 2001:db8:f::10/128 dev lo nodad
ip -n "$LAB-members" route replace default via 10.9.0.1
ip -n "$LAB-members" route replace 2001:db8:c::/64 via 2001:db8:9::1
serve 203.0.113.10 80
serve 2001:db8:f::10 80
one_member 3 DSR "$(bytes 203.0.113.10)" "$(bytes 10.9.0.2)" "keep: true" | apply node
wait_for "the VIP's server" in_ns members curl -fsS -m 1 http://203.0.113.10/file
equal "requests, dsr" 20 "$(twenty http://203.0.113.10/file)"
wait_for "the IPv6 VIP's server" in_ns members curl -gfsS -m 1 "http://[2001:db8:f::10]/file"
one_member 4 DSR "$V6" "$(bytes6 2001:db8:9::2)" "keep: true" | apply node
equal "requests over IPv6, dsr" 20 "$(twenty "http://[2001:db8:f::10]/file")"
equal "packets back through the engine under dsr" 0 \
	"$(ctl node --json counters | jq '[.counters[] | select(.member_id == "mbr_DSR") | .out_packets // 0] | add')"
at_least "flows under dsr whose end was seen from one direction" 40 "$(ctl node --json counters |
	jq '[.counters[] | select(.member_id == "mbr_DSR") | .ended_fin] | add')"
at_least "explained" 1 "$(ctl node explain tcp "[2001:db8:c::2]:5" "[2001:db8:f::10]:80" | grep -c dsr)"
echo "PASS"
