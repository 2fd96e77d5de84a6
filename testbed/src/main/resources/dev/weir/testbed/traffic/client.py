# SPDX-License-Identifier: Apache-2.0
"""A client of the testbed: makes real connections and counts what it did itself.

usage: client.py http HOST PORT REQUESTS PARALLEL   a new connection for each request
       client.py load HOST PORT PER_SECOND          as http, until standard input ends
       client.py hold HOST PORT CONNECTIONS MS      connections that stream a line every MS, likewise
       client.py datagrams HOST PORT PER_SECOND     one UDP flow at that rate, likewise
       client.py udp HOST PORT FLOWS DATAGRAMS      DATAGRAMS on each of FLOWS sockets

Each prints one line of JSON when it is done. hold, load and datagrams print a first one when they run, and one more for
each line of their standard input.
"""

import asyncio
import collections
import json
import socket
import sys
import time

TIMEOUT_S = 5
# SYNs that a connection repeats at most before the timeout: after 1 and 3 seconds.
MAX_SYN_REPEATS = 2
# In struct tcp_info of Linux.
TOTAL_RETRANS_OFFSET = 100
# Longer than any test keeps them.
STREAM_S = 3600


def report(**values):
    print(json.dumps(values), flush=True)


def spread(samples):
    ordered = sorted(samples)
    if not ordered:
        return None
    return {
        "p50": ordered[len(ordered) // 2],
        "p99": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
        "max": ordered[-1],
    }


def syn_repeats(writer):
    """SYNs sent again, of a connection that was just established."""
    info = writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TOTAL_RETRANS_OFFSET + 4)
    return int.from_bytes(info[TOTAL_RETRANS_OFFSET:], sys.byteorder)


class Fetches:
    """Counts of requests, each on a connection of its own."""

    def __init__(self, host, port):
        self.host = host
        self.port = port
        self.ok = 0
        self.connected = 0
        self.syn_repeats = 0
        self.failed = collections.Counter()
        self.backends = collections.Counter()
        self.first_byte_ms = []

    async def fetch(self):
        begin = time.monotonic()
        writer = None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                self.connected += 1
                self.syn_repeats += syn_repeats(writer)
                writer.write(b"GET / HTTP/1.1\r\nHost: vip\r\nConnection: close\r\n\r\n")
                first = await reader.readexactly(1)
                elapsed = (time.monotonic() - begin) * 1000
                answer = first + await reader.read()
            head, _, body = answer.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200") or not body:
                raise OSError("answer cut short")
            self.ok += 1
            self.backends[body.decode().strip()] += 1
            self.first_byte_ms.append(elapsed)
        except (OSError, EOFError, TimeoutError) as error:
            self.failed[type(error).__name__] += 1
            if writer is None:
                self.syn_repeats += MAX_SYN_REPEATS
        finally:
            if writer is not None:
                writer.close()

    def report(self):
        report(
            requests=self.ok + sum(self.failed.values()),
            ok=self.ok,
            connected=self.connected,
            syn_repeats=self.syn_repeats,
            failed=sum(self.failed.values()),
            errors=self.failed,
            backends=self.backends,
            first_byte_ms=spread(self.first_byte_ms),
        )


async def http(host, port, requests, parallel):
    fetches = Fetches(host, port)
    left = iter(range(requests))

    async def worker():
        for _ in left:
            await fetches.fetch()

    await asyncio.gather(*(worker() for _ in range(parallel)))
    fetches.report()


async def end_of_input(on_line):
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def read():
        data = sys.stdin.buffer.raw.read(4096)
        for _ in range(data.count(b"\n")):
            on_line()
        if not data:
            loop.remove_reader(sys.stdin.fileno())
            ended.set()

    loop.add_reader(sys.stdin.fileno(), read)
    await ended.wait()


async def load(host, port, per_second):
    fetches = Fetches(host, port)
    ended = asyncio.create_task(end_of_input(fetches.report))
    running = set()
    fetches.report()
    begin = time.monotonic()
    sent = 0
    while not ended.done():
        due = int((time.monotonic() - begin) * per_second) + 1
        while sent < due:
            task = asyncio.create_task(fetches.fetch())
            running.add(task)
            task.add_done_callback(running.discard)
            sent += 1
        await asyncio.sleep(1 / per_second)
    if running:
        await asyncio.wait(running)
    fetches.report()


class Stream:
    """One connection on which the backend sends lines at a steady rate."""

    def __init__(self):
        self.backend = None
        self.broken = None
        self.longest_gap = 0.0
        self.lines = 0

    async def run(self, host, port, every_ms, opened):
        writer = None
        try:
            # Not wait_for: before Python 3.12 it may swallow the cancellation that ends this task.
            async with asyncio.timeout(TIMEOUT_S):
                reader, writer = await asyncio.open_connection(host, port)
                target = b"/slow?seconds=%d&every_ms=%d" % (STREAM_S, every_ms)
                writer.write(b"GET %s HTTP/1.1\r\nHost: vip\r\n\r\n" % target)
                await reader.readuntil(b"\r\n\r\n")
            last = time.monotonic()
            while True:
                async with asyncio.timeout(TIMEOUT_S):
                    await reader.readline()
                    name = await reader.readline()
                    await reader.readline()
                if not name:
                    raise EOFError("closed by the other side")
                now = time.monotonic()
                self.longest_gap = max(self.longest_gap, now - last)
                last = now
                self.lines += 1
                if self.backend is None:
                    self.backend = name.decode().strip()
                    opened()
        except (OSError, EOFError, TimeoutError) as error:
            self.broken = type(error).__name__
            if self.backend is None:
                opened()
        finally:
            if writer is not None:
                writer.close()


async def hold(host, port, connections, every_ms):
    streams = [Stream() for _ in range(connections)]
    all_open = asyncio.Event()
    waiting = connections

    def opened():
        nonlocal waiting
        waiting -= 1
        if waiting == 0:
            all_open.set()

    tasks = [asyncio.create_task(stream.run(host, port, every_ms, opened)) for stream in streams]
    await all_open.wait()

    def totals():
        report(
            connections=connections,
            broken=sum(stream.broken is not None for stream in streams),
            errors=collections.Counter(stream.broken for stream in streams if stream.broken is not None),
            backends=collections.Counter(stream.backend for stream in streams if stream.backend is not None),
            alive=collections.Counter(stream.backend for stream in streams if stream.broken is None),
            lines=sum(stream.lines for stream in streams),
            longest_gap_ms=max(stream.longest_gap for stream in streams) * 1000,
        )

    totals()
    await end_of_input(totals)
    totals()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def datagrams(host, port, per_second):
    """One flow whose datagrams are answered while everything around it may break."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((host, port))
        sent = answered = 0
        backends = collections.Counter()
        longest_gap = 0.0
        last = time.monotonic()

        def read():
            nonlocal answered, longest_gap, last
            while True:
                try:
                    name = sock.recv(65536).partition(b" ")[0]
                except OSError:
                    return
                now = time.monotonic()
                longest_gap = max(longest_gap, now - last)
                last = now
                answered += 1
                backends[name.decode()] += 1

        def totals():
            report(sent=sent, answered=answered, backends=backends, longest_gap_ms=longest_gap * 1000)

        loop.add_reader(sock.fileno(), read)
        ended = asyncio.create_task(end_of_input(totals))
        totals()
        begin = time.monotonic()
        while not ended.done():
            due = int((time.monotonic() - begin) * per_second) + 1
            while sent < due:
                sent += 1
                try:
                    sock.send(b"%d" % sent)
                except OSError:
                    pass
            await asyncio.sleep(1 / per_second)
        await asyncio.sleep(1)
        loop.remove_reader(sock.fileno())
        totals()


def udp(host, port, flows, datagrams):
    sent = answered = 0
    backends = collections.Counter()
    mixed = 0
    for flow in range(flows):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(2)
            sock.connect((host, port))
            names = set()
            for number in range(datagrams):
                payload = b"%d/%d" % (flow, number)
                sent += 1
                try:
                    sock.send(payload)
                    name, _, echoed = sock.recv(65536).partition(b" ")
                except OSError:
                    continue
                if echoed == payload:
                    answered += 1
                    names.add(name.decode())
            backends.update(names)
            mixed += len(names) > 1
    report(flows=flows, sent=sent, answered=answered, backends=backends, mixed_flows=mixed)


def main():
    mode, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    numbers = [int(word) for word in sys.argv[4:]]
    if mode == "udp":
        udp(host, port, *numbers)
    else:
        asyncio.run({"http": http, "load": load, "hold": hold, "datagrams": datagrams}[mode](host, port, *numbers))


main()
