#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes icmp_vectors.txt with scapy: ICMP errors as the engine is to build and to translate them.
Run it only when what is expected changes. Lines, all packets in hexadecimal from the IP header on:

too_big MTU PACKET ERROR
translate SOURCE DESTINATION INNER_SOURCE INNER_SPORT INNER_DESTINATION INNER_DPORT ERROR TRANSLATED
mss LIMIT SEGMENT CLAMPED (TCP over IPv4)
"""

import pathlib

from scapy.all import ICMP, IP, TCP, UDP, ICMPv6DestUnreach, ICMPv6PacketTooBig, ICMPv6TimeExceeded
from scapy.all import IPOption_NOP, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop, Raw

lines = []


def as_hex(packet):
    return bytes(packet).hex()


def too_big_v4(packet, mtu):
    quoted = bytes(packet)[:548]
    error = IP(src=packet.dst, dst=packet.src, id=0, flags=0, ttl=64) / ICMP(
        type=3, code=4, nexthopmtu=mtu
    ) / Raw(quoted)
    lines.append(f"too_big {mtu} {as_hex(packet)} {as_hex(error)}")


def too_big_v6(packet, mtu):
    quoted = bytes(packet)[:1232]
    error = IPv6(src=packet.dst, dst=packet.src, hlim=64) / ICMPv6PacketTooBig(mtu=mtu) / Raw(quoted)
    lines.append(f"too_big {mtu} {as_hex(packet)} {as_hex(error)}")


def translate(build, before, after, error_before, error_after, make_error, quote):
    """before, after: (source, sport, destination, dport) of the quoted packet. What is cut off was
    computed over the whole packet on both sides."""
    quoted = [bytes(build(*endpoints))[:quote] for endpoints in (before, after)]
    errors = [make_error(*ends, Raw(q)) for ends, q in zip((error_before, error_after), quoted)]
    lines.append(
        f"translate {error_after[0]} {error_after[1]} {after[0]} {after[1]} {after[2]} {after[3]} "
        f"{as_hex(errors[0])} {as_hex(errors[1])}"
    )


def tcp4(options=()):
    return lambda src, sport, dst, dport: IP(
        src=src, dst=dst, id=7, flags="DF", options=list(options)
    ) / TCP(sport=sport, dport=dport, seq=99, flags="A") / Raw(b"0123456789" * 60)


def udp4(chksum=None):
    return lambda src, sport, dst, dport: IP(src=src, dst=dst, id=7) / UDP(
        sport=sport, dport=dport, chksum=chksum
    ) / Raw(b"abcdefg" * 9)


def tcp6(extensions=None):
    def build(src, sport, dst, dport):
        head = IPv6(src=src, dst=dst)
        if extensions is not None:
            head = head / extensions
        return head / TCP(sport=sport, dport=dport, seq=99, flags="A") / Raw(b"0123456789" * 140)

    return build


def udp6(src, sport, dst, dport):
    return IPv6(src=src, dst=dst) / UDP(sport=sport, dport=dport) / Raw(b"abcdefg" * 9)


def error4(kind, code, **fields):
    return lambda src, dst, quoted: IP(src=src, dst=dst, ttl=61, id=3) / ICMP(
        type=kind, code=code, **fields
    ) / quoted


def error6(layer):
    return lambda src, dst, quoted: IPv6(src=src, dst=dst, hlim=61) / layer / quoted


too_big_v4(tcp4()("192.0.2.7", 40000, "203.0.113.10", 80), 1480)
too_big_v4(tcp4([IPOption_NOP()] * 4)("192.0.2.7", 40000, "203.0.113.10", 80), 576)
too_big_v4(udp4()("192.0.2.7", 40000, "203.0.113.10", 53), 1300)
too_big_v6(tcp6()("2001:db8:1::7", 40000, "2001:db8:2::10", 80), 1460)
too_big_v6(udp6("2001:db8:1::7", 40000, "2001:db8:2::10", 53), 1280)

# About what a member sent, as the router towards the client saw it; then the other direction.
vip4 = ("203.0.113.10", 80, "192.0.2.7", 40000)
dnat4 = ("10.1.0.51", 8080, "192.0.2.7", 40000)
snat4 = ("10.1.0.51", 8080, "10.1.31.0", 1024)
sent4 = ("10.1.31.0", 1024, "10.1.0.51", 8080)
client4 = ("192.0.2.7", 40000, "203.0.113.10", 80)
router4 = "198.51.100.1"
for quote in (28, 36, 38, 548, 2000):
    for build in (tcp4(), udp4(), udp4(0)):
        translate(build, vip4, dnat4, (router4, vip4[0]), (router4, dnat4[0]), error4(3, 4, nexthopmtu=1400), quote)
        translate(build, vip4, snat4, (router4, vip4[0]), (router4, snat4[0]), error4(11, 0), quote)
        translate(build, sent4, client4, ("10.1.0.51", sent4[0]), (client4[2], client4[0]), error4(3, 3), quote)
translate(tcp4([IPOption_NOP()] * 8), vip4, dnat4, (router4, vip4[0]), (router4, dnat4[0]), error4(3, 1), 36)
vip6 = ("2001:db8:2::10", 80, "2001:db8:1::7", 40000)
dnat6 = ("fd00:1::51", 8080, "2001:db8:1::7", 40000)
sent6 = ("fd00:31::", 1024, "fd00:1::51", 8080)
client6 = ("2001:db8:1::7", 40000, "2001:db8:2::10", 80)
router6 = "2001:db8:ffff::1"
for quote in (48, 60, 1232):
    for build in (tcp6(), udp6):
        translate(build, vip6, dnat6, (router6, vip6[0]), (router6, dnat6[0]), error6(ICMPv6PacketTooBig(mtu=1400)), quote)
        translate(build, sent6, client6, ("fd00:1::51", sent6[0]), (client6[2], client6[0]), error6(ICMPv6DestUnreach(code=4)), quote)
extensions = IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt()
translate(tcp6(extensions), vip6, dnat6, (router6, vip6[0]), (router6, dnat6[0]), error6(ICMPv6TimeExceeded()), 64)


def mss(limit, options, clamped):
    segments = [
        IP(src="192.0.2.7", dst="203.0.113.10") / TCP(sport=1, dport=2, flags="S", options=list(o))
        for o in (options, clamped)
    ]
    lines.append(f"mss {limit} {as_hex(segments[0])} {as_hex(segments[1])}")


usual = [("SAckOK", b""), ("Timestamp", (1, 0)), ("NOP", None), ("WScale", 7)]
mss(1300, [("MSS", 1460)] + usual, [("MSS", 1300)] + usual)
mss(1300, [("MSS", 1300)] + usual, [("MSS", 1300)] + usual)
mss(1300, [("MSS", 536)] + usual, [("MSS", 536)] + usual)
mss(1300, usual, usual)
mss(1300, usual + [("MSS", 9000)], usual + [("MSS", 1300)])
mss(1, [("NOP", None), ("MSS", 65535)], [("NOP", None), ("MSS", 1)])
mss(1240, [], [])

text = "# SPDX-License-Identifier: Apache-2.0\n# Written by make_icmp.py.\n" + "\n".join(lines) + "\n"
pathlib.Path(__file__).with_name("icmp_vectors.txt").write_text(text)
