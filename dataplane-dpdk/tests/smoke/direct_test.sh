#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# dsr and tunnels end to end with the member kit: HTTP through the engine, replies past it, and
# uploads whose packets do not fit the way to the member.
. "$(dirname "$0")/lab.sh"

KIT=$BUILD_DIR/member
[ -e "$KIT/decap.bpf.o" ] || skip "the member's decapsulator was not built"
lab_up
export WEIR_MEMBER_STATE=$WORK/member.json
VIP=203.0.113.10

kit() { in_ns members "$KIT/weir-member" "$@"; }

in_ns members ip route replace default via 10.9.0.1
in_ns members python3 - >"$WORK/server.log" 2>&1 <<'PY' &
import hashlib, http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, text):
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
    def do_GET(self):
        self.answer(f"{self.connection.getsockname()[0]} {self.client_address[0]}\n")
    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(hashlib.sha256(body).hexdigest() + "\n")
http.server.ThreadingHTTPServer(("0.0.0.0", 80), Handler).serve_forever()
PY
CHILDREN+=($!)
wait_for "the HTTP server" in_ns members curl -fsS -m 1 -o "$WORK/probe" http://10.9.20.11/

SEQUENCE=0
# serve MODE [POOL FIELDS]: one member, reached at 10.9.20.11 by tunnels, at 10.9.0.2 by dsr.
serve() {
	local address=10.9.20.11
	[ "$1" = TUNNEL ] || address=10.9.0.2
	SEQUENCE=$((SEQUENCE + 1))
	apply node <<-TEXT
		request_id: 2
		apply { upserts { epoch: 1 sequence: $SEQUENCE config {
		  load_balancer_id: "lb_$SEQUENCE" project_id: "prj_one" generation: $SEQUENCE enabled: true
		  vips { vip_id: "vip_one" address: "$(bytes $VIP)" claim_sequence: $SEQUENCE }
		  listeners { listener_id: "lst_http" protocol: PROTOCOL_TCP port_ranges { first: 80 last: 80 }
		    pool_id: "pool_http" flow_tracking: FLOW_TRACKING_STATEFUL enabled: true }
		  listeners { listener_id: "lst_echo" protocol: PROTOCOL_UDP port_ranges { first: 7000 last: 7000 }
		    pool_id: "pool_http" flow_tracking: FLOW_TRACKING_STATEFUL enabled: true }
		  pools { pool_id: "pool_http" algorithm: ALGORITHM_MAGLEV forwarding_mode: FORWARDING_MODE_$1 ${2:-}
		    maglev_table_size: 1009 drain_timeout_s: 30
		    members { member_id: "mbr_1" address: "$(bytes $address)" port { keep: true } weight: 1 enabled: true } }
		} } }
	TEXT
}
# What the client's kernel has learnt is forgotten between rounds.
forget() { in_ns client ip route flush cache; }
path_mtu() { in_ns client ip route get $VIP | grep -o 'mtu [0-9]*' || echo none; }
head -c 3000000 /dev/urandom >"$WORK/upload"
SUM=$(sha256sum <"$WORK/upload" | cut -d' ' -f1)
upload() { in_ns client curl -fsS -m 20 -T "$WORK/upload" "http://$VIP/" || echo failed; }

engine_start node
node_request 1 11 | apply node
kit setup --vip $VIP --mode dsr --dev lan0
serve DSR
equal "dsr: HTTP" "$VIP 192.0.2.2" "$(fetch)"
equal "dsr: upload" "$SUM" "$(upload)"

kit setup --vip $VIP --mode ipip --dev lan0
kit check >/dev/null || fail "weir-member check finds something wrong"
serve TUNNEL "tunnel_encapsulation: TUNNEL_ENCAPSULATION_IPIP"
equal "ipip: HTTP" "$VIP 192.0.2.2" "$(fetch)"
equal "ipip: upload with the member's MSS" "$SUM" "$(upload)"
equal "ipip: nothing was too big" 0 "$(drops node mtu_exceeded)"
every_worker_sends node "http://$VIP/"
kit setup --vip $VIP --mode gue --dev lan0
serve TUNNEL "tunnel_encapsulation: TUNNEL_ENCAPSULATION_GUE"
equal "gue: HTTP" "$VIP 192.0.2.2" "$(fetch)"
equal "gue: upload with the member's MSS" "$SUM" "$(upload)"
equal "gue: nothing was too big" 0 "$(drops node mtu_exceeded)"

# Without the member's MSS the engine itself tells the client: 1500 - 20 - 8.
in_ns members ip rule del priority 6080
forget
equal "gue: upload by the engine's frag-needed" "$SUM" "$(upload)"
equal "path MTU that the client learnt" "mtu 1472" "$(path_mtu)"
at_least "packets that were too big" 1 "$(drops node mtu_exceeded)"

# A narrow link behind a router tells the engine, which tells the client: 1300 - 20 - 8.
ip -n "$LAB-router" route add 10.9.20.0/24 via 10.9.0.2 mtu lock 1300
in_ns router sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.lan.send_redirects=0
node_request 2 11 | sed 's/\(length: 24 } next_hop: \)"[^"]*"/\1"'"$(bytes 10.9.0.1 | sed 's/\\/\\\\/g')"'"/' | apply node
forget
equal "gue: upload over a narrow link" "$SUM" "$(upload)"
equal "path MTU that the client learnt of the narrow link" "mtu 1272" "$(path_mtu)"

# A datagram that does not fit the tunnel and has no DF is cut for it. (This device's kernel puts
# fragments together before the engine sees them, up to a frame of 2 KiB.)
in_ns members python3 - >"$WORK/udp.log" 2>&1 <<'PY' &
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("203.0.113.10", 7000))
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(65535)
    s.sendto(b"%d" % len(data), peer)
PY
CHILDREN+=($!)
wait_for "the UDP server" grep -q ready "$WORK/udp.log"
forget
in_ns client python3 - >"$WORK/datagrams" 2>&1 <<'PY' || true
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER: never DF
s.settimeout(3)
for size in (1472, 1700, 100):
    s.sendto(b"x" * size, ("203.0.113.10", 7000))
    print(s.recv(100).decode(), flush=True)
PY
equal "gue: datagrams without DF arrive whole" "1472 1700 100" "$(xargs <"$WORK/datagrams")"
echo "PASS"
