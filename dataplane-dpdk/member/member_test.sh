#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The member kit alone: what scapy encapsulates reaches a server at the VIP, whose answer goes
# straight back; `check` names each fault; `undo` leaves the host as it was.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
KIT=${WEIR_BUILD_DIR:-$HERE/../build}/member
LAB=wm-$$
WORK=""
SERVER=""

skip() {
	echo "SKIP: $*"
	exit 77
}
fail() {
	echo "FAIL: $*" >&2
	exit 1
}
down() {
	[ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null || true
	ip netns delete "$LAB-far" 2>/dev/null || true
	ip netns delete "$LAB-member" 2>/dev/null || true
	[ -z "$WORK" ] || rm -rf "$WORK"
}
[ "$(id -u)" = 0 ] || skip "network namespaces need root"
[ -e "$KIT/decap.bpf.o" ] || skip "the decapsulator was not built: clang or libbpf-dev is missing"
ip netns add "$LAB-far" 2>/dev/null || skip "network namespaces can't be made here"
trap down EXIT
ip netns add "$LAB-member"
WORK=$(mktemp -d "/tmp/$LAB.XXXXXX")
export WEIR_MEMBER_STATE=$WORK/state.json
far() { ip netns exec "$LAB-far" "$@"; }
member() { ip netns exec "$LAB-member" "$@"; }

ip link add m0 netns "$LAB-member" type veth peer name f0 netns "$LAB-far"
for side in far:f0:1 member:m0:2; do
	IFS=: read -r name device last <<<"$side"
	ip -n "$LAB-$name" link set lo up
	ip -n "$LAB-$name" link set "$device" up
	ip -n "$LAB-$name" addr add "10.8.0.$last/24" dev "$device"
	ip -n "$LAB-$name" addr add "fd08::$last/64" dev "$device" nodad
	ip netns exec "$LAB-$name" ethtool -K "$device" tx off >/dev/null
done
ip -n "$LAB-member" route add default via 10.8.0.1
ip -n "$LAB-member" route add default via fd08::1
member sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.m0.rp_filter=1

V4=203.0.113.10
V6=2001:db8:2::10
snapshot() {
	member ip addr show
	member ip -4 rule show
	member ip -6 rule show
	member ip route show table all
	member sysctl net.ipv4.conf.all.arp_ignore net.ipv4.conf.all.arp_announce net.ipv4.conf.m0.rp_filter
	member ip -d link show m0 | grep -c prog/xdp || true
}
settled() { snapshot | grep -v fe80: | sed 's/valid_lft.*//'; }
settled >"$WORK/before"

member python3 - >"$WORK/server.log" 2>&1 <<'PY' &
import selectors, socket
s = selectors.DefaultSelector()
for family, any_address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    server = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        server.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO
        server.setsockopt(socket.IPPROTO_IP, 13, 1)  # IP_RECVTOS
    server.bind((any_address, 7000))
    s.register(server, selectors.EVENT_READ)
while True:
    for key, _ in s.select():
        data, extra, _, peer = key.fileobj.recvmsg(2000, 200)
        info = [e for e in extra if e[1] in (8, socket.IPV6_PKTINFO)]
        tos = b"".join(e[2] for e in extra if e[1] == 1 and e[0] == socket.IPPROTO_IP)
        key.fileobj.sendmsg([data + b" " + tos.hex().encode()], info, 0, peer)
PY
SERVER=$!

# tell FAMILY LAYERS: sends what the scapy expression names, a datagram to the VIP of the family
# within something; prints the answer.
MAC=$(member cat /sys/class/net/m0/address)
tell() {
	far /usr/bin/python3 - "$1" "$2" "$MAC" <<'PY'
import socket, sys
from scapy.all import IP, UDP, Ether, IPv6, Raw, sendp
family, outer, mac = sys.argv[1:]
v4 = family == "4"
source, vip = ("10.8.0.1", "203.0.113.10") if v4 else ("fd08::1", "2001:db8:2::10")
answers = socket.socket(socket.AF_INET if v4 else socket.AF_INET6, socket.SOCK_DGRAM)
answers.bind((source, 5555))
answers.settimeout(1)
inner = (IP(src=source, dst=vip, tos=0) if v4 else IPv6(src=source, dst=vip)) / UDP(sport=5555, dport=7000) / Raw(b"hello")
ect = IP(src="10.8.0.1", dst="203.0.113.10", tos=2) / UDP(sport=5555, dport=7000) / Raw(b"hello")
foreign = IP(src="10.8.0.1", dst="10.8.0.2") / UDP(sport=5555, dport=7000) / Raw(b"hello")
gue = lambda port=6080: UDP(sport=50000, dport=port)
o4 = lambda **more: IP(src="10.8.0.1", dst="10.8.0.2", **more)
o6 = lambda **more: IPv6(src="fd08::1", dst="fd08::2", **more)
sendp(Ether(dst=mac) / eval(outer), iface="f0", verbose=False)
try:
    data, peer = answers.recvfrom(2000)
    print(peer[0], data.decode())
except TimeoutError:
    print("nothing")
PY
}
equal() {
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
	echo "ok: $1"
}

equal "without the kit a tunnelled packet is lost" nothing "$(tell 4 'o4(proto=4)/inner')"
member "$KIT/weir-member" setup --vip "$V4,$V6" --mode ipip --dev m0
member "$KIT/weir-member" check || fail "check finds something wrong after setup"
equal "4in4" "$V4 hello 00" "$(tell 4 'o4(proto=4)/inner')"
equal "4in6" "$V4 hello 00" "$(tell 4 'o6(nh=4)/inner')"
equal "6in4" "$V6 hello " "$(tell 6 'o4(proto=41)/inner')"
equal "6in6" "$V6 hello " "$(tell 6 'o6(nh=41)/inner')"
equal "congestion on the way shows inside" "$V4 hello 03" "$(tell 4 'o4(proto=4,tos=3)/ect')"
equal "without congestion ECT stays" "$V4 hello 02" "$(tell 4 'o4(proto=4,tos=2)/ect')"
equal "what does not know ECN is lost by congestion" nothing "$(tell 4 'o4(proto=4,tos=3)/inner')"
equal "what is not for a VIP is not decapsulated" nothing "$(tell 4 'o4(proto=4)/foreign')"
member "$KIT/weir-member" setup --vip "$V4" --vip "$V6" --mode gue --dev m0 --port 6090
equal "GUE, 4 in 4" "$V4 hello 00" "$(tell 4 'o4()/gue(6090)/inner')"
equal "GUE, 6 in 4" "$V6 hello " "$(tell 6 'o4()/gue(6090)/inner')"
equal "GUE, 4 in 6" "$V4 hello 00" "$(tell 4 'o6()/gue(6090)/inner')"
equal "GUE, 6 in 6" "$V6 hello " "$(tell 6 'o6()/gue(6090)/inner')"
equal "GUE at another port passes" nothing "$(tell 4 'o4()/gue(6080)/inner')"
equal "MSS that answers announce: 1500 - 40 - 8 - 40" "advmss 1412" \
	"$(member ip route get 192.0.2.1 from "$V4" | grep -o 'advmss [0-9]*')"
member "$KIT/weir-member" check || fail "check finds something wrong after another setup"

# names FAULT PATTERN: check fails and says so; then what was broken is set up anew.
names() {
	local out
	out=$(member "$KIT/weir-member" check) && fail "check finds nothing wrong: $1"
	grep -q "WRONG.*$2" <<<"$out" || fail "check does not name: $1: $out"
	grep -q "to fix: " <<<"$out" || fail "check does not say how to fix: $1"
	equal "check names: $1" 1 "$(grep -c ^WRONG <<<"$out")"
	[ "${3:-}" = keep ] || member "$KIT/weir-member" setup --vip "$V4,$V6" --mode gue --dev m0 --port 6090 >/dev/null
}
member ip addr del "$V4/32" dev lo
# A VIP that is missing has no route for its answers either: only its own line counts here.
said=$(member "$KIT/weir-member" check || true)
grep -q "WRONG $V4 is not on lo" <<<"$said" || fail "check does not name a missing VIP"
echo "ok: check names: VIP missing on lo"
member "$KIT/weir-member" setup --vip "$V4,$V6" --mode gue --dev m0 --port 6090 >/dev/null
member ip addr add "$V4/32" dev m0
names "VIP on the device" "$V4 is on m0 too" keep
member ip addr del "$V4/32" dev m0
member sysctl -qw net.ipv4.conf.all.arp_ignore=0
names "ARP is answered" "arp_ignore is 0"
member sysctl -qw net.ipv4.conf.all.arp_announce=0
names "VIP is announced by ARP" "arp_announce is 0"
member sysctl -qw net.ipv4.conf.m0.rp_filter=1
names "strict rp_filter" "rp_filter is 1"
member ip link set dev m0 xdp off
names "decapsulation is not attached" "not attached to m0"
member ip rule del priority 6080 from "$V4"
names "MSS route missing" "only 1412 fits the tunnel"
said=$(member "$KIT/weir-member" check --vip "$V4,$V6" --mode gue --dev m0 --port 6080 || true)
grep -q "WRONG.*port 6090, not 6080" <<<"$said" ||
	fail "check does not name another GUE port"
echo "ok: check names: another GUE port"
member ip link set m0 mtu 1300
said=$(member "$KIT/weir-member" check || true)
grep -q "WRONG.*less than 1280" <<<"$said" || fail "check does not name an MTU that is too small"
echo "ok: check names: IPv6 does not fit the tunnel"
member ip link set m0 mtu 1500

member "$KIT/weir-member" setup --vip "$V4" --mode dsr --dev m0
member "$KIT/weir-member" check || fail "check finds something wrong under dsr"
equal "dsr decapsulates nothing" nothing "$(tell 4 'o4(proto=4)/inner')"
member "$KIT/weir-member" undo
settled >"$WORK/after"
diff "$WORK/before" "$WORK/after" || fail "undo leaves something behind"
echo "PASS"
