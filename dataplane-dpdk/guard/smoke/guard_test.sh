#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The guard with a real BIRD and a real neighbour, in two network namespaces. usage: guard_test.sh
# BUILD_DIR, the folder of weir-guard and weir-guard-beat. Exits 77 with a reason where it cannot run.
set -u

build=$1
dir=$(mktemp -d /tmp/weir-guard-smoke.XXXXXX)
node=wg-$$-node
router=wg-$$-router
failures=0
pids=()

skip() { echo "skipped: $1"; exit 77; }

cleanup() {
	for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null; done
	wait 2>/dev/null
	ip netns del "$node" 2>/dev/null
	ip netns del "$router" 2>/dev/null
	rm -rf "$dir"
}

check() { # check DESCRIPTION COMMAND…
	local what=$1
	shift
	if "$@"; then
		echo "ok: $what"
	else
		echo "FAILED: $what"
		failures=$((failures + 1))
	fi
}

now_ms() { date +%s%3N; }

has_route() { ip -n "$router" route show 203.0.113.7 | grep -q 203.0.113.7; }
has_no_route() { ! has_route; }

# within LIMIT_MS COMMAND…: the time it took is left in $took
within() {
	local limit=$1 begin
	shift
	begin=$(now_ms)
	while ! "$@"; do
		took=$(($(now_ms) - begin))
		[ "$took" -lt "$limit" ] || return 1
		sleep 0.01
	done
	took=$(($(now_ms) - begin))
}

ask() {
	/usr/bin/python3 - "$dir/guard.sock" "$1" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(5)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode() + b"\n")
print(s.makefile().readline().strip())
PY
}

answers() { [[ $(ask "$1") == $2 ]]; }
dead() { [[ ! -e /proc/$1 || $(</proc/$1/stat) == *") Z "* ]] 2>/dev/null; }
slay() { kill -9 "$1"; wait "$1" 2>/dev/null; }

beat() {
	"$build/weir-guard-beat" "$dir/heartbeat" "$1" "$2" &
	beat=$!
	pids+=("$beat")
}

start_guard() {
	ip netns exec "$node" "$build/weir-guard" --heartbeat "$dir/heartbeat" --bird-dir "$dir/bird" \
		--socket "$dir/guard.sock" -- bird -f -c "$dir/bird/bird.conf" -s "$dir/bird/bird.ctl" \
		2>>"$dir/guard.log" &
	guard=$!
	pids+=("$guard")
}

[ "$(id -u)" = 0 ] || skip "needs root"
for tool in bird ip /usr/bin/python3; do
	command -v "$tool" >/dev/null || skip "$tool is not installed"
done
trap cleanup EXIT
ip netns add "$node" 2>/dev/null || skip "cannot make network namespaces"
ip netns add "$router" || skip "cannot make network namespaces"
ip link add wgn netns "$node" type veth peer name wgr netns "$router"
ip -n "$node" addr add 10.255.7.1/30 dev wgn
ip -n "$router" addr add 10.255.7.2/30 dev wgr
ip -n "$node" link set wgn up
ip -n "$router" link set wgr up

mkdir "$dir/bird" "$dir/router"
cat >"$dir/router/bird.conf" <<CONF
router id 10.255.7.2;
protocol device {}
protocol kernel { ipv4 { export all; }; }
protocol bgp node {
	local 10.255.7.2 as 64500;
	neighbor 10.255.7.1 as 64511;
	connect retry time 1;
	ipv4 { import all; export none; };
}
CONF
cat >"$dir/routes.conf" <<CONF
protocol static vips { ipv4; route 203.0.113.7/32 unreachable; }
CONF
cat >"$dir/bird.conf" <<CONF
router id 10.255.7.1;
include "$dir/bird/gate.conf";
include "$dir/bird/routes.conf";
protocol device {}
protocol bgp uplink {
	local 10.255.7.1 as 64511;
	neighbor 10.255.7.2 as 64500;
	connect delay time 1;
	connect retry time 1;
	ipv4 {
		import none;
		export filter { if !weir_gate_open then reject; if source = RTS_STATIC then accept; reject; };
	};
}
CONF
ip netns exec "$router" bird -f -c "$dir/router/bird.conf" -s "$dir/router/bird.ctl" 2>"$dir/router.log" &
pids+=($!)

start_guard
check "answers before BIRD has a configuration" within 2000 answers status '{"gate":"closed",*"bird_pid":0}'
check "refuses a reload without bird.conf" answers reload 'error *'
cp "$dir/routes.conf" "$dir/bird.conf" "$dir/bird/"
check "starts BIRD once bird.conf is there" within 2000 answers status '{"gate":"closed",*"bird_pid":[1-9]*}'
established() { birdc -s "$dir/router/bird.ctl" show protocols 2>/dev/null | grep -q Established; }
check "the session comes up" within 15000 established
check "a closed gate announces nothing" has_no_route

beat 1 11
check "a beating engine opens the gate" within 2000 has_route
echo "announced after $took ms"
check "status names the engine" answers status '{"gate":"open","engine_start_id":11,*}'

slay "$beat"
began=$(now_ms)
check "the route is held at first" has_route
sleep 0.7
check "the route is held for 700 ms" has_route
check "the route is gone after the hold time" within 2000 has_no_route
held=$(($(now_ms) - began))
echo "withdrawn $held ms after the engine's death"
check "the hold time was about a second" [ "$held" -ge 900 -a "$held" -le 1500 ]

beat 1 12
check "it is announced again" within 2000 has_route
slay "$beat"
sleep 0.3
beat 0 13
sleep 0.2
slay "$beat"
beat 1 13
sleep 0.8
check "a restart within the hold time keeps the route" has_route
check "the log shows no closing for it" [ "$(grep -c 'gate closed' "$dir/guard.log")" = 1 ]

kill -TERM "$beat"
check "a stopping engine is withdrawn at once" within 400 has_no_route
echo "withdrawn after $took ms"

beat 1 14
check "announced before the reload" within 2000 has_route
sed 's/113.7/113.8/' "$dir/routes.conf" >"$dir/bird/routes.conf"
check "reload reads new routes" answers reload ok
check "the old route leaves" within 1000 has_no_route
echo 'protocol static vips { ipv4; route 203.0.113.7/32 unreachable' >"$dir/bird/routes.conf"
check "reload tells what BIRD refuses" answers reload 'error *'
has_other() { ip -n "$router" route show 203.0.113.8 | grep -q 203.0.113.8; }
check "a refused file changes nothing" has_other
bird_pid=$(ask status | sed 's/.*"bird_pid":\([0-9]*\).*/\1/')
slay "$beat"
withdrawn_other() { ! has_other; }
check "a refused file does not stop the withdrawal" within 2500 withdrawn_other
check "BIRD was killed for it" within 500 dead "$bird_pid"
wait "$guard"
check "the guard left with an error" [ $? = 1 ]

cp "$dir/routes.conf" "$dir/bird/"
beat 1 15
start_guard
check "a new guard announces again" within 15000 has_route
bird_pid=$(ask status | sed 's/.*"bird_pid":\([0-9]*\).*/\1/')
kill -9 "$bird_pid"
wait "$guard"
check "the guard leaves when BIRD dies" [ $? = 1 ]
check "and the route is gone" within 1000 has_no_route

start_guard
check "the third guard announces again" within 15000 has_route
bird_pid=$(ask status | sed 's/.*"bird_pid":\([0-9]*\).*/\1/')
slay "$guard"
check "BIRD dies with its guard" within 500 dead "$bird_pid"
check "so the route is withdrawn" within 1000 has_no_route
echo "withdrawn after $took ms"

start_guard
check "the fourth guard announces again" within 15000 has_route
kill -TERM "$guard"
wait "$guard"
check "SIGTERM ends the guard well" [ $? = 0 ]
check "and withdraws" within 1000 has_no_route

[ "$failures" = 0 ] || { echo "--- guard.log"; cat "$dir/guard.log"; cat "$dir/router.log"; exit 1; }
