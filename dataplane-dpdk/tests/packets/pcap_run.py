#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs packet vectors through the engine's own program on a port made of pcap files: the frames of
a vector come from one file, what leaves is compared with what Scapy wrote.

usage: pcap_run.py ENGINE WEIRCTL DIRECTORY [PATTERN]
"""

import collections
import ipaddress
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scapy.all import (ARP, Ether, ICMPv6NDOptSrcLLAddr, ICMPv6ND_NS, IPv6, rdpcap, wrpcap)

import vector_file

PORT_MAC = "02:70:63:61:70:00"  # what the driver gives its first port

# Frames for another station keep packets of a vector apart: within a burst, ICMP errors are served
# before the flows that began in it.
FILLER, BURST = bytes.fromhex("02ffffffffff0200000000020800") + bytes(46), 32


class Engine:
    def __init__(self, program, weirctl, directory, device):
        self.weirctl, self.socket = weirctl, directory / "engine.sock"
        for name in ("state", "shm"):
            (directory / name).mkdir(exist_ok=True)
        self.log = open(directory / "engine.log", "ab")
        self.process = subprocess.Popen(
            [program, "--no-huge", "-m", "64", "--no-telemetry", "--no-shconf", "--no-pci",
             "--file-prefix", f"vectors-{os.getpid()}", "--lcores", "0@(0-1),1@(0-1)",
             "--vdev", device, "--", "--socket", str(self.socket), "--state-dir",
             str(directory / "state"), "--heartbeat", str(directory / "heartbeat"), "--shm-dir",
             str(directory / "shm"), "--flow-entries", "1024"],
            stdout=self.log, stderr=self.log)
        self.wait(lambda: self.ask("status")["ready"])

    def ask(self, *command):
        answer = subprocess.run([self.weirctl, "--socket", str(self.socket), "--json", *command],
                                capture_output=True, check=True).stdout
        return json.loads(answer)

    def wait(self, condition):
        for _ in range(200):
            try:
                if condition():
                    return
            except (subprocess.CalledProcessError, KeyError):
                if self.process.poll() is not None:
                    break
            time.sleep(0.02)
        self.end(signal.SIGKILL)
        sys.exit(f"the engine does not come so far:\n{Path(self.log.name).read_text()}")

    def end(self, number):
        self.process.send_signal(number)
        self.process.wait()
        self.log.close()


def greetings(configuration, packets):
    """Each neighbour that frames leave to asks for the engine's address, and so tells its own."""
    left = {6 if packet["out"][24:28] == "86dd" else 4 for packet in packets if "out" in packet}
    for text, mac in configuration["neighbours"].items():
        version = ipaddress.ip_address(text).version
        if version not in left:
            continue
        if version == 4:
            yield Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(
                op=1, hwsrc=mac, psrc=text, pdst=configuration["node"]["data_address"])
        else:
            target = configuration["node"]["data_address_v6"]
            yield Ether(src=mac, dst=PORT_MAC) / IPv6(src=text, dst=target, hlim=255) / \
                ICMPv6ND_NS(tgt=target) / ICMPv6NDOptSrcLLAddr(lladdr=mac)


def is_neighbour_talk(frame):
    return frame.type == 0x0806 or (frame.type == 0x86dd and frame[IPv6].nh == 58 and
                                    bytes(frame)[54] in range(133, 138))


def masked(frame, place):
    """The frame without what the engine was free to choose, and without the checksum over it."""
    ranges = [(place["offset"], place["length"])]
    if place.get("checksum"):
        ranges.append((place["checksum"], 2))
    frame = bytearray(frame)
    for first, length in ranges:
        frame[first:first + length] = bytes(length)
    return bytes(frame)


def settle(packets, out, learnt):
    """Expected frames, with what the engine chose taken from the frames that left, by name."""
    for packet in packets:
        if "out" not in packet:
            continue
        frame = bytes.fromhex(packet["out"])
        frame = frame[:6] + port_bytes() + frame[12:]
        place = packet.get("chosen")
        for other in map(bytes.fromhex, out if place else []):
            if masked(other, place) == masked(frame, place):
                frame = other
                learnt[place["name"]] = other[place["offset"]:place["offset"] + place["length"]]
        yield frame.hex()


def with_chosen(packet, learnt):
    """The frame in, with a value that the engine chose before; checksum by RFC 1624."""
    frame = bytearray.fromhex(packet["in"])
    place = packet.get("uses")
    value = learnt.get(place["name"]) if place else None
    if value is None:
        return bytes(frame)
    first, last = place["offset"], place["offset"] + place["length"]
    if place.get("checksum"):
        at = place["checksum"]
        total = ~int.from_bytes(frame[at:at + 2], "big") & 0xffff
        for i in range(0, place["length"], 2):
            total += ~int.from_bytes(frame[first + i:first + i + 2], "big") & 0xffff
            total += int.from_bytes(value[i:i + 2], "big")
        while total >> 16:
            total = (total & 0xffff) + (total >> 16)
        frame[at:at + 2] = (~total & 0xffff).to_bytes(2, "big")
    frame[first:last] = value
    return bytes(frame)


def port_bytes():
    return bytes.fromhex(PORT_MAC.replace(":", ""))


def attempt(program, weirctl, directory, document, learnt):
    """Runs the packets, given what the engine chose before. Returns what is wrong."""
    configuration, packets = document["configuration"], document["packets"]
    own = bytes.fromhex("020000000001")
    frames = [bytes(frame) for frame in greetings(configuration, packets)]
    for packet in packets:
        frame = with_chosen(packet, learnt)
        frames += [FILLER] * BURST
        frames.append((port_bytes() if frame[:6] == own else frame[:6]) + frame[6:])
    wrpcap(str(directory / "in.pcap"), [Ether(frame) for frame in frames])
    shutil.rmtree(directory / "shm")
    engine = Engine(program, weirctl, directory,
                    f"net_pcap0,rx_pcap={directory}/in.pcap,tx_pcap={directory}/out.pcap")
    engine.wait(lambda: engine.ask("status")["lcores"][0]["rx_packets"] >= len(frames))
    want_drops = collections.Counter(packet["reason"] for packet in packets if "reason" in packet)
    drops = collections.Counter(not_for_us=-BURST * len(packets))
    for drop in engine.ask("drops")["drops"]:
        drops[drop["reason"]] += drop["packets"]
    drops = +drops
    # The engine goes on sending for a while after it was told to end.
    engine.end(signal.SIGTERM)
    out = collections.Counter(bytes(frame).hex() for frame in rdpcap(str(directory / "out.pcap"))
                              if not is_neighbour_talk(frame))
    want_out = collections.Counter(settle(packets, out, learnt))
    problems = [f"missing {frame}" for frame in (want_out - out)]
    problems += [f"too many {frame}" for frame in (out - want_out)]
    if drops != want_drops:
        problems.append(f"drops {dict(drops)}, not {dict(want_drops)}")
    return problems


def run(program, weirctl, vector, directory):
    document = json.loads(vector.read_text())
    node, balancer = vector_file.requests(document["configuration"])
    (directory / "node.bin").write_bytes(node)
    (directory / "lb.bin").write_bytes(balancer)
    engine = Engine(program, weirctl, directory, "net_null0")
    subprocess.run([weirctl, "--socket", str(engine.socket), "replay", directory / "node.bin",
                    directory / "lb.bin"], check=True, stdout=subprocess.DEVNULL)
    engine.end(signal.SIGKILL)
    learnt = {}
    problems = attempt(program, weirctl, directory, document, learnt)
    if problems and any("uses" in packet for packet in document["packets"]):
        # A file can't answer what is chosen as it is read; an engine begun anew chooses the same.
        problems = attempt(program, weirctl, directory, document, learnt)
    return problems


def main():
    program, weirctl, vectors, *pattern = sys.argv[1:]
    failed = False
    for name in sorted(Path(vectors).glob(pattern[0] if pattern else "*.json")):
        directory = Path(tempfile.mkdtemp(prefix="weir-pcap-"))
        try:
            problems = run(program, weirctl, name, directory)
        finally:
            shutil.rmtree(directory)
        print(f"{'FAIL' if problems else 'ok'}: {name.stem}")
        for problem in problems:
            print(f"  {problem}")
        failed = failed or bool(problems)
    sys.exit(failed)


main()
