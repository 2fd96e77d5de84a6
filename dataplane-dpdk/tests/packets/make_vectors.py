#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes vectors/*.json and *.pcap: what the engine must do with a packet, written by Scapy, which
shares no code with the engine. README.md describes the format.

usage: make_vectors.py DIRECTORY
"""

import json
import sys
from pathlib import Path

from scapy.all import (ICMP, IP, TCP, UDP, Ether, ICMPv6DestUnreach, ICMPv6EchoReply,
                       ICMPv6EchoRequest, ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6,
                       IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPOption_NOP, Raw, fragment,
                       fragment6, wrpcap)

NODE, ROUTER, MEMBER_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"
SNAT_PORT = 1024  # stands for the one that the engine chooses

# Addresses by family.
A = {
    4: dict(ip=IP, node="10.1.0.11", router="10.1.0.1", vip="203.0.113.10", client="192.0.2.7",
            denied="198.51.100.9", member="10.1.0.51", snat="10.1.31.0", data_length=24,
            other="192.0.2.99"),
    6: dict(ip=IPv6, node="2001:db8:1::11", router="2001:db8:1::1", vip="2001:db8:f::10",
            client="2001:db8:c::7", denied="2001:db8:bad::9", member="2001:db8:1::51",
            snat="2001:db8:31::", data_length=64, other="2001:db8:c::99"),
}
CLIENT_PORT, VIP_PORT, MEMBER_PORT = 40000, 80, 8080


def configuration(mode, family, member_family=None, encapsulation=None, weight=1):
    """As LoadBalancerConfig and NodeConfig in protobuf's JSON form; addresses as text."""
    a, m = A[family], A[member_family or family]
    keep = mode in ("dsr", "tunnel")
    pool = {
        "pool_id": "pool_1", "algorithm": "ALGORITHM_MAGLEV",
        "forwarding_mode": f"FORWARDING_MODE_{mode.upper()}", "maglev_table_size": 101,
        "drain_timeout_s": 60,
        "members": [{"member_id": "mbr_1", "address": m["member"], "weight": weight, "enabled": True,
                     "port": {"keep": True} if keep else {"fixed": MEMBER_PORT}}],
    }
    if encapsulation:
        pool["tunnel_encapsulation"] = f"TUNNEL_ENCAPSULATION_{encapsulation.upper()}"
    listeners = [{
        "listener_id": f"lst_{protocol}", "protocol": f"PROTOCOL_{protocol.upper()}",
        "port_ranges": [{"first": VIP_PORT, "last": VIP_PORT}], "pool_id": "pool_1", "enabled": True,
        "flow_tracking": "FLOW_TRACKING_STATEFUL",
        "denied_cidrs": [{"address": a["denied"], "length": 32 if family == 4 else 128}],
    } for protocol in ("tcp", "udp")]
    return {
        "node": {
            "node_id": "node_1", "mtu": 1500,
            "data_address": A[4]["node"], "data_prefix_length": 24,
            "data_address_v6": A[6]["node"], "data_prefix_length_v6": 64,
            "routes": [{"prefix": {"address": "0.0.0.0", "length": 0}, "next_hop": A[4]["router"]},
                       {"prefix": {"address": "::", "length": 0}, "next_hop": A[6]["router"]}],
            "snat_ranges": [{"address": A[4]["snat"], "length": 32},
                            {"address": A[6]["snat"], "length": 128}],
        },
        "load_balancer": {
            "load_balancer_id": "lb_1", "project_id": "prj_1", "generation": 1, "enabled": True,
            "vips": [{"vip_id": "vip_1", "address": a["vip"], "claim_sequence": 1}],
            "listeners": listeners, "pools": [pool],
        },
        "neighbours": {A[of][name]: mac for of in sorted({family, member_family or family})
                       for name, mac in (("router", ROUTER), ("member", MEMBER_MAC))},
    }


def whole(packet):
    """Bytes with every length and checksum filled in."""
    return bytes(packet)


class Vector:
    """A configuration and packets in order; later ones see the flows of earlier ones."""

    def __init__(self, name, description, config):
        self.name, self.packets = name, []
        self.document = {"description": description, "configuration": config,
                         "packets": self.packets}

    def forwarded(self, description, packet, out, **more):
        self.packets.append({"description": description, "in": whole(packet).hex(),
                             "verdict": "forwarded", "out": whole(out).hex(), **more})

    def dropped(self, description, packet, reason):
        self.packets.append({"description": description, "in": whole(packet).hex(),
                             "verdict": "dropped", "reason": reason})


def l4(protocol, source, destination, flags="A", **more):
    if protocol == "tcp":
        return TCP(sport=source, dport=destination, flags=flags, seq=7, ack=9, window=512, **more)
    return UDP(sport=source, dport=destination, **more)


def ip(family, source, destination, ttl=64, options=False):
    if family == 4:
        return IP(src=source, dst=destination, ttl=ttl, tos=0x2e, id=0x1234, flags="DF",
                  options=[IPOption_NOP()] * 4 if options else [])
    header = IPv6(src=source, dst=destination, hlim=ttl, tc=0x2e, fl=0x54321)
    return header / IPv6ExtHdrDestOpt() if options else header


def received(family, source, destination, upper, **more):
    """A frame on its way to the engine."""
    return Ether(src=ROUTER, dst=NODE) / ip(family, source, destination, **more) / upper / Raw(b"abcdef")


def sent(mac, family, source, destination, upper, **more):
    """The frame that must leave: one hop later, from the engine."""
    return (Ether(src=NODE, dst=mac) / ip(family, source, destination, ttl=63, **more) / upper /
            Raw(b"abcdef"))


def offsets(family, protocol):
    """Where L4 ports and checksum lie in a frame without options."""
    at = 14 + (20 if family == 4 else 40)
    return at, at + 2, at + (16 if protocol == "tcp" else 6)


def nat(mode, family):
    a = A[family]
    vector = Vector(f"{mode}_v{family}", f"{mode} over IPv{family}: both directions, what is "
                    "refused, what has no flow", configuration(mode, family))
    for protocol in ("tcp", "udp"):
        source_at, destination_at, checksum_at = offsets(family, protocol)
        first = l4(protocol, CLIENT_PORT, VIP_PORT, "S", **({"options": [("MSS", 1200)]}
                                                            if protocol == "tcp" else {}))
        src, sport, more, back = a["client"], CLIENT_PORT, {}, {}
        if mode == "snat":
            src, sport = a["snat"], SNAT_PORT
            name = f"{protocol}_port"
            more = {"chosen": {"name": name, "offset": source_at, "length": 2,
                               "checksum": checksum_at}}
            back = {"uses": {"name": name, "offset": destination_at, "length": 2,
                             "checksum": checksum_at}}
        to_member = first.copy()
        to_member.sport, to_member.dport = sport, MEMBER_PORT
        vector.forwarded(f"{protocol}: first packet of a client",
                         received(family, a["client"], a["vip"], first),
                         sent(MEMBER_MAC, family, src, a["member"], to_member), **more)
        vector.forwarded(f"{protocol}: the member's answer",
                         received(family, a["member"], src, l4(protocol, MEMBER_PORT, sport, "A")),
                         sent(ROUTER, family, a["vip"], a["client"],
                              l4(protocol, VIP_PORT, CLIENT_PORT, "A")), **back)
        more = {"chosen": more["chosen"]} if more else {}
        vector.forwarded(f"{protocol}: the client goes on",
                         received(family, a["client"], a["vip"], l4(protocol, CLIENT_PORT, VIP_PORT)),
                         sent(MEMBER_MAC, family, src, a["member"], l4(protocol, sport, MEMBER_PORT)),
                         **more)
        if mode == "dnat":
            vector.forwarded(f"{protocol}: options and extension headers are carried along",
                             received(family, a["client"], a["vip"],
                                      l4(protocol, CLIENT_PORT, VIP_PORT), options=True),
                             sent(MEMBER_MAC, family, a["client"], a["member"],
                                  l4(protocol, CLIENT_PORT, MEMBER_PORT), options=True))
            vector.forwarded(f"{protocol}: a reply whose flow another node knows",
                             received(family, a["member"], a["other"],
                                      l4(protocol, MEMBER_PORT, 1234)),
                             sent(ROUTER, family, a["vip"], a["other"],
                                  l4(protocol, VIP_PORT, 1234)))
        refusals(vector, family, protocol)
    if mode == "dnat":
        vector.forwarded("tcp: mid-flow packet of another node's flow goes where the hash says",
                         received(family, a["other"], a["vip"], l4("tcp", 5, VIP_PORT)),
                         sent(MEMBER_MAC, family, a["other"], a["member"], l4("tcp", 5, MEMBER_PORT)))
        if family == 4:
            zero = received(4, a["client"], a["vip"], l4("udp", CLIENT_PORT, VIP_PORT, chksum=0))
            vector.forwarded("udp: a datagram without a checksum keeps none", zero,
                             sent(MEMBER_MAC, 4, a["client"], a["member"],
                                  l4("udp", CLIENT_PORT, MEMBER_PORT, chksum=0)))
    else:
        vector.dropped("tcp: mid-flow packet without a flow",
                       received(family, a["other"], a["vip"], l4("tcp", 5, VIP_PORT)), "no_flow")
        vector.dropped("tcp: a SNAT port that no flow has",
                       received(family, a["member"], a["snat"], l4("tcp", MEMBER_PORT, 65000)),
                       "no_flow")
    return vector


def refusals(vector, family, protocol):
    a = A[family]
    vector.dropped(f"{protocol}: a port without a listener",
                   received(family, a["client"], a["vip"], l4(protocol, 1, 443, "S")), "no_listener")
    vector.dropped(f"{protocol}: a denied source",
                   received(family, a["denied"], a["vip"], l4(protocol, 1, VIP_PORT, "S")),
                   "source_denied")
    vector.dropped(f"{protocol}: a wrong checksum on a flow's first packet",
                   received(family, a["other"], a["vip"],
                            l4(protocol, 2, VIP_PORT, "S", chksum=0x1234)), "bad_checksum")
    if protocol == "tcp":
        vector.dropped("tcp: RST without a flow",
                       received(family, a["other"], a["vip"], l4("tcp", 3, VIP_PORT, "R")), "no_flow")


def outer(family, payload_protocol, encapsulation, traffic_class=0x2e):
    """What a tunnel puts around a packet: from the node's address, as an own packet."""
    a = A[family]
    protocol = 17 if encapsulation == "gue" else payload_protocol
    if family == 4:
        header = IP(src=a["node"], dst=a["member"], ttl=64, tos=traffic_class, id=0, flags="DF",
                    proto=protocol)
    else:
        header = IPv6(src=a["node"], dst=a["member"], hlim=64, tc=traffic_class, nh=protocol)
    if encapsulation == "gue":
        header = header / UDP(sport=49152, dport=6080, chksum=0)
    return header


def direct(mode, family, member_family=None, encapsulation=None):
    """Modes in which the member gets the VIP's packet and answers the client itself."""
    a, m = A[family], member_family or family
    name = "_".join(part for part in (mode, encapsulation) if part)
    vector = Vector(f"{name}_v{family}" + (f"_over_v{m}" if encapsulation else ""),
                    f"{name}, IPv{family} VIP, IPv{m} member: one direction, state from it alone",
                    configuration(mode, family, member_family, encapsulation))
    for protocol in ("tcp", "udp"):
        more = {}
        if encapsulation == "gue":
            more = {"chosen": {"name": f"{protocol}_source", "length": 2,
                               "offset": 14 + (20 if m == 4 else 40)}}
        for description, flags, options in (("first packet of a client", "S", False),
                                            ("the client goes on", "A", False),
                                            ("options and extension headers stay", "A", True)):
            packet = received(family, a["client"], a["vip"],
                              l4(protocol, CLIENT_PORT, VIP_PORT, flags), options=options)
            # dsr leaves the packet as it is; a tunnel is a hop to it.
            inside = bytes(packet[1]) if mode == "dsr" else bytes(
                sent(MEMBER_MAC, family, a["client"], a["vip"],
                     l4(protocol, CLIENT_PORT, VIP_PORT, flags), options=options)[1])
            out = Ether(src=NODE, dst=MEMBER_MAC, type=0x0800 if m == 4 else 0x86dd)
            if mode == "dsr":
                out = Ether(src=NODE, dst=MEMBER_MAC, type=0x0800 if family == 4 else 0x86dd)
            else:
                out = out / outer(m, 4 if family == 4 else 41, encapsulation)
            vector.forwarded(f"{protocol}: {description}", packet, out / Raw(inside), **more)
        refusals(vector, family, protocol)
    more = {"chosen": {"name": "other_source", "length": 2,
                       "offset": 14 + (20 if m == 4 else 40)}} if encapsulation == "gue" else {}
    packet = received(family, a["other"], a["vip"], l4("tcp", 5, VIP_PORT))
    inside = packet[1] if mode == "dsr" else sent(MEMBER_MAC, family, a["other"], a["vip"],
                                                  l4("tcp", 5, VIP_PORT))[1]
    out = Ether(src=NODE, dst=MEMBER_MAC, type=0x0800 if (family if mode == "dsr" else m) == 4 else 0x86dd)
    if mode == "tunnel":
        out = out / outer(m, 4 if family == 4 else 41, encapsulation)
    vector.forwarded("tcp: mid-flow packet of another node's flow goes where the hash says", packet,
                     out / Raw(bytes(inside)), **more)
    return vector


def edges(family):
    a = A[family]
    vector = Vector(f"edges_v{family}", f"frames that no IPv{family} listener ever sees",
                    configuration("dnat", family))
    good = received(family, a["client"], a["vip"], l4("tcp", 9, VIP_PORT, "S"))
    foreign = good.copy()
    foreign.dst = ROUTER
    vector.dropped("a frame for another station", foreign, "not_for_us")
    cut = Ether(whole(good)[:14 + (19 if family == 4 else 39)])
    vector.dropped("a frame that ends inside the IP header", cut, "truncated")
    vector.dropped("a packet that names more bytes than came", Ether(whole(good)[:-8]), "truncated")
    sctp = ip(family, a["client"], a["vip"])
    setattr(sctp, "proto" if family == 4 else "nh", 132)
    vector.dropped("a protocol that is not served",
                   Ether(src=ROUTER, dst=NODE) / sctp / Raw(bytes(20)), "protocol_unsupported")
    vector.dropped("a packet from nowhere to nowhere",
                   received(family, a["other"], a["client"], l4("udp", 1, 1)), "no_reverse")
    empty = Vector(f"no_member_v{family}", "a pool whose only member takes no new flows",
                   configuration("dnat", family, weight=0))
    empty.dropped("tcp: SYN", good, "no_healthy_member")
    return [vector, empty]


def error(family, kind):
    """The head of an ICMP error; what it quotes follows."""
    if family == 4:
        return {"too_big": ICMP(type=3, code=4, nexthopmtu=1400), "port": ICMP(type=3, code=3),
                "hops": ICMP(type=11, code=0)}[kind]
    return {"too_big": ICMPv6PacketTooBig(mtu=1400), "port": ICMPv6DestUnreach(code=4),
            "hops": ICMPv6TimeExceeded()}[kind]


def quote(family, protocol, source, destination, ports, length=None):
    """What an error quotes of a packet: its head and `length` bytes of L4; None: all of it."""
    header = 20 if family == 4 else 40
    packet = whole(ip(family, source, destination, ttl=9) / l4(protocol, *ports) / Raw(b"abcdef"))
    return Raw(packet[:header + length] if length else packet)


def with_error(ether, family, source, destination, kind, quoted, ttl):
    return ether / ip(family, source, destination, ttl=ttl) / error(family, kind) / quoted


def error_in(family, source, destination, kind, quoted, ttl=64):
    return with_error(Ether(src=ROUTER, dst=NODE), family, source, destination, kind, quoted, ttl)


def error_out(mac, family, source, destination, kind, quoted):
    return with_error(Ether(src=NODE, dst=mac), family, source, destination, kind, quoted, 63)


def icmp_dnat(family):
    """Errors of flows, by entry and without one. The router that speaks is `other`."""
    a = A[family]
    vip, client, member = a["vip"], a["client"], a["member"]
    vector = Vector(f"icmp_dnat_v{family}", f"ICMP errors under dnat over IPv{family}, translated "
                    "with the packet that they quote; echo", configuration("dnat", family))
    for protocol in ("tcp", "udp"):
        first = l4(protocol, CLIENT_PORT, VIP_PORT, "S")
        to_member = l4(protocol, CLIENT_PORT, MEMBER_PORT, "S")
        vector.forwarded(f"{protocol}: a flow", received(family, client, vip, first),
                         sent(MEMBER_MAC, family, client, member, to_member))
        for port, whose in ((CLIENT_PORT, "the flow"), (1234, "a flow that another node knows")):
            for length in (8, None):
                much = "8 bytes" if length else "all"
                vector.forwarded(
                    f"{protocol}: too big, from the client's side, quoting {much} of {whose}",
                    error_in(family, a["other"], vip, "too_big",
                             quote(family, protocol, vip, client, (VIP_PORT, port), length)),
                    error_out(MEMBER_MAC, family, a["other"], member, "too_big",
                              quote(family, protocol, member, client, (MEMBER_PORT, port), length)))
                vector.forwarded(
                    f"{protocol}: unreachable, from the member's side, quoting {much} of {whose}",
                    error_in(family, member, client, "port",
                             quote(family, protocol, client, member, (port, MEMBER_PORT), length)),
                    error_out(ROUTER, family, vip, client, "port",
                              quote(family, protocol, client, vip, (port, VIP_PORT), length)))
        hops = quote(family, protocol, vip, client, (VIP_PORT, CLIENT_PORT), 8)
        vector.forwarded(f"{protocol}: hops exceeded",
                         error_in(family, a["other"], vip, "hops", hops),
                         error_out(MEMBER_MAC, family, a["other"], member, "hops",
                                   quote(family, protocol, member, client,
                                         (MEMBER_PORT, CLIENT_PORT), 8)))
        vector.dropped(f"{protocol}: the error's own last hop",
                       error_in(family, a["other"], vip, "hops", hops, ttl=1), "ttl_expired")
        vector.dropped(f"{protocol}: a quoted packet of another sender",
                       error_in(family, a["other"], client, "hops", hops), "icmp_bad_quote")
        vector.dropped(f"{protocol}: a port without a listener",
                       error_in(family, a["other"], vip, "hops",
                                quote(family, protocol, vip, client, (443, CLIENT_PORT), 8)),
                       "icmp_no_flow")
        vector.dropped(f"{protocol}: 7 bytes of L4",
                       error_in(family, a["other"], vip, "hops",
                                quote(family, protocol, vip, client, (VIP_PORT, CLIENT_PORT), 7)),
                       "icmp_no_flow")
    ask, answer = ((ICMP(type=8, id=7, seq=1), ICMP(type=0, id=7, seq=1)) if family == 4 else
                   (ICMPv6EchoRequest(id=7, seq=1), ICMPv6EchoReply(id=7, seq=1)))
    for address in (vip, a["node"]):
        vector.forwarded(f"echo for {address}",
                         Ether(src=ROUTER, dst=NODE) / ip(family, client, address, ttl=9) / ask / Raw(b"abc"),
                         Ether(src=NODE, dst=ROUTER) / ip(family, address, client) / answer / Raw(b"abc"))
    vector.dropped("an echo reply", Ether(src=ROUTER, dst=NODE) / ip(family, client, vip) / answer,
                   "icmp_unsupported")
    return vector


def icmp_snat(family):
    a = A[family]
    vip, client, member, snat = a["vip"], a["client"], a["member"], a["snat"]
    vector = Vector(f"icmp_snat_v{family}", f"ICMP errors under snat over IPv{family}",
                    configuration("snat", family))
    l3 = 20 if family == 4 else 40
    quoted = 14 + l3 + 8 + l3  # where the quoted packet's ports lie in the frame of an error
    port = dict(name="port", length=2)
    vector.forwarded("a flow", received(family, client, vip, l4("tcp", CLIENT_PORT, VIP_PORT, "S")),
                     sent(MEMBER_MAC, family, snat, member, l4("tcp", SNAT_PORT, MEMBER_PORT, "S")),
                     chosen={**port, "offset": 14 + l3, "checksum": 14 + l3 + 16})
    vector.forwarded("too big, from the client's side",
                     error_in(family, a["other"], vip, "too_big",
                              quote(family, "tcp", vip, client, (VIP_PORT, CLIENT_PORT), 8)),
                     error_out(MEMBER_MAC, family, a["other"], member, "too_big",
                               quote(family, "tcp", member, snat, (MEMBER_PORT, SNAT_PORT), 8)),
                     chosen={**port, "offset": quoted + 2, "checksum": 14 + l3 + 2})
    vector.forwarded("unreachable, from the member's side",
                     error_in(family, member, snat, "port",
                              quote(family, "tcp", snat, member, (SNAT_PORT, MEMBER_PORT), 8)),
                     error_out(ROUTER, family, vip, client, "port",
                               quote(family, "tcp", client, vip, (CLIENT_PORT, VIP_PORT), 8)),
                     uses={**port, "offset": quoted, "checksum": 14 + l3 + 2})
    vector.dropped("a SNAT port that no flow has",
                   error_in(family, member, snat, "port",
                            quote(family, "tcp", snat, member, (65000, MEMBER_PORT), 8)),
                   "icmp_no_flow")
    vector.dropped("a VIP's packet that no flow sent",
                   error_in(family, a["other"], vip, "hops",
                            quote(family, "tcp", vip, client, (VIP_PORT, 5), 8)), "icmp_no_flow")
    return vector


def icmp_direct(mode, family, encapsulation=None):
    """Errors for a VIP go to the member as the flow's packets do; those about an outer header tell
    the client."""
    a = A[family]
    vip, client, node = a["vip"], a["client"], a["node"]
    name = "_".join(part for part in (mode, encapsulation) if part)
    vector = Vector(f"icmp_{name}_v{family}", f"ICMP errors under {name} over IPv{family}",
                    configuration(mode, family, None, encapsulation))
    ethertype = 0x0800 if family == 4 else 0x86dd
    to_member = Ether(src=NODE, dst=MEMBER_MAC, type=ethertype)
    for port, whose in ((CLIENT_PORT, "a flow"), (1234, "a flow that another node knows")):
        if port == CLIENT_PORT:
            inside = ip(family, client, vip, ttl=63) / l4("tcp", port, VIP_PORT, "S") / Raw(b"abcdef")
            packet = received(family, client, vip, l4("tcp", port, VIP_PORT, "S"))
            out = (to_member / Raw(whole(packet)[14:]) if mode == "dsr" else
                   to_member / outer(family, 4 if family == 4 else 41, encapsulation) / Raw(whole(inside)))
            vector.forwarded("a flow", packet, out)
        quoted = quote(family, "tcp", vip, client, (VIP_PORT, port), 8)
        packet = error_in(family, a["other"], vip, "too_big", quoted)
        if mode == "dsr":
            out = to_member / Raw(whole(packet)[14:])
        else:
            inside = with_error(Ether(src=ROUTER, dst=NODE), family, a["other"], vip, "too_big", quoted, 63)
            out = (to_member / outer(family, 4 if family == 4 else 41, encapsulation) /
                   Raw(whole(inside)[14:]))
        vector.forwarded(f"too big, quoting {whose}", packet, out)
    if mode != "tunnel":
        return vector
    head = 20 if family == 4 else 40

    def answer(quoted, mtu):
        """The engine's own error, from the VIP."""
        if family == 4:
            return (Ether(src=NODE, dst=ROUTER) / IP(src=vip, dst=client, id=0, ttl=64) /
                    ICMP(type=3, code=4, nexthopmtu=mtu) / Raw(quoted[:548]))
        return (Ether(src=NODE, dst=ROUTER) / IPv6(src=vip, dst=client, hlim=64) /
                ICMPv6PacketTooBig(mtu=mtu) / Raw(quoted[:1232]))

    # What a router with a narrower link quotes: the outer header, and all of the client's packet.
    client_packet = whole(ip(family, client, vip, ttl=63) /
                          l4("tcp", CLIENT_PORT, VIP_PORT) / Raw(bytes(1300)))
    quoted = whole(outer(family, 4 if family == 4 else 41, encapsulation) / Raw(client_packet))[:600]
    narrow = 1400
    told = (ICMP(type=3, code=4, nexthopmtu=narrow) if family == 4 else ICMPv6PacketTooBig(mtu=narrow))
    packet = Ether(src=ROUTER, dst=NODE) / ip(family, a["other"], node) / told / Raw(quoted)
    vector.forwarded("a router's too big about an outer packet is told to the client", packet,
                     answer(quoted[head:], narrow - head))
    strange = whole(outer(family, 4 if family == 4 else 41, encapsulation))[:head] + client_packet[:8]
    if family == 4:
        unreachable = ICMP(type=3, code=1)
    else:
        unreachable = ICMPv6DestUnreach(code=3)
    vector.dropped("an outer packet that could not be delivered",
                   Ether(src=ROUTER, dst=NODE) / ip(family, a["other"], node) / unreachable / Raw(strange),
                   "icmp_unsupported")
    return vector


def pieces(family, ether, source, destination, ttl, number, ports):
    """A datagram of 1600 bytes in fragments. What covers all of it lies in the first."""
    payload = Raw(bytes(range(200)) * 8)
    if family == 4:
        packet = IP(src=source, dst=destination, ttl=ttl, id=number) / UDP(sport=ports[0], dport=ports[1]) / payload
        return [ether / piece for piece in fragment(IP(whole(packet)), fragsize=800)]
    udp = IPv6(src=source, dst=destination) / UDP(sport=ports[0], dport=ports[1]) / payload
    packet = IPv6(src=source, dst=destination, hlim=ttl) / IPv6ExtHdrFragment(id=number) / Raw(bytes(udp)[40:])
    packet[IPv6ExtHdrFragment].nh = 17
    cut = fragment6(packet, 1280)
    for piece in cut:
        piece[IPv6ExtHdrFragment].nh = 17
    return [ether / piece for piece in cut]


def fragments(family):
    """Later fragments follow the first one. Those translated leave with an id of the engine's."""
    a = A[family]
    vector = Vector(f"fragments_dnat_v{family}", f"datagrams in fragments under dnat over IPv{family}",
                    configuration("dnat", family))
    into, router, member = Ether(src=ROUTER, dst=NODE), Ether(src=NODE, dst=ROUTER), Ether(src=NODE, dst=MEMBER_MAC)
    chosen = ({"offset": 14 + 4, "length": 2, "checksum": 14 + 10} if family == 4 else
              {"offset": 14 + 40 + 4, "length": 4, "checksum": 0})
    ways = (
        ("from the client", (a["client"], a["vip"], (CLIENT_PORT, VIP_PORT)), member,
         (a["client"], a["member"], (CLIENT_PORT, MEMBER_PORT))),
        ("from the member", (a["member"], a["client"], (MEMBER_PORT, CLIENT_PORT)), router,
         (a["vip"], a["client"], (VIP_PORT, CLIENT_PORT))),
    )
    for way, (source, destination, ports), ether, (new_source, new_destination, new_ports) in ways:
        before = pieces(family, into, source, destination, 64, 77, ports)
        after = pieces(family, ether, new_source, new_destination, 63, 77, new_ports)
        assert len(before) == len(after) >= 2
        for number, (one, other) in enumerate(zip(before, after)):
            vector.forwarded(f"fragment {number + 1} {way}", one, other,
                             chosen={"name": way.replace(" ", "_"), **chosen})
    own = pieces(family, into, a["client"], a["node"], 64, 78, (1, 2))
    vector.dropped("a fragment for the engine itself", own[0], "unexpected")
    tiny = whole(before[0])
    head = 14 + (20 if family == 4 else 48)
    short = into / (IP(tiny[14:head])if family == 4 else IPv6(tiny[14:head])) / Raw(tiny[head:head + 8])
    if family == 4:
        short[IP].len, short[IP].chksum, short[IP].proto = 28, None, 6
    else:
        short[IPv6].plen, short[IPv6ExtHdrFragment].nh = 16, 6
    vector.dropped("a first fragment without the whole TCP header", short, "bad_header")
    return vector


def fragments_direct(mode, family, member_family=None, encapsulation=None):
    """Fragments on to a member that gets the VIP's packets: each as it is, or in a tunnel of its own."""
    a, m = A[family], member_family or family
    name = "_".join(part for part in (mode, encapsulation) if part)
    vector = Vector(f"fragments_{name}_v{family}" + (f"_over_v{m}" if encapsulation else ""),
                    f"datagrams in fragments under {name}, IPv{family} VIP, IPv{m} member",
                    configuration(mode, family, member_family, encapsulation))
    into = Ether(src=ROUTER, dst=NODE)
    for number, client_port in ((77, CLIENT_PORT), (78, CLIENT_PORT + 1)):
        ends = (a["client"], a["vip"])
        ports = (client_port, VIP_PORT)
        # All fragments of a flow take the same way: one UDP source port for them.
        more = {"chosen": {"name": f"source_{number}", "length": 2,
                           "offset": 14 + (20 if m == 4 else 40)}} if encapsulation == "gue" else {}
        before = pieces(family, into, *ends, 64, number, ports)
        after = pieces(family, Ether(), *ends, 64 if mode == "dsr" else 63, number, ports)
        assert len(before) == len(after) >= 2
        for place, (one, other) in enumerate(zip(before, after)):
            out = Ether(src=NODE, dst=MEMBER_MAC, type=0x0800 if m == 4 else 0x86dd)
            if mode == "tunnel":
                out = out / outer(m, 4 if family == 4 else 41, encapsulation, traffic_class=0)
            vector.forwarded(f"fragment {place + 1} of datagram {number}", one,
                             out / Raw(bytes(other[1])), **more)
    return vector


def vectors():
    for family in (4, 6):
        yield icmp_dnat(family)
        yield icmp_snat(family)
        yield fragments(family)
        yield icmp_direct("dsr", family)
        yield icmp_direct("tunnel", family, "ipip")
        yield nat("dnat", family)
        yield nat("snat", family)
        yield direct("dsr", family)
        yield fragments_direct("dsr", family)
        for member_family in (4, 6):
            for encapsulation in ("ipip", "gue"):
                yield direct("tunnel", family, member_family, encapsulation)
                yield fragments_direct("tunnel", family, member_family, encapsulation)
        yield from edges(family)


def main():
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for vector in vectors():
        (directory / f"{vector.name}.json").write_text(json.dumps(vector.document, indent=1) + "\n")
        frames = []
        for packet in vector.packets:
            frames += [bytes.fromhex(packet[side]) for side in ("in", "out") if side in packet]
        # A fixed time, so that the same script writes the same file.
        stamped = [Ether(frame) for frame in frames]
        for number, frame in enumerate(stamped):
            frame.time = number
        wrpcap(str(directory / f"{vector.name}.pcap"), stamped)


main()
