# SPDX-License-Identifier: Apache-2.0
"""What clients do with e2e_servers.py, and count.

usage: e2e_clients.py open ADDRESS NUMBER | stream ADDRESS NUMBER | idle ADDRESS SECONDS |
       download ADDRESS | upload ADDRESS BYTES | websocket ADDRESS PORT
"""

import asyncio
import base64
import os
import sys


async def opened(address, number):
    """As many connections, 100 at a time, each served and closed by both sides."""
    lost = 0
    gate = asyncio.Semaphore(100)

    async def one():
        nonlocal lost
        async with gate:
            try:
                reader, writer = await asyncio.wait_for(asyncio.open_connection(address, 9000), 10)
                line = await asyncio.wait_for(reader.readline(), 10)
                writer.write_eof()
                rest = await asyncio.wait_for(reader.read(), 10)
                writer.close()
                lost += line != b"hello\n" or rest != b""
            except (OSError, asyncio.TimeoutError):
                lost += 1

    await asyncio.gather(*(one() for _ in range(int(number))))
    return lost


async def streamed(address, number):
    """As many transfers at once; the first line of all is told, then the broken ones."""
    pairs = [await asyncio.open_connection(address, 9001) for _ in range(int(number))]
    print("open", flush=True)

    async def whole(reader, writer):
        data = b""
        while piece := await reader.read(65536):
            data += piece
        writer.close()
        return data.count(b"\n") == 100

    done = await asyncio.gather(*(whole(*pair) for pair in pairs), return_exceptions=True)
    return sum(result is not True for result in done)


async def idle(address, seconds):
    reader, writer = await asyncio.open_connection(address, 9002)
    for pause in ("0", seconds, "0"):
        writer.write(pause.encode() + b"\n")
        if await reader.readline() != pause.encode() + b"\n":
            return 1
    writer.close()
    return 0


async def download(address):
    reader, writer = await asyncio.open_connection(address, 9003)
    data = await asyncio.wait_for(reader.read(-1), 30)
    writer.close()
    return 0 if len(data) == 2_000_000 else f"{len(data)} bytes"


async def upload(address, length):
    reader, writer = await asyncio.open_connection(address, 9004)
    writer.write(b"u" * int(length))
    await asyncio.wait_for(writer.drain(), 30)
    writer.write_eof()
    answer = await asyncio.wait_for(reader.readline(), 30)
    return 0 if answer.strip() == length.encode() else answer


async def websocket(address, port):
    """An MQTT CONNECT in a WebSocket frame; the broker answers CONNACK in another."""
    reader, writer = await asyncio.open_connection(address, int(port))
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(f"GET /mqtt HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n"
                 f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Protocol: mqtt\r\n\r\n".encode())
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    if b" 101 " not in head.splitlines()[0]:
        return head
    connect = bytes([0x10, 15, 0, 4]) + b"MQTT" + bytes([4, 2, 0, 60, 0, 3]) + b"abc"
    mask = os.urandom(4)
    writer.write(bytes([0x82, 0x80 | len(connect)]) + mask +
                 bytes(byte ^ mask[i % 4] for i, byte in enumerate(connect)))
    answer = await asyncio.wait_for(reader.readexactly(6), 10)
    writer.close()
    return 0 if answer == bytes([0x82, 4, 0x20, 2, 0, 0]) else answer


print(asyncio.run({"open": opened, "stream": streamed, "idle": idle, "download": download,
                   "upload": upload, "websocket": websocket}[sys.argv[1]](*sys.argv[2:])))
