# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A laboratory of namespaces for the engine's smoke tests; sourced by *_test.sh.
#
#   client (192.0.2.2) -- router (192.0.2.1, 10.9.0.1) -- LAN 10.9.0.0/24 -- node: engine 10.9.0.11
#                                                                         -- node2: engine 10.9.0.12
#                                                                         -- members 10.9.0.2,
#                                                          which hold 10.9.20.11, .12, .13
# Every name carries LAB, so that several tests can run side by side.

set -euo pipefail

SMOKE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BUILD_DIR=${WEIR_BUILD_DIR:-$SMOKE_DIR/../../build}
PROTO_ROOT=$SMOKE_DIR/../../../openapi/messages
LAB=${LAB:-eng-$$}
WORK=""
ENGINES=()
CHILDREN=()

skip() {
	echo "SKIP: $*"
	exit 77
}

fail() {
	echo "FAIL: $*" >&2
	for log in "$WORK"/*.log; do
		echo "--- $log" >&2
		tail -n 30 "$log" >&2 || true
	done
	exit 1
}

in_ns() {
	local name=$1
	shift
	ip netns exec "$LAB-$name" "$@"
}

lab_down() {
	local pid name
	for pid in "${CHILDREN[@]}" "${ENGINES[@]}"; do
		kill -9 "$pid" 2>/dev/null || true
	done
	wait 2>/dev/null || true
	for name in client router node node2 members; do
		ip netns delete "$LAB-$name" 2>/dev/null || true
	done
	[ -z "$WORK" ] || rm -rf "$WORK" "/dev/shm/$LAB"
}

# A veth pair between a namespace and the router's bridge.
lan_link() {
	local name=$1 device=$2
	ip link add "$device" netns "$LAB-$name" type veth peer name "b$name" netns "$LAB-router"
	ip -n "$LAB-router" link set "b$name" master lan up
	in_ns "$name" ethtool -K "$device" tx off >/dev/null
	ip -n "$LAB-$name" link set "$device" up
}

lab_up() {
	[ "$(id -u)" = 0 ] || skip "network namespaces need root"
	command -v protoc >/dev/null || skip "protoc is missing"
	ip netns add "$LAB-client" 2>/dev/null || skip "network namespaces can't be made here"
	trap lab_down EXIT
	WORK=$(mktemp -d "/tmp/$LAB.XXXXXX")
	mkdir -p "/dev/shm/$LAB"
	local name
	for name in router node node2 members; do
		ip netns add "$LAB-$name"
	done
	for name in client router node node2 members; do
		in_ns "$name" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
		ip -n "$LAB-$name" link set lo up
	done
	ip -n "$LAB-router" link add lan type bridge
	ip -n "$LAB-router" addr add 10.9.0.1/24 dev lan
	ip -n "$LAB-router" link set lan up
	in_ns router ethtool -K lan tx off >/dev/null
	ip link add c0 netns "$LAB-client" type veth peer name c0 netns "$LAB-router"
	ip -n "$LAB-router" addr add 192.0.2.1/24 dev c0
	ip -n "$LAB-router" link set c0 up
	ip -n "$LAB-client" addr add 192.0.2.2/24 dev c0
	ip -n "$LAB-client" link set c0 up
	in_ns client ethtool -K c0 tx off >/dev/null
	in_ns router ethtool -K c0 tx off >/dev/null
	ip -n "$LAB-client" route add default via 192.0.2.1
	in_ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0 net.ipv4.fib_multipath_hash_policy=1
	lan_link node data0
	lan_link node2 data0
	lan_link members lan0
	ip -n "$LAB-members" addr add 10.9.0.2/24 dev lan0
	for name in 11 12 13; do
		ip -n "$LAB-members" addr add "10.9.20.$name/32" dev lo
	done
	in_ns members sysctl -qw net.ipv4.fib_multipath_hash_policy=1
	ip -n "$LAB-members" route add default via 10.9.0.11
	ip -n "$LAB-router" route add 203.0.113.0/24 via 10.9.0.11
	ip -n "$LAB-router" route add 10.9.31.0/28 via 10.9.0.11
	ip -n "$LAB-members" route add 10.9.31.0/28 via 10.9.0.11
	# Without a function's shell between, so that what is killed is the program.
	ip netns exec "$LAB-members" python3 "$SMOKE_DIR/backends.py" 10.9.20.11 10.9.20.12 10.9.20.13 \
		>"$WORK/backends.log" 2>&1 &
	CHILDREN+=($!)
	wait_for "backends" in_ns members curl -fsS -m 1 -o "$WORK/probe" http://10.9.20.13:8080/
}

# wait_for WHAT COMMAND...: up to 10 s.
wait_for() {
	local what=$1 turn
	shift
	for turn in $(seq 200); do
		if "$@" >/dev/null 2>&1; then
			return 0
		fi
		sleep 0.05
	done
	fail "$what did not come true: $* ($turn turns)"
}

# engine_start NODE: in namespace NODE; its socket is $WORK/NODE.sock, its process ENGINE_PID.
engine_start() {
	local name=$1
	shift
	mkdir -p "$WORK/$name.state" "/dev/shm/$LAB/$name"
	ip netns exec "$LAB-$name" "$BUILD_DIR/weir-engine" --no-huge -m 192 "${TELEMETRY:---no-telemetry}" --no-pci \
		--file-prefix "$LAB-$name" --lcores "${LCORES:-0@(0-1),1@(0-1)}" \
		--vdev "${DEVICE:-net_af_packet0,iface=data0}" -- --socket "$WORK/$name.sock" \
		--state-dir "$WORK/$name.state" --heartbeat "/dev/shm/$LAB/$name/heartbeat" \
		--shm-dir "/dev/shm/$LAB/$name" "$@" >>"$WORK/$name.log" 2>&1 &
	ENGINE_PID=$!
	ENGINES+=("$ENGINE_PID")
	wait_for "engine on $name" ctl "$name" status
}

ctl() {
	local name=$1
	shift
	"$BUILD_DIR/weirctl" --socket "$WORK/$name.sock" "$@"
}

# apply NODE: reads an EngineRequest in protobuf's text form from stdin, prints the reply.
apply() {
	local name=$1
	protoc --proto_path="$PROTO_ROOT" --encode=weir.v1.EngineRequest weir/v1/engine.proto \
		>"$WORK/request.bin"
	ctl "$name" replay "$WORK/request.bin"
}

# bytes A.B.C.D: the address as a protobuf text literal.
bytes() {
	printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(tr . ' ' <<<"$1")
}

# node_request SEQUENCE LAST_OCTET
node_request() {
	cat <<-TEXT
		request_id: 1
		apply_node {
		  epoch: 1 sequence: $1
		  node {
		    node_id: "node_$2" data_address: "$(bytes "10.9.0.$2")" data_prefix_length: 24 mtu: 1500
		    routes { prefix { address: "$(bytes 0.0.0.0)" length: 0 } next_hop: "$(bytes 10.9.0.1)" }
		    routes { prefix { address: "$(bytes 10.9.20.0)" length: 24 } next_hop: "$(bytes 10.9.0.2)" }
		    snat_ranges { address: "$(bytes 10.9.31.0)" length: ${SNAT_LENGTH:-28} }
		  }
		}
	TEXT
}

# member ID ADDRESS [WEIGHT] [ENABLED]
member() {
	echo "members { member_id: \"$1\" address: \"$(bytes "$2")\" port { fixed: ${MEMBER_PORT:-8080} }" \
		"weight: ${3:-1} enabled: ${4:-true} }"
}

# lb_request SEQUENCE ALGORITHM MODE MEMBERS [MORE]: one TCP listener on 80, one UDP listener on 53.
lb_request() {
	cat <<-TEXT
		request_id: 2
		apply {
		  upserts {
		    epoch: 1 sequence: $1
		    config {
		      load_balancer_id: "lb_one" project_id: "prj_one" generation: $1 enabled: true
		      vips { vip_id: "vip_one" address: "$(bytes 203.0.113.10)" claim_sequence: 1 }
		      listeners {
		        listener_id: "lst_http" protocol: PROTOCOL_TCP port_ranges { first: 80 last: 80 }
		        pool_id: "pool_http" flow_tracking: FLOW_TRACKING_STATEFUL enabled: true
		      }
		      listeners {
		        listener_id: "lst_echo" protocol: PROTOCOL_UDP port_ranges { first: 7000 last: 7000 }
		        pool_id: "pool_echo" flow_tracking: FLOW_TRACKING_STATEFUL enabled: true
		        idle_timeout_s: ${UDP_IDLE_S:-60}
		      }
		      pools {
		        pool_id: "pool_http" algorithm: ALGORITHM_$2 forwarding_mode: FORWARDING_MODE_$3
		        maglev_table_size: 1009 drain_timeout_s: ${DRAIN_S:-30}
		        $4
		      }
		      pools {
		        pool_id: "pool_echo" algorithm: ALGORITHM_$2 forwarding_mode: FORWARDING_MODE_$3
		        maglev_table_size: 1009 drain_timeout_s: ${DRAIN_S:-30}
		        members { member_id: "mbr_udp1" address: "$(bytes 10.9.20.11)" port { keep: true } weight: 1 enabled: true }
		        members { member_id: "mbr_udp2" address: "$(bytes 10.9.20.12)" port { keep: true } weight: 1 enabled: true }
		      }
		    }
		    ${5:-}
		  }
		}
	TEXT
}

three_members() {
	member mbr_1 10.9.20.11
	member mbr_2 10.9.20.12
	member mbr_3 10.9.20.13
}

# fetch [PATH]: the member that answered over the VIP.
fetch() {
	in_ns client curl -fsS -m 5 "http://203.0.113.10/${1:-}"
}

# every_worker_sends NODE URL: requests until each of the engine's workers has carried some.
every_worker_sends() {
	local turn
	for turn in $(seq 16); do
		in_ns client curl -gfsS -m 5 -o "$WORK/spread" "$2" || fail "request $turn of 16: $2"
	done
	equal "workers without a packet" 0 \
		"$(ctl "$1" --json status | jq '[.lcores[] | select((.tx_packets // 0 | tonumber) == 0)] | length')"
}

# counter NODE FIELD: sum over listeners and members.
counter() {
	ctl "$1" --json counters | jq "[.counters[].$2] | add // 0"
}

# drops NODE REASON
drops() {
	ctl "$1" --json counters | jq "[.drops[] | select(.reason == \"$2\") | .packets] | add // 0"
}

equal() {
	[ "$2" = "$3" ] || fail "$1: expected $2, got $3"
	echo "ok: $1 ($3)"
}

at_least() {
	[ "$3" -ge "$2" ] || fail "$1: expected at least $2, got $3"
	echo "ok: $1 ($3)"
}
