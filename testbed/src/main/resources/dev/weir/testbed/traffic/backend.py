# SPDX-License-Identifier: Apache-2.0
"""A backend of the testbed: a real HTTP server and a UDP echo server that say who they are.

usage: backend.py NAME HTTP_PORT[,HTTP_PORT…] UDP_PORT[,UDP_PORT…]

  GET /                    the backend's name
  GET /client              the client's address and port as the backend sees them
  GET /bytes?n=N           N bytes
  GET /slow?seconds=N&every_ms=M   a line every M (100) ms for N seconds
UDP answers each datagram with its name, a blank and the datagram. Both serve IPv4 and IPv6, on every address of the
host, and answer from the address that was asked: under dsr and tunnel that is a VIP.
"""

import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

NAME = sys.argv[1]
CHUNK = b"x" * 65536
# struct in6_pktinfo
PKTINFO = struct.Struct("=16sI")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One write per answer instead of one per header line.
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 600

    def do_GET(self):
        url = urlparse(self.path)
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        try:
            if url.path == "/slow":
                self.slow(float(query.get("seconds", "1")), int(query.get("every_ms", "100")) / 1000)
            elif url.path == "/bytes":
                self.many(int(query.get("n", "0")))
            elif url.path == "/client":
                self.text("%s:%d\n" % (self.client_address[0].removeprefix("::ffff:"), self.client_address[1]))
            else:
                self.text(NAME + "\n")
        except ValueError:
            self.send_error(400)
        except OSError:
            self.close_connection = True

    def head(self, length):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("X-Backend", NAME)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def text(self, body):
        data = body.encode()
        self.head(len(data))
        self.wfile.write(data)
        self.wfile.flush()

    def many(self, count):
        self.head(count)
        while count > 0:
            part = CHUNK[: min(count, len(CHUNK))]
            self.wfile.write(part)
            count -= len(part)
        self.wfile.flush()

    def slow(self, seconds, every):
        self.head(None)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            line = (NAME + "\n").encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.wfile.flush()
            time.sleep(every)
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def log_message(self, format, *args):
        pass


class Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True
    request_queue_size = 1024

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def handle_error(self, request, client_address):
        # A client that left: one line instead of a stack trace.
        print("%s:%d: %r" % (*client_address[:2], sys.exc_info()[1]), flush=True)


def echo(port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    sock.bind(("::", port))
    prefix = NAME.encode() + b" "
    while True:
        data, asked, _, client = sock.recvmsg(65536, socket.CMSG_SPACE(PKTINFO.size))
        # The address only: the way out is the routing table's to find.
        source = [(level, kind, PKTINFO.pack(PKTINFO.unpack(value)[0], 0)) for level, kind, value in asked]
        try:
            sock.sendmsg([prefix + data], source, 0, client)
        except OSError as error:
            print("udp answer to %s:%d failed: %s" % (*client[:2], error), flush=True)


def main():
    http_ports = [int(port) for port in sys.argv[2].split(",")]
    udp_ports = [int(port) for port in sys.argv[3].split(",")]
    for port in udp_ports:
        threading.Thread(target=echo, args=(port,), daemon=True).start()
    servers = [Server(("::", port), Handler) for port in http_ports]
    print("%s serves http on %s and udp on %s" % (NAME, http_ports, udp_ports), flush=True)
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[0].serve_forever()


main()
