#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same clients through several balancers, in network namespaces of its own.

client -- router -- LAN -- balancer (one of: nftables, haproxy, nginx, engine on af_packet, engine on
af_xdp) -- LAN -- member (nginx). A direct path without balancer calibrates each round. README.md says
what is measured and what is not claimed.
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent
BUILD = CLONE / "dataplane-dpdk" / "build"
PREFIX = f"wbp{os.getpid()}-"
CONNECTIONS = 32
# Name, and the last octet of its VIP, its LAN address (plus 20) and its member.
BALANCERS = {"nftables": 2, "haproxy": 3, "nginx": 4, "engine_af_packet": 5, "engine_af_xdp": 6}
DIRECT = 1
ENGINES = ("engine_af_packet", "engine_af_xdp")
BASELINE = "haproxy"
UNITS = {"req_per_s": "1/s", "new_conn_per_s": "1/s", "p50_ms": "ms", "p99_ms": "ms", "cpu_us_per_req": "us"}


def run(*command, **options):
    return subprocess.run(command, check=True, text=True, capture_output=True, **options).stdout


def inside(place, *command):
    return run("ip", "netns", "exec", PREFIX + place, *command)


class Lab:
    def __init__(self):
        self.work = Path(tempfile.mkdtemp(prefix="weir-path-"))
        self.shm = Path(tempfile.mkdtemp(prefix="weir-path-", dir="/dev/shm"))
        self.children = []
        self.engines = {}

    def start(self, place, name, *command):
        with open(self.work / f"{name}.log", "w") as log:
            child = subprocess.Popen(
                ["ip", "netns", "exec", PREFIX + place, *command], stdout=log, stderr=log, start_new_session=True
            )
        self.children.append(child)
        return child

    def close(self):
        for child in self.children:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()
        for place in run("ip", "netns", "list").split():
            if place.startswith(PREFIX):
                subprocess.run(["ip", "netns", "delete", place], check=False)
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.rmtree(self.shm, ignore_errors=True)

    def up(self):
        for place in ("client", "router", "members", *BALANCERS):
            run("ip", "netns", "add", PREFIX + place)
            inside(place, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv4.ip_local_port_range=1024 65535")
            inside(place, "ip", "link", "set", "lo", "up")
        inside("router", "ip", "link", "add", "lan", "type", "bridge")
        inside("router", "ip", "addr", "add", "10.9.0.1/24", "dev", "lan")
        inside("router", "ip", "link", "set", "lan", "up")
        inside("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        inside("router", "ethtool", "-K", "lan", "tx", "off")
        self.link_client()
        self.lan_link("members")
        inside("members", "ip", "addr", "add", "10.9.0.2/24", "dev", "data0")
        inside("members", "ip", "route", "add", "default", "via", "10.9.0.1")
        inside("router", "ip", "route", "add", "10.9.20.0/24", "via", "10.9.0.2")
        inside("members", "ip", "addr", "add", f"10.9.20.{DIRECT}/32", "dev", "lo")
        for name, number in BALANCERS.items():
            self.lan_link(name)
            inside("members", "ip", "addr", "add", f"10.9.20.{number}/32", "dev", "lo")
            inside("router", "ip", "route", "add", f"203.0.113.{number}", "via", f"10.9.0.{20 + number}")
        self.start_members()
        self.start_nftables()
        self.start_proxies()
        for name in ENGINES:
            self.start_engine(name)

    def link_client(self):
        run("ip", "link", "add", "c0", "netns", PREFIX + "client", "type", "veth", "peer", "name", "c0", "netns", PREFIX + "router")
        for place, address in (("client", "192.0.2.2/24"), ("router", "192.0.2.1/24")):
            inside(place, "ip", "addr", "add", address, "dev", "c0")
            inside(place, "ip", "link", "set", "c0", "up")
            inside(place, "ethtool", "-K", "c0", "tx", "off")
        inside("client", "ip", "route", "add", "default", "via", "192.0.2.1")

    def lan_link(self, place):
        peer = f"b{BALANCERS.get(place, 0)}"
        run("ip", "link", "add", "data0", "netns", PREFIX + place, "type", "veth", "peer", "name", peer, "netns", PREFIX + "router")
        inside("router", "ip", "link", "set", peer, "master", "lan", "up")
        inside(place, "ethtool", "-K", "data0", "tx", "off")
        inside(place, "ip", "link", "set", "data0", "up")

    # Replies of members behind a rewriting balancer pass it again.
    def reply_through(self, number):
        inside("members", "ip", "rule", "add", "from", f"10.9.20.{number}", "lookup", str(100 + number))
        inside("members", "ip", "route", "add", "default", "via", f"10.9.0.{20 + number}", "table", str(100 + number))

    def kernel_address(self, name):
        number = BALANCERS[name]
        inside(name, "ip", "addr", "add", f"10.9.0.{20 + number}/24", "dev", "data0")
        inside(name, "ip", "route", "add", "default", "via", "10.9.0.1")
        inside(name, "ip", "route", "add", "10.9.20.0/24", "via", "10.9.0.2")
        return number

    def nginx(self, place, name, body, head=""):
        (self.work / name).mkdir()
        file = self.work / f"{name}.conf"
        file.write_text(
            head + f"daemon off; pid {self.work}/{name}/pid; error_log stderr; worker_processes auto;\n"
            "events { worker_connections 8192; }\n" + body
        )
        self.start(place, name, "nginx", "-c", str(file), "-p", str(self.work / name))

    def start_members(self):
        temps = "".join(
            f"{kind}_temp_path {self.work}/members/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self.nginx(
            "members",
            "members",
            f"http {{ access_log off; keepalive_requests 100000000; {temps}\n"
            'server { listen 8080 backlog=4096; location / { return 200 "ok\\n"; } } }\n',
        )

    def start_nftables(self):
        number = self.kernel_address("nftables")
        inside("nftables", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.data0.send_redirects=0")
        rules = (
            "table ip nat {\nchain prerouting {\ntype nat hook prerouting priority dstnat\n"
            f"ip daddr 203.0.113.{number} tcp dport 80 dnat to 10.9.20.{number}:8080\n}}\n}}\n"
        )
        inside("nftables", "nft", rules)
        self.reply_through(number)

    def start_proxies(self):
        number = self.kernel_address("haproxy")
        inside("haproxy", "ip", "addr", "add", f"203.0.113.{number}/32", "dev", "lo")
        file = self.work / "haproxy.cfg"
        file.write_text(
            "defaults\n mode tcp\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n maxconn 10000\n"
            f"listen web\n bind 203.0.113.{number}:80 backlog 4096\n server one 10.9.20.{number}:8080\n"
        )
        self.start("haproxy", "haproxy", "haproxy", "-db", "-f", str(file))
        number = self.kernel_address("nginx")
        inside("nginx", "ip", "addr", "add", f"203.0.113.{number}/32", "dev", "lo")
        module = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
        self.nginx(
            "nginx",
            "nginx",
            f"stream {{ server {{ listen 203.0.113.{number}:80 backlog=4096; proxy_pass 10.9.20.{number}:8080; }} }}\n",
            f"load_module {module};\n" if module.exists() else "",
        )

    def start_engine(self, name):
        number = BALANCERS[name]
        device = "net_af_packet0,iface=data0"
        if name == "engine_af_xdp":
            device = f"net_af_xdp0,iface=data0,xdp_prog={BUILD}/xdp/steer.bpf.o"
        home = self.shm / name
        home.mkdir()
        socket = self.work / f"{name}.sock"
        self.engines[name] = self.start(
            name, name, str(BUILD / "weir-engine"), "--no-huge", "-m", "192", "--no-telemetry", "--no-pci",
            "--file-prefix", PREFIX + name, "--lcores", "0@(0-1),1@(0-1)", "--vdev", device, "--",
            "--socket", str(socket), "--state-dir", str(home), "--heartbeat", str(home / "heartbeat"),
            "--shm-dir", str(home), "--flow-entries", "1048576",
        )  # fmt: skip
        for _ in range(200):
            if subprocess.run([BUILD / "weirctl", "--socket", socket, "status"], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.05)
        else:
            sys.exit(f"{name} does not start:\n" + (self.work / f"{name}.log").read_text()[-2000:])
        for request in (node_request(number), load_balancer_request(number)):
            encoded = subprocess.run(
                ["protoc", f"--proto_path={CLONE}/openapi/messages", "--encode=weir.v1.EngineRequest", "weir/v1/engine.proto"],
                input=request.encode(), check=True, capture_output=True,
            ).stdout  # fmt: skip
            (self.work / "request.bin").write_bytes(encoded)
            answer = run(str(BUILD / "weirctl"), "--socket", str(socket), "replay", str(self.work / "request.bin"))
            if re.search(r'rejected_code":"[A-Z]', answer):
                sys.exit(f"{name} refuses: {answer}")
        self.reply_through(number)

    # An engine that is not measured does not poll.
    def let_run(self, name):
        for engine, child in self.engines.items():
            os.killpg(child.pid, signal.SIGCONT if engine == name else signal.SIGSTOP)


def octets(address):
    return "".join(f"\\x{int(octet):02x}" for octet in address.split("."))


def node_request(number):
    return f"""request_id: 1 apply_node {{ epoch: 1 sequence: 1 node {{
        node_id: "node" data_address: "{octets(f'10.9.0.{20 + number}')}" data_prefix_length: 24 mtu: 1500
        routes {{ prefix {{ address: "{octets('0.0.0.0')}" length: 0 }} next_hop: "{octets('10.9.0.1')}" }}
        routes {{ prefix {{ address: "{octets('10.9.20.0')}" length: 24 }} next_hop: "{octets('10.9.0.2')}" }} }} }}"""


def load_balancer_request(number):
    return f"""request_id: 2 apply {{ upserts {{ epoch: 1 sequence: 1 config {{
        load_balancer_id: "lb" project_id: "prj" generation: 1 enabled: true
        vips {{ vip_id: "vip" address: "{octets(f'203.0.113.{number}')}" claim_sequence: 1 }}
        listeners {{ listener_id: "lst" protocol: PROTOCOL_TCP port_ranges {{ first: 80 last: 80 }} pool_id: "pool"
          flow_tracking: FLOW_TRACKING_STATEFUL enabled: true }}
        pools {{ pool_id: "pool" algorithm: ALGORITHM_MAGLEV forwarding_mode: FORWARDING_MODE_DNAT
          maglev_table_size: 101 drain_timeout_s: 30
          members {{ member_id: "mbr" address: "{octets(f'10.9.20.{number}')}" port {{ fixed: 8080 }}
            weight: 1 enabled: true }} }} }} }} }}"""


def busy_us():
    """CPU time that the machine spent on anything, in microseconds."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) * 1_000_000 // os.sysconf("SC_CLK_TCK")


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def wrk(url, seconds, *more):
    before = busy_us()
    output = inside("client", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", *more, url)
    spent = busy_us() - before
    requests = int(re.search(r"(\d+) requests in", output).group(1))
    if requests == 0 or "Non-2xx" in output:
        sys.exit(f"{url} does not serve:\n{output}")
    return {
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1)),
        "p50_ms": milliseconds(re.search(r"^ +50% +(\S+)", output, re.M).group(1)),
        "p99_ms": milliseconds(re.search(r"^ +99% +(\S+)", output, re.M).group(1)),
        "cpu_us": spent / requests,
    }


def measure(url, seconds):
    for _ in range(50):  # the next hop is resolved, the balancer awake
        if subprocess.run(["ip", "netns", "exec", PREFIX + "client", "curl", "-fsS", "-m", "1", "-o", "/dev/null", url],
                          check=False, capture_output=True).returncode == 0:  # fmt: skip
            break
    kept = wrk(url, seconds)
    closed = wrk(url, seconds, "-H", "Connection: close")
    return {
        "req_per_s": kept["rate"],
        "new_conn_per_s": closed["rate"],
        "p50_ms": kept["p50_ms"],
        "p99_ms": kept["p99_ms"],
        "cpu_us_per_req": kept["cpu_us"],
    }


def rounds_that_count(rounds, tolerance, metric="req_per_s"):
    """Those in which the direct path, before and after, was near the best seen."""
    best = max(direct[metric] for one in rounds for direct in one["direct"])
    return [one for one in rounds if min(direct[metric] for direct in one["direct"]) >= best * (1 - tolerance / 100)]


def one_round(lab, seconds, number):
    lab.let_run(None)
    before = measure(f"http://10.9.20.{DIRECT}:8080/", seconds)
    result = {}
    names = list(BALANCERS)
    for name in names[number % len(names) :] + names[: number % len(names)]:
        lab.let_run(name)
        result[name] = measure(f"http://203.0.113.{BALANCERS[name]}/", seconds)
    lab.let_run(None)
    result["direct"] = [before, measure(f"http://10.9.20.{DIRECT}:8080/", seconds)]
    return result


def rows(rounds):
    result = []
    for name in ("direct", *BALANCERS):
        for metric, unit in UNITS.items():
            values = [one[name][0][metric] if name == "direct" else one[name][metric] for one in rounds]
            ratios = [value / one[BASELINE][metric] for value, one in zip(values, rounds)]
            result.append(
                {
                    "case": name,
                    "metric": metric,
                    "value": round(statistics.median(values), 4),
                    "unit": unit,
                    "baseline": BASELINE,
                    "ratio": round(statistics.median(ratios), 4),
                    "min": round(min(values), 4),
                    "rounds": len(values),
                }
            )
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", help="file for the rows")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that must count")
    parser.add_argument("--max-rounds", type=int, default=15)
    parser.add_argument("--tolerance", type=float, default=15, help="percent that the direct path may be off its best")
    parser.add_argument("--seconds", type=int, default=2, help="length of each measurement")
    arguments = parser.parse_args()
    lab = Lab()
    rounds = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        lab.up()
        for number in range(arguments.max_rounds):
            rounds.append(one_round(lab, arguments.seconds, number))
            counted = rounds_that_count(rounds, arguments.tolerance)
            print(f"round {number + 1}: {len(counted)} count", file=sys.stderr)
            if len(counted) >= arguments.rounds:
                break
    finally:
        lab.close()
    if len(counted) < arguments.rounds:
        sys.exit(f"only {len(counted)} of {len(rounds)} rounds count: the machine was busy")
    result = rows(counted)
    print(f"{'case':18} {'metric':16} {'median':>12} {'unit':5} {'x ' + BASELINE:>10}")
    for row in result:
        print(f"{row['case']:18} {row['metric']:16} {row['value']:12.2f} {row['unit']:5} {row['ratio']:10.2f}")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
