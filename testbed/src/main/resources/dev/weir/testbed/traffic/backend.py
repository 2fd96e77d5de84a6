# SPDX-License-Identifier: Apache-2.0
"""A backend of the testbed: a real HTTP server and a UDP echo server that say who they are.

usage: backend.py NAME HTTP_PORT[,HTTP_PORT…] UDP_PORT[,UDP_PORT…]

  GET /                    the backend's name
  GET /client              the client's address and port as the backend sees them
  GET /bytes?n=N           N bytes
  GET /slow?seconds=N&every_ms=M   a line every M (100) ms for N seconds
UDP answers each datagram with its name, a blank and the datagram.
"""

import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

NAME = sys.argv[1]
CHUNK = b"x" * 65536


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
                self.text("%s:%d\n" % self.client_address)
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
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        # A client that left: one line instead of a stack trace.
        print("%s:%d: %r" % (*client_address, sys.exc_info()[1]), flush=True)


def echo(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("0.0.0.0", port))
    prefix = NAME.encode() + b" "
    while True:
        data, client = sock.recvfrom(65536)
        try:
            sock.sendto(prefix + data, client)
        except OSError as error:
            print("udp answer to %s:%d failed: %s" % (*client, error), flush=True)


def main():
    http_ports = [int(port) for port in sys.argv[2].split(",")]
    udp_ports = [int(port) for port in sys.argv[3].split(",")]
    for port in udp_ports:
        threading.Thread(target=echo, args=(port,), daemon=True).start()
    servers = [Server(("0.0.0.0", port), Handler) for port in http_ports]
    print("%s serves http on %s and udp on %s" % (NAME, http_ports, udp_ports), flush=True)
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[0].serve_forever()


main()
