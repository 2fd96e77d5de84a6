# SPDX-License-Identifier: Apache-2.0
"""Reads packet vectors: their configuration as EngineRequests, their packets line by line.

usage: vector_file.py flat FILE       lines for vectors_test.c
       vector_file.py requests FILE DIRECTORY   node.bin and lb.bin for weirctl replay
"""

import ipaddress
import json
import re
import subprocess
import sys
from pathlib import Path

PROTO_ROOT = Path(__file__).resolve().parents[3] / "openapi" / "messages"
ADDRESSES = re.compile(r"(^|_)(address|hop)(_v6)?$|^vip_address$")


def literal(name, value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and ADDRESSES.search(name):
        return '"' + "".join(f"\\x{byte:02x}" for byte in ipaddress.ip_address(value).packed) + '"'
    if re.fullmatch(r"[A-Z][A-Z0-9_]+", value):
        return value  # an enum's
    return json.dumps(value)


def text_form(document):
    """Protobuf's text form of a message in its JSON form, with addresses as text."""
    parts = []
    for name, value in document.items():
        for one in value if isinstance(value, list) else [value]:
            parts.append(f"{name} {{ {text_form(one)} }}" if isinstance(one, dict)
                         else f"{name}: {literal(name, one)}")
    return " ".join(parts)


def encode(text):
    return subprocess.run(["protoc", f"--proto_path={PROTO_ROOT}", "--encode=weir.v1.EngineRequest",
                           "weir/v1/engine.proto"], input=text.encode(), check=True,
                          stdout=subprocess.PIPE).stdout


def requests(configuration):
    node = text_form(configuration["node"])
    balancer = text_form(configuration["load_balancer"])
    return [encode(f"request_id: 1 apply_node {{ epoch: 1 sequence: 1 node {{ {node} }} }}"),
            encode("request_id: 2 apply { upserts { epoch: 1 sequence: 1 "
                   f"config {{ {balancer} }} }} }}")]


def place(packet, key):
    one = packet.get(key)
    if one is None:
        return "-"
    return f"{one['name']}:{one['offset']}:{one['length']}:{one.get('checksum', 0)}"


def flat(document):
    for request in requests(document["configuration"]):
        yield f"request {request.hex()}"
    for address, mac in document["configuration"]["neighbours"].items():
        yield f"neighbour {address} {mac}"
    for packet in document["packets"]:
        yield " ".join(["packet", packet["verdict"], packet.get("reason", "-"), packet["in"],
                        packet.get("out", "-"), place(packet, "chosen"), place(packet, "uses"),
                        packet["description"]])


def main():
    command, file = sys.argv[1], Path(sys.argv[2])
    document = json.loads(file.read_text())
    if command == "flat":
        print("\n".join(flat(document)))
    elif command == "requests":
        node, balancer = requests(document["configuration"])
        (Path(sys.argv[3]) / "node.bin").write_bytes(node)
        (Path(sys.argv[3]) / "lb.bin").write_bytes(balancer)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
