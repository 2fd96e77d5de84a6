# SPDX-License-Identifier: Apache-2.0
"""Creates a load balancer through REST for each feature of the engine, and sees every node apply it.

usage: features.py  with the exports of `./weir env` of a project in the environment

What a node's engine lacks must be refused by name. Prints a line per feature; exits non-zero if one came to nothing.
"""

import sys

from rest import PROJECT, Made, call, listener, member, pool

UDP_PROBE = {"type": "udp", "udp_send": "cGluZw==", "udp_expect": "YmFja2VuZA==", "port": 7000}
SIX = member("2001:db8:1:20::11")

# Feature as engines name it, listener, pool, families of the VIPs.
TABLE = [
    ("dnat", listener(), pool("dnat"), "4"),
    ("snat", listener(), pool("snat"), "4"),
    ("dsr", listener(), pool("dsr"), "4"),
    ("tunnel_ipip", listener(), pool("tunnel"), "4"),
    ("tunnel_gue", listener(), pool("tunnel", tunnel_encapsulation="gue", tunnel_port=6081), "4"),
    ("ipv6", listener(), pool("dnat", [SIX]), "6"),
    ("ipv6", listener(), pool("snat", [member(), SIX]), "46"),
    ("ipv6", listener(), pool("tunnel"), "46"),
    ("stateless", listener("udp", flow_tracking="stateless"), pool("dnat"), "4"),
    ("port_ranges", listener(first=9000, last=9099), pool(), "4"),
    ("port_ranges", listener(first=1, last=65535), pool("dsr"), "4"),
    ("port_mapping", listener(), pool(members=[member(port={"kind": "offset", "value": -920})]), "4"),
    ("port_mapping", listener(), pool("dnat", [member(port={"kind": "fixed", "value": 9001})]), "4"),
    ("round_robin", listener(), pool(algorithm="round_robin"), "4"),
    ("weighted_round_robin", listener(), pool(algorithm="weighted_round_robin"), "4"),
    ("least_connections", listener(), pool(algorithm="least_connections"), "4"),
    ("weighted_least_connections", listener(), pool(algorithm="weighted_least_connections"), "4"),
    ("maglev", listener(), pool(algorithm="maglev"), "4"),
    ("source_ip_hash", listener(), pool(algorithm="source_ip_hash"), "4"),
    ("source_persistence", listener(source_persistence={"timeout_s": 60, "ipv4_prefix_length": 24}), pool(), "4"),
    ("priority_tiers", listener(), pool(members=[member(), member("10.1.20.12", priority=1)], minimum_healthy=1), "4"),
    ("slow_start", listener(), pool(slow_start_s=30), "4"),
    ("when_all_unhealthy", listener(), pool(when_all_unhealthy="closed"), "4"),
    ("when_all_unhealthy", listener(), pool(when_all_unhealthy="withdraw_vip"), "4"),
    ("on_unhealthy_reset", listener(), pool(on_unhealthy="reset"), "4"),
    ("limits", listener(limits={"new_flows_per_s": 100, "active_flows_per_source": 10}), pool(), "4"),
    ("cidrs", listener(allowed_cidrs=["192.0.2.0/24"], denied_cidrs=["192.0.2.128/25"]), pool(), "4"),
    ("reset_on_idle_timeout", listener(reset_on_idle_timeout=True), pool(), "4"),
    ("tcp_probe", listener(), pool(health_monitor={"type": "tcp_connect", "port": 8080}), "4"),
    ("udp_probe", listener("udp"), pool(health_monitor=UDP_PROBE), "4"),
    ("proxy_protocol_v2", listener(), pool(proxy_protocol_v2=True), "4"),
]


def one(number, listener_spec, pool_spec, families):
    try:
        with Made("feature%d" % number, families, [listener_spec], [pool_spec]) as made:
            return made.outcome()
    except RuntimeError as error:
        return str(error)


def with_prefix_list(number):
    """A list of its own, referred to by a listener, and gone after it."""
    cidrs = ["198.51.100.0/24", "2001:db8:bad::/48"]
    made = call("POST", PROJECT + "/prefix-lists", {"name": "feature%d" % number, "cidrs": cidrs})["id"]
    try:
        return one(number, listener(denied_prefix_list_ids=[made]), pool(), "4")
    finally:
        call("DELETE", PROJECT + "/prefix-lists/" + made)


def main():
    failed = 0
    for number, (feature, *specs) in enumerate([*TABLE, ("prefix_lists",)]):
        came = one(number, *specs) if specs else with_prefix_list(number)
        good = came == "applied" or came == "refused: the engine has no " + feature
        failed += not good
        print("%-4s %-28s %s" % ("ok" if good else "FAIL", feature, came), flush=True)
    sys.exit(1 if failed else 0)


main()
