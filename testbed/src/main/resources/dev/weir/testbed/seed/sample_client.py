# SPDX-License-Identifier: Apache-2.0
"""Keeps fetching through a VIP, one new connection per request, and tells once a second how it went.

Arguments: address, HTTP port, UDP port, requests per second, status file.
"""

import collections
import http.client
import json
import os
import socket
import sys
import time

ADDRESS, HTTP_PORT, UDP_PORT, RATE, STATUS = (
    sys.argv[1],
    int(sys.argv[2]),
    int(sys.argv[3]),
    float(sys.argv[4]),
    sys.argv[5],
)

started = time.time()
totals = collections.Counter()
members = collections.Counter()
recent = collections.deque()  # (when, seconds taken) of the last ten seconds' good requests


def fetch():
    begin = time.monotonic()
    connection = http.client.HTTPConnection(ADDRESS, HTTP_PORT, timeout=2)
    try:
        connection.request("GET", "/", headers={"Connection": "close"})
        body = connection.getresponse().read()
        totals["requests"] += 1
        members[body.decode(errors="replace").split("\n", 1)[0].strip()[:40]] += 1
        recent.append((time.monotonic(), time.monotonic() - begin))
    except (OSError, http.client.HTTPException):
        totals["failed_requests"] += 1
    finally:
        connection.close()


def echo():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(1)
        try:
            udp.connect((ADDRESS, UDP_PORT))
            udp.send(b"sample")
            udp.recv(2048)
            totals["datagrams"] += 1
        except OSError:
            totals["failed_datagrams"] += 1


def tell():
    now = time.monotonic()
    while recent and now - recent[0][0] > 10:
        recent.popleft()
    took = sorted(seconds for _, seconds in recent)
    status = {
        "seconds": round(time.time() - started, 1),
        "requests_total": totals["requests"],
        "failed_requests_total": totals["failed_requests"],
        "datagrams_total": totals["datagrams"],
        "failed_datagrams_total": totals["failed_datagrams"],
        "requests_per_second": round(len(took) / min(10.0, max(1.0, time.time() - started)), 1),
        "median_ms": round(took[len(took) // 2] * 1000, 2) if took else None,
        "requests_by_member": dict(members.most_common(16)),
    }
    with open(STATUS + ".next", "w", encoding="utf-8") as file:
        json.dump(status, file)
    os.replace(STATUS + ".next", STATUS)


def main():
    told = 0.0
    turn = 0
    while True:
        begin = time.monotonic()
        fetch()
        turn += 1
        if turn % 4 == 0:
            echo()
        if begin - told >= 1 or totals["requests"] == 1:
            tell()
            told = begin
        time.sleep(max(0.0, 1 / RATE - (time.monotonic() - begin)))


main()
