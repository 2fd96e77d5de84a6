#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes maglev_*.txt: Maglev tables by the algorithm of docs/maglev.md, implemented here once more
on its own, so that a golden file is not merely what the C code does. Run it only when the
specification changes."""

import pathlib
import struct

MASK = (1 << 64) - 1
P1, P2, P3, P4, P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
SELECT_SEED = 0x57656972


def rotl(x, bits):
    return ((x << bits) | (x >> (64 - bits))) & MASK


def xxh_round(lane, value):
    return rotl((lane + value * P2) & MASK, 31) * P1 & MASK


def xxh64(data, seed=0):
    at = 0
    if len(data) >= 32:
        lanes = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK]
        while len(data) - at >= 32:
            for i, word in enumerate(struct.unpack_from("<4Q", data, at)):
                lanes[i] = xxh_round(lanes[i], word)
            at += 32
        value = sum(rotl(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            value = ((value ^ xxh_round(0, lane)) * P1 + P4) & MASK
    else:
        value = (seed + P5) & MASK
    value = (value + len(data)) & MASK
    while len(data) - at >= 8:
        (word,) = struct.unpack_from("<Q", data, at)
        value = (rotl(value ^ xxh_round(0, word), 27) * P1 + P4) & MASK
        at += 8
    if len(data) - at >= 4:
        (word,) = struct.unpack_from("<I", data, at)
        value = (rotl(value ^ (word * P1 & MASK), 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        value = rotl(value ^ (byte * P5 & MASK), 11) * P1 & MASK
    value = (value ^ (value >> 33)) * P2 & MASK
    value = (value ^ (value >> 29)) * P3 & MASK
    return value ^ (value >> 32)


assert xxh64(b"") == 0xEF46DB3751D8E999
assert xxh64(b"abc") == 0x44BC2CF5AD770999


def build(size, members):
    """members: (id, weight) in listed order; answers the index of each slot's member, or -1."""
    table = [-1] * size
    taking = []
    for index, (name, weight) in enumerate(members):
        if weight > 0:
            data = name.encode()
            taking.append((xxh64(data, 0), data, weight, index))
    taking.sort(key=lambda m: (m[0], m[1]))
    if not taking:
        return table
    heaviest = max(m[2] for m in taking)
    position = {m[3]: xxh64(m[1], 1) % size for m in taking}
    skip = {m[3]: xxh64(m[1], 2) % (size - 1) + 1 for m in taking}
    filled = 0
    turn = 0
    while filled < size:
        turn += 1
        for _, _, weight, index in taking:
            if filled == size:
                break
            if turn * weight // heaviest == (turn - 1) * weight // heaviest:
                continue
            while table[position[index]] != -1:
                position[index] = (position[index] + skip[index]) % size
            table[position[index]] = index
            filled += 1
    return table


def address(text):
    return bytes(int(part) for part in text.split("."))


def select(client, client_port, vip, vip_port, protocol):
    key = address(client) + struct.pack(">H", client_port) + address(vip)
    key += struct.pack(">HB", vip_port, protocol)
    return xxh64(key, SELECT_SEED)


HASHES = [
    ("192.0.2.1", 40000, "203.0.113.10", 80, 6),
    ("192.0.2.1", 40001, "203.0.113.10", 80, 6),
    ("198.51.100.7", 53, "203.0.113.11", 7000, 17),
    ("255.255.255.255", 65535, "0.0.0.1", 1, 17),
]


def write(name, size, members):
    table = build(size, members)
    lines = ["# SPDX-License-Identifier: Apache-2.0", f"size {size}"]
    lines += [f"member {member} {weight}" for member, weight in members]
    if size <= 1009:
        lines.append("slots " + " ".join(str(slot) for slot in table))
    else:
        packed = b"".join(struct.pack("<H", slot & 0xFFFF) for slot in table)
        lines.append(f"slots_xxh64 {xxh64(packed):016x}")
    lines += [f"count {i} {table.count(i)}" for i in range(len(members))]
    for client, client_port, vip, vip_port, protocol in HASHES:
        value = select(client, client_port, vip, vip_port, protocol)
        lines.append(f"hash {client} {client_port} {vip} {vip_port} {protocol} {value:016x}")
    lines.append(f"hash_source {HASHES[0][0]} {xxh64(address(HASHES[0][0]), SELECT_SEED):016x}")
    path = pathlib.Path(__file__).parent / f"maglev_{name}.txt"
    path.write_text("\n".join(lines) + "\n")


def ids(count):
    return [f"mbr_{number:032x}" for number in range(0x0198C0DE, 0x0198C0DE + count)]


write("one_member", 7, [("mbr_a", 1)])
write("three_equal", 307, [(name, 1) for name in ids(3)])
write("listed_in_another_order", 307, [(name, 1) for name in reversed(ids(3))])
write("weights", 1009, list(zip(ids(5), [1, 2, 50, 100, 256])))
write("half_weight", 101, list(zip(ids(2), [100, 50])))
write("weight_zero", 251, list(zip(ids(4), [1, 0, 3, 0])))
write("nobody", 13, list(zip(ids(2), [0, 0])))
write("as_many_members_as_slots", 11, [(name, 1) for name in ids(11)])
write("hundred_members", 10007, [(name, 1 + i % 7) for i, name in enumerate(ids(100))])
write("large", 65537, [(name, 10) for name in ids(640)])
