#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What an operator sees of a running engine: status, residence times, flows, records, captures.
. "$(dirname "$0")/lab.sh"

# residence NODE: packets in the histogram.
residence() {
	ctl "$1" --json histogram | jq '[.lcores[].residence_us_log2[]] | add'
}

CAPTURES=0

capturing() {
	[ "$(grep -c "capture started" "$WORK/node.log")" = "$CAPTURES" ]
}

# capture FILE OPTION...: in the background until capture_end; packets that follow are in it.
capture() {
	local file=$1
	shift
	CAPTURES=$((CAPTURES + 1))
	"$BUILD_DIR/weirctl" --socket "$WORK/node.sock" capture -o "$file" "$@" 2>"$WORK/capture.log" &
	CAPTURE=$!
	CHILDREN+=("$CAPTURE")
	wait_for "a capture" capturing
}

capture_end() {
	kill -INT "$CAPTURE" 2>/dev/null || true
	wait "$CAPTURE" || fail "the capture ended with $?"
}

# read_capture FILE EXPRESSION...: number of packets by tcpdump's count.
read_capture() {
	local file=$1
	shift
	tcpdump -nn -r "$file" "$@" 2>/dev/null | wc -l
}

lab_up
TELEMETRY=--telemetry LCORES='0@(0-1),1@(0-1),2@(0-1)' engine_start node
node_request 1 11 | apply node
lb_request 1 ROUND_ROBIN DNAT "$(three_members)" | apply node
for turn in $(seq 30); do fetch >>"$WORK/answers"; done

# Packets that were handed over between lcores are measured too
sent=$(ctl node --json status | jq '[.lcores[] | select(.residence_us_log2 | add > 0) | .tx_packets] | add')
at_least "packets in the histogram" 200 "$(residence node)"
at_least "packets sent by the lcores that measure" "$(residence node)" "$sent"
equal "packets that stayed for more than 131 ms" 0 \
	"$(ctl node --json histogram | jq '[.lcores[].residence_us_log2[18:][]] | add')"
ctl node histogram | grep -q '100.000 %' || fail "the histogram's text lacks its end"
at_least "free packet buffers" 1000 "$(ctl node --json status | jq .packet_buffers_free)"
equal "entries by class" "$(ctl node --json status | jq .flow_table_used)" \
	"$(ctl node --json status | jq '[.lcores[].classes[] | select(.name == "nat4") | .used] | add')"
equal "drops shown for another load balancer" "" "$(ctl node drops --lb lb_other)"

# Flows by filter
in_ns client curl -fsSN -m 60 "http://203.0.113.10/slow?seconds=8" >"$WORK/slow" &
CHILDREN+=($!)
wait_for "the first line" test -s "$WORK/slow"
in_ns client python3 - <<'PY'
import socket
for n in range(5):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(3)
    s.sendto(b"hello", ("203.0.113.10", 7000))
    s.recv(100)
PY
flows_listed() {
	ctl node --json flows "$@" | jq -s '[.[].flows[]] | length'
}
equal "established flows" 1 "$(flows_listed --state established)"
equal "UDP flows" 5 "$(flows_listed --protocol udp)"
equal "UDP flows of the listener for them" 5 "$(flows_listed --listener lst_echo --client 192.0.2.0/24)"
equal "flows of another client" 0 "$(flows_listed --client 198.51.100.0/24)"
equal "flows to the VIP's UDP port" 5 "$(flows_listed --vip 203.0.113.10:7000)"
equal "flows older than a minute" 0 "$(flows_listed --min-age 60)"
equal "flows within the limit" 3 "$(flows_listed --limit 3)"
at_least "packets of the established flow" 3 "$(ctl node --json flows --state established | jq '.flows[0].in_packets')"

# Records of flows as they start and end, and who begins most
"$BUILD_DIR/weirctl" --socket "$WORK/node.sock" --json watch flows --seconds 4 >"$WORK/records" &
WATCH=$!
"$BUILD_DIR/weirctl" --socket "$WORK/node.sock" --json watch top --seconds 13 >"$WORK/top" &
TOP=$!
sleep 0.5
for turn in $(seq 12); do fetch >/dev/null; done
wait "$WATCH"
records() {
	jq -s "[.[].records[] | select(.load_balancer_id == \"lb_one\" and $1)] | length" "$WORK/records"
}
equal "records of flows that started" 12 "$(records '.end == "not_ended"')"
equal "records of flows that ended" 12 "$(records '.end == "fin"')"
equal "records with a client's packets and a member's bytes" 12 \
	"$(records '.end == "fin" and .in_packets >= 4 and .out_bytes >= 200 and .estimated == false')"
equal "records lost" 0 "$(ctl node --json status | jq .flow_records_lost)"

# DPDK's own telemetry socket
in_ns client curl -s -m 0.3 http://203.0.113.10:81/ >/dev/null && fail "port 81 must not answer"
cat >"$WORK/telemetry.py" <<'PY'
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
s.recv(1024)
for command in sys.argv[2:]:
    s.send(command.encode())
    print(json.dumps(json.loads(s.recv(16384))))
PY
python3 "$WORK/telemetry.py" "/var/run/dpdk/$LAB-node/dpdk_telemetry.v2" /weir/status /weir/counters,lb_one \
	/weir/counters,lb_other /weir/drops >"$WORK/telemetry" 2>"$WORK/telemetry.log" || fail "no telemetry"
equal "workers by telemetry" 2 "$(jq -s '.[0]["/weir/status"].workers' "$WORK/telemetry")"
equal "new flows by telemetry" 48 "$(jq -s '.[1]["/weir/counters"].new_flows' "$WORK/telemetry")"
equal "new flows of another one" 0 "$(jq -s '.[2]["/weir/counters"].new_flows' "$WORK/telemetry")"
at_least "drops by telemetry" 1 "$(jq -s '.[3]["/weir/drops"].no_listener' "$WORK/telemetry")"

# A capture holds a connection before and after the rewrite, and nothing else
capture "$WORK/one.pcapng" --filter "proto tcp host 192.0.2.2 port 8080"
for turn in 1 2 3; do fetch >/dev/null; done
in_ns client ping -c 1 -W 2 203.0.113.10 >/dev/null || fail "the VIP does not answer ping"
capture_end
at_least "packets to members in the capture" 9 "$(read_capture "$WORK/one.pcapng" dst port 8080)"
equal "packets that the filter refuses" 0 "$(read_capture "$WORK/one.pcapng" not port 8080)"
capture "$WORK/two.pcapng" --filter "lb lb_one" --count 12
for turn in 1 2 3; do fetch >/dev/null; done
wait "$CAPTURE" || fail "the bounded capture ended with $?"
equal "packets of a bounded capture" 12 "$(read_capture "$WORK/two.pcapng")"
at_least "packets to the VIP in it" 2 "$(read_capture "$WORK/two.pcapng" dst host 203.0.113.10)"
at_least "packets after the rewrite in it" 2 "$(read_capture "$WORK/two.pcapng" dst port 8080)"
ctl node capture -o "$WORK/none.pcapng" --filter "lb lb_other" 2>"$WORK/refused" && fail "unknown name taken"
grep -q "has the name" "$WORK/refused" || fail "the refusal does not say why"

wait "$TOP"
at_least "new flows of the source that began most" 12 \
	"$(jq -s '[.[] | select(.load_balancer_id == "lb_one") | .sources[] | .new_flows] | max' "$WORK/top")"
equal "that source" 192.0.2.2 "$(jq -rs '.[0].sources[0].address' "$WORK/top")"

# Copies that find no room are lost and counted, packets are not: a flood against a stopped reader
capture "$WORK/flood.pcapng" --count 1000000 --snaplen 1500
kill -STOP "$CAPTURE"
in_ns client python3 - <<'PY'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
for n in range(3000):
    s.sendto(b"x" * 1000, ("203.0.113.10", 7000))
    s.recv(2000)
PY
kill -CONT "$CAPTURE"
capture_end
at_least "copies lost to a stopped reader" 1 "$(sed -n 's/.* packets, \([0-9]*\) lost/\1/p' "$WORK/capture.log")"
echo "PASS"
