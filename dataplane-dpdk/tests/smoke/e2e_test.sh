#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Real programs through two nodes, over any port of one VIP: databases, brokers, names, files, long and short
# connections, a path of a lower MTU, and an engine that is killed under all of it.
. "$(dirname "$0")/lab.sh"

VIP=203.0.113.20
MEMBERS=(10.9.20.11 10.9.20.12 10.9.20.13)
PG=$(find /usr/lib/postgresql -name postgres -path '*/bin/*' 2>/dev/null | head -n 1)
PG=${PG%/postgres}

# any_port_request SEQUENCE: every TCP and UDP port goes to the member that the client's address chooses, so that an
# FTP client's data connections find its server.
any_port_request() {
	local number member=""
	for number in 1 2 3; do
		member+="members { member_id: \"mbr_$number\" address: \"$(bytes "${MEMBERS[number - 1]}")\""
		member+=" port { keep: true } weight: 1 enabled: true } "
	done
	cat <<-TEXT
		request_id: 2
		apply { upserts { epoch: 1 sequence: $1 config {
		  load_balancer_id: "lb_apps" project_id: "prj_one" generation: $1 enabled: true
		  vips { vip_id: "vip_apps" address: "$(bytes $VIP)" claim_sequence: 1 }
		  listeners {
		    listener_id: "lst_tcp" protocol: PROTOCOL_TCP port_ranges { first: 1 last: 65535 }
		    pool_id: "pool_apps" flow_tracking: FLOW_TRACKING_STATEFUL enabled: true
		  }
		  listeners {
		    listener_id: "lst_udp" protocol: PROTOCOL_UDP port_ranges { first: 1 last: 65535 }
		    pool_id: "pool_apps" flow_tracking: FLOW_TRACKING_STATEFUL enabled: true
		  }
		  pools {
		    pool_id: "pool_apps" algorithm: ALGORITHM_SOURCE_IP_HASH forwarding_mode: FORWARDING_MODE_DNAT
		    maglev_table_size: 1009 drain_timeout_s: 30 $member
		  }
		} } }
	TEXT
}

# serve NAME COMMAND...: a program among the members.
serve() {
	local name=$1
	shift
	ip netns exec "$LAB-members" "$@" >"$WORK/$name.log" 2>&1 &
	CHILDREN+=($!)
}

clients() {
	in_ns client python3 "$SMOKE_DIR/e2e_clients.py" "$@"
}

for program in mosquitto mosquitto_pub dnsmasq vsftpd psql; do
	command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ] || fail "$program is missing"
done
[ -n "$PG" ] || fail "PostgreSQL's server is missing"
lab_up
for name in node node2; do
	engine_start $name
	node_request 1 "$([ $name = node ] && echo 11 || echo 12)" | apply $name >/dev/null
	any_port_request 1 | apply $name >/dev/null
done
# Clients' packets are spread over both nodes, and so are members' answers: any of them may come another way.
ip -n "$LAB-router" route replace 203.0.113.0/24 nexthop via 10.9.0.11 nexthop via 10.9.0.12
ip -n "$LAB-members" route replace default nexthop via 10.9.0.11 nexthop via 10.9.0.12
serve e2e python3 "$SMOKE_DIR/e2e_servers.py" "${MEMBERS[@]}"
wait_for "the servers" in_ns client bash -c "exec 3<>/dev/tcp/$VIP/9004"

# PostgreSQL: a session with a transaction and a result of some size
mkdir -p "$WORK/pg" && chmod 755 "$WORK" && chown postgres "$WORK/pg"
runuser -u postgres -- "$PG/initdb" -A trust -D "$WORK/pg/data" >"$WORK/initdb.log" 2>&1 || fail "initdb"
echo "host all all 0.0.0.0/0 trust" >>"$WORK/pg/data/pg_hba.conf"
serve postgres runuser -u postgres -- "$PG/postgres" -D "$WORK/pg/data" -k "$WORK/pg" -c listen_addresses='*' -c fsync=off
wait_for "PostgreSQL" in_ns client psql -h $VIP -U postgres -c 'select 1'
equal "rows of PostgreSQL" 20000 "$(in_ns client psql -h $VIP -U postgres -qtA \
	-c 'begin; create table t as select generate_series(1, 20000) n; commit; select n from t' | wc -l)"

# MQTT, and MQTT over WebSocket
printf 'listener 1883\nallow_anonymous true\nlistener 9010\nprotocol websockets\n' >"$WORK/mosquitto.conf"
serve mosquitto mosquitto -c "$WORK/mosquitto.conf"
wait_for "MQTT" in_ns client mosquitto_pub -h $VIP -t ready -m yes
in_ns client timeout 20 mosquitto_sub -h $VIP -t news -C 3 >"$WORK/news" &
news=$!
wait_for "a subscriber" bash -c "for n in 1 2 3; do ip netns exec $LAB-client mosquitto_pub -h $VIP -t news -m n\$n; done
	sleep 0.2; [ \$(wc -l <$WORK/news) -ge 3 ]"
wait $news || fail "the subscriber ended with $?"
equal "messages of MQTT" 3 "$(wc -l <"$WORK/news")"
equal "MQTT over WebSocket" 0 "$(clients websocket $VIP 9010)"

# DNS over UDP and TCP
serve dns dnsmasq -k -C /dev/null -R -h --address=/weir.test/192.0.2.53 --bind-interfaces \
	--listen-address="${MEMBERS[0]}" --listen-address="${MEMBERS[1]}" --listen-address="${MEMBERS[2]}"
cat >"$WORK/dns.py" <<'PY'
import socket, struct, sys
query = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\4weir\4test\0\0\1\0\1"
wrong = 0
for n in range(50):
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.settimeout(3)
    u.sendto(query, (sys.argv[1], 53))
    wrong += u.recv(512)[-4:] != socket.inet_aton("192.0.2.53")
t = socket.create_connection((sys.argv[1], 53), 3)
t.sendall(struct.pack(">H", len(query)) + query)
wrong += t.recv(512)[-4:] != socket.inet_aton("192.0.2.53")
print(wrong)
PY
wait_for "DNS" in_ns client timeout 3 python3 "$WORK/dns.py" $VIP
equal "wrong answers of DNS" 0 "$(in_ns client python3 "$WORK/dns.py" $VIP)"

# Passive FTP: the data connection is another flow, to a port that the server names
mkdir -p "$WORK/ftp" "$WORK/empty" && chmod 755 "$WORK/ftp" "$WORK/empty"
head -c 3000000 /dev/urandom >"$WORK/ftp/file" && chmod 644 "$WORK/ftp/file"
cat >"$WORK/vsftpd.conf" <<-CONF
	listen=YES
	background=NO
	anonymous_enable=YES
	anon_root=$WORK/ftp
	secure_chroot_dir=$WORK/empty
	pasv_address=$VIP
	pasv_promiscuous=YES
	no_anon_password=YES
	seccomp_sandbox=NO
	isolate_network=NO
CONF
serve ftp vsftpd "$WORK/vsftpd.conf"
wait_for "FTP" in_ns client curl -fsS --disable-epsv -m 5 -o /dev/null "ftp://$VIP/"
for turn in 1 2 3; do
	in_ns client curl -fsS --disable-epsv -m 20 -o "$WORK/got" "ftp://$VIP/file" || fail "FTP transfer $turn"
	cmp -s "$WORK/got" "$WORK/ftp/file" || fail "FTP transfer $turn differs"
done
echo "ok: three passive FTP transfers"

# A connection that says nothing for a while, in the background of what follows
clients idle $VIP 45 >"$WORK/idle" &
idle=$!

# A path of a lower MTU: routers say so in ICMP errors to the VIP, which find the member
ip -n "$LAB-router" link set c0 mtu 1200
equal "download over a path of 1200 bytes" 0 "$(clients download $VIP)"
ip -n "$LAB-router" link set c0 mtu 1500
equal "upload of 2 MB" 0 "$(clients upload $VIP 2000000)"

# 10,000 connections
equal "connections of 10,000 that were lost" 0 "$(clients open $VIP 10000)"

# SIGKILL of an engine under 1,000 transfers
clients stream $VIP 1000 >"$WORK/streams" &
streams=$!
wait_for "1,000 transfers" grep -q open "$WORK/streams"
for name in node node2; do
	victim=${ENGINES[$([ $name = node ] && echo 0 || echo 1)]}
	{ kill -9 "$victim" && wait "$victim"; } 2>/dev/null || true
	engine_start $name
done
wait $streams || fail "the transfers' client ended with $?"
equal "transfers of 1,000 that broke" 0 "$(tail -n 1 "$WORK/streams")"

wait $idle || fail "the idle connection's client ended with $?"
equal "connection that was idle for 45 s" 0 "$(cat "$WORK/idle")"

# Nothing is left of what has ended once its memory of late packets runs out
no_flows() {
	[ "$(($(ctl node --json status | jq .flow_table_used) + $(ctl node2 --json status | jq .flow_table_used)))" -le 60 ]
}
for turn in $(seq 90); do
	no_flows && break
	sleep 0.5
done
no_flows || fail "flow entries are left: $(ctl node --json status | jq .flow_table_used)"
echo "ok: entries of flows that have ended are gone"
echo "PASS"
