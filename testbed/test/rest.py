# SPDX-License-Identifier: Apache-2.0
"""Load balancers made through REST on a running testbed, for its tests; exports of `./weir env` in the environment."""

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

API = os.environ["WEIR_API"]
PROJECT = "/v1/projects/" + os.environ["WEIR_PROJECT"]
LONGEST_S = 20


def token():
    form = {
        "grant_type": "client_credentials",
        "client_id": os.environ["WEIR_CLIENT_ID"],
        "client_secret": os.environ["WEIR_CLIENT_SECRET"],
    }
    body = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(os.environ["WEIR_TOKEN_URL"], body, timeout=10) as answer:
        return json.load(answer)["access_token"]


TOKEN = token()


def call(method, path, body=None):
    request = urllib.request.Request(
        API + path,
        None if body is None else json.dumps(body).encode(),
        {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
            return json.loads(text) if text else {}
    except urllib.error.HTTPError as error:
        raise RuntimeError("%s %s: %d %s" % (method, path, error.code, error.read().decode())) from None


POP = next(pop["id"] for pop in call("GET", "/v1/pops")["items"] if pop["name"] == "pop1")


def member(address="10.1.20.11", **more):
    return {"address": address, "pop_ids": [POP], **more}


def listener(protocol="tcp", first=9000, last=None, **more):
    ports = [{"first": first, "last": first if last is None else last}]
    return {"name": "in", "protocol": protocol, "port_ranges": ports, "pool_name": "out", **more}


def pool(mode="snat", members=None, **more):
    return {"name": "out", "forwarding_mode": mode, "members": members or [member()], **more}


def reserve(name, family):
    return call("POST", PROJECT + "/vips", {"name": name, "address_family": "ipv" + family})


def outcome(load_balancer):
    """applied, or what the nodes refused it with."""
    end = time.monotonic() + LONGEST_S
    while True:
        rollout = call("GET", PROJECT + "/load-balancers/" + load_balancer + "/rollout")
        states = {node["state"] for node in rollout["nodes"]}
        if states == {"applied"}:
            return "applied"
        if states == {"rejected"}:
            return "refused: " + "; ".join(sorted({node.get("reason", "") for node in rollout["nodes"]}))
        if time.monotonic() > end:
            return "nothing after %d s: %s" % (LONGEST_S, json.dumps(rollout["nodes"]))
        time.sleep(0.05)


class Made:
    """A load balancer in the first PoP, with a VIP of each of the families; deleted at the end of a `with`."""

    def __init__(self, name, families, listeners, pools):
        self.name = name
        self.families = families
        self.listeners = listeners
        self.pools = pools
        self.vips = []
        self.load_balancer = None

    def __enter__(self):
        try:
            self.vips = [reserve(self.name + "-" + family, family) for family in self.families]
            body = {
                "name": self.name,
                "placement": {"kind": "named", "pop_ids": [POP]},
                "listeners": self.listeners,
                "pools": self.pools,
                "vip_ids": [vip["id"] for vip in self.vips],
            }
            self.load_balancer = call("POST", PROJECT + "/load-balancers", body)["id"]
        except RuntimeError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.load_balancer is not None:
            call("DELETE", PROJECT + "/load-balancers/" + self.load_balancer)
        for vip in self.vips:
            call("DELETE", PROJECT + "/vips/" + vip["id"])

    def addresses(self):
        return [vip["address"] for vip in self.vips]

    def outcome(self):
        return outcome(self.load_balancer)
