# SPDX-License-Identifier: Apache-2.0
"""HTTP servers on port 8080 and UDP echo servers on port 7000, one pair per address given.

GET / answers the server's own address; GET /slow?seconds=N sends a line each 100 ms for N seconds.
A datagram comes back with the server's address in front.
"""

import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.server.server_address[0]
        url = urlparse(self.path)
        if url.path == "/slow":
            seconds = float(parse_qs(url.query).get("seconds", ["1"])[0])
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                self.wfile.write(f"{name}\n".encode())
                self.wfile.flush()
                time.sleep(0.1)
            self.wfile.write(b"end\n")
            self.close_connection = True
            return
        body = f"{name} saw {self.client_address[0]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def server_bind(self):
        # HTTPServer's own would look the address up by DNS, which nobody answers here.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)


def echo(address):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 7000))
    while True:
        data, peer = server.recvfrom(2048)
        server.sendto(address.encode() + b" " + data, peer)


def main():
    threads = []
    for address in sys.argv[1:]:
        http = Server((address, 8080), Handler)
        threads.append(threading.Thread(target=http.serve_forever))
        threads.append(threading.Thread(target=echo, args=(address,)))
    for thread in threads:
        thread.start()


main()
