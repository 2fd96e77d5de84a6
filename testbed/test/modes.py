# SPDX-License-Identifier: Apache-2.0
"""Real HTTP and UDP through load balancers made through REST: every forwarding mode, by IPv4 and IPv6.

usage: modes.py WEIR PREFIX  with the exports of `./weir env` of a project in the environment;
       WEIR is the clone's ./weir, PREFIX begins the names of the testbed's namespaces

Members of dsr and tunnel pools are prepared with the member kit. Prints a line per case; exits non-zero if one failed.
"""

import os
import subprocess
import sys
import time

from rest import Made, listener, member, pool

WEIR, PREFIX = sys.argv[1], sys.argv[2]
CLONE = os.path.dirname(os.path.abspath(WEIR))
KIT = CLONE + "/dataplane-dpdk/member/weir-member"
TRAFFIC = CLONE + "/testbed/src/main/resources/dev/weir/testbed/traffic/"
ENVIRONMENT = {**os.environ, "WEIR_DECAP_OBJECT": CLONE + "/dataplane-dpdk/build/member/decap.bpf.o"}
BACKEND = {"4": "10.1.20.11", "6": "2001:db8:1:20::11"}
# A member of dsr pools is a neighbour of the engines.
NEIGHBOUR = {"4": "10.1.0.81", "6": "2001:db8:1::81"}
ROUTER = {"4": "10.1.0.1", "6": "2001:db8:1::1"}
LONGEST_S = 10


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=ENVIRONMENT, check=False, **more)


def inside(place, *command):
    return run("ip", "netns", "exec", PREFIX + place, *command)


def must(result):
    if result.returncode != 0:
        raise RuntimeError("%s: %s" % (" ".join(result.args), (result.stdout + result.stderr).strip()))


class Neighbour:
    """A backend on the engines' own network."""

    place = "dsr1"
    name = "dsr1"

    def __enter__(self):
        self.__exit__()
        must(run("ip", "netns", "add", PREFIX + self.place))
        must(
            run(
                *("ip", "-n", PREFIX + "pop1-router", "link", "add", "dsr1", "master", "lan", "up"),
                *("type", "veth", "peer", "name", "eth0", "netns", PREFIX + self.place),
            )
        )
        for command in (
            ["link", "set", "lo", "up"],
            ["link", "set", "eth0", "up"],
            ["addr", "add", NEIGHBOUR["4"] + "/24", "dev", "eth0"],
            ["addr", "add", NEIGHBOUR["6"] + "/64", "dev", "eth0", "nodad"],
            ["route", "add", "default", "via", ROUTER["4"]],
            ["route", "add", "default", "via", ROUTER["6"]],
        ):
            must(run("ip", "-n", PREFIX + self.place, *command))
        must(inside(self.place, "ethtool", "-K", "eth0", "tx", "off"))
        self.server = subprocess.Popen(
            [
                *("ip", "netns", "exec", PREFIX + self.place),
                *(sys.executable, "-B", TRAFFIC + "backend.py", self.name, "8081", "7001"),
            ],
            stdout=subprocess.DEVNULL,
        )
        return self

    def __exit__(self, *_):
        server = getattr(self, "server", None)
        if server is not None:
            server.kill()
            server.wait()
        run("ip", "netns", "del", PREFIX + self.place)
        run("ip", "-n", PREFIX + "pop1-router", "link", "del", "dsr1")


def prepared(place, mode, addresses):
    """Runs the member kit; `undo` when the block ends."""

    class Kit:
        def __enter__(self):
            if mode is not None:
                ENVIRONMENT["WEIR_MEMBER_STATE"] = "/run/weir-member-%s%s.json" % (PREFIX, place)
                must(inside(place, KIT, "setup", "--mode", mode, "--dev", "eth0", "--vip", ",".join(addresses)))
                must(inside(place, KIT, "check"))

        def __exit__(self, *_):
            if mode is not None:
                inside(place, KIT, "undo")

    return Kit()


def served(address, name):
    """Waits for the first answer, then wants ten of ten, by HTTP and by UDP."""
    url = "http://%s:8081/" % ("[%s]" % address if ":" in address else address)
    end = time.monotonic() + LONGEST_S
    while inside("client1", "curl", "-sf", "-m", "1", url).stdout.strip() != name:
        if time.monotonic() > end:
            raise RuntimeError("no answer from %s within %d s" % (url, LONGEST_S))
    for _ in range(10):
        answer = inside("client1", "curl", "-sf", "-m", "5", url)
        if answer.stdout.strip() != name:
            raise RuntimeError("%s answered %r" % (url, answer.stdout + answer.stderr))
    # More than one segment each way, so that a path that is too narrow shows.
    size = inside("client1", "curl", "-sf", "-m", "10", url + "bytes?n=300000").stdout
    if len(size) != 300000:
        raise RuntimeError("%s gave %d of 300000 bytes" % (url, len(size)))
    # Datagrams are not sent again: those that leave before routes and neighbours are known everywhere may be lost.
    deadline = time.monotonic() + 40
    answered = False
    while not answered:
        udp = inside("client1", sys.executable, "-B", TRAFFIC + "client.py", "udp", address, "7001", "5", "4")
        answered = '"answered": 20' in udp.stdout
        if not answered and time.monotonic() > deadline:
            raise RuntimeError("udp to %s: %s" % (address, udp.stdout + udp.stderr))


def case(number, title, pool_spec, place, kit, families):
    listeners = [
        listener(first=8081, name="http"),
        listener("udp", 7001, name="echo"),
    ]
    with Made("mode%d" % number, families, listeners, [pool_spec]) as made:
        came = made.outcome()
        if came != "applied":
            return came.startswith("refused: the engine has no "), came
        with prepared(place, kit, made.addresses()):
            for address in made.addresses():
                served(address, place)
    return True, "served"


def members(addresses, families):
    return [member(addresses[family]) for family in families]


def cases():
    for families in ("4", "6", "46"):
        for mode in ("dnat", "snat"):
            yield mode + " v" + families, pool(mode, members(BACKEND, families)), "backend1", None, families
        yield "dsr v" + families, pool("dsr", members(NEIGHBOUR, families)), "dsr1", "dsr", families
    for encapsulation in ("ipip", "gue"):
        for outer in ("4", "6"):
            spec = pool("tunnel", members(BACKEND, outer), tunnel_encapsulation=encapsulation)
            for families in ("4", "6", "46"):
                yield "tunnel %s v%s in v%s" % (encapsulation, families, outer), spec, "backend1", encapsulation, families


def main():
    failed = 0
    with Neighbour():
        for number, (title, *specs) in enumerate(cases()):
            try:
                good, came = case(number, title, *specs)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                good, came = False, str(error)
            failed += not good
            print("%-4s %-24s %s" % ("ok" if good else "FAIL", title, came), flush=True)
    sys.exit(1 if failed else 0)


main()
