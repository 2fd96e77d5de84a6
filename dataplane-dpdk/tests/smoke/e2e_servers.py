# SPDX-License-Identifier: Apache-2.0
"""Servers that need to be many or slow, on every address given.

9000: takes a connection, says a line, and closes with the client.
9001: streams 100 lines, one each 60 ms.
9002: echoes after a pause as long as the client asks for, in seconds.
9003: sends 2 MB.
9004: reads until the client has finished sending, answers the number of bytes.
"""

import asyncio
import sys


async def greet(reader, writer):
    writer.write(b"hello\n")
    await reader.read()
    writer.close()


async def stream(reader, writer):
    for number in range(100):
        writer.write(b"%04d" % number + b"x" * 95 + b"\n")
        await asyncio.sleep(0.06)
    writer.close()


async def pause(reader, writer):
    while line := await reader.readline():
        await asyncio.sleep(float(line))
        writer.write(line)
    writer.close()


async def download(reader, writer):
    writer.write(b"d" * 2_000_000)
    await writer.drain()
    writer.close()


async def upload(reader, writer):
    length = 0
    while piece := await reader.read(65536):
        length += len(piece)
    writer.write(b"%d\n" % length)
    await writer.drain()
    writer.close()


async def main():
    handlers = {9000: greet, 9001: stream, 9002: pause, 9003: download, 9004: upload}
    for address in sys.argv[1:]:
        for port, handler in handlers.items():
            await asyncio.start_server(handler, address, port, backlog=4096)
    await asyncio.Event().wait()


asyncio.run(main())
