"""Python's threaded server: http.server.ThreadingHTTPServer, a thread for each connection.

usage: threading_server.py PORT
  0: any free port. The port is printed; SIGTERM ends it.
"""

import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import site_answers as site

DATE = site.Date()


class Handler(BaseHTTPRequestHandler):
    # Connections stay open: by default http.server speaks HTTP/1.0.
    protocol_version = "HTTP/1.1"
    # Head and body leave in one write, and are not kept back by Nagle's algorithm.
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.turn = self.client_address[1]

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/plaintext":
            return self.answer(site.PLAINTEXT)
        if url.path == "/bytes" and url.query == "n=65536":
            return self.answer(site.LINES)
        if url.path == "/mix":
            site.of_mix(self.turn)(1)
            self.turn += 1
            return self.answer(site.PLAINTEXT)
        work = {"/block": site.block, "/burn": site.burn}.get(url.path)
        milliseconds = site.milliseconds(url.query)
        if work is None or milliseconds is None:
            return self.send_error(404)
        work(milliseconds)
        self.answer(site.PLAINTEXT)

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp=None):
        return DATE.now()

    # By default each request is a line on standard error.
    def log_message(self, format, *arguments):
        pass


class Server(ThreadingHTTPServer):
    # The default of 5 would turn a burst of connections away.
    request_queue_size = 4096
    # What still serves when SIGTERM comes ends with the process.
    daemon_threads = True


def main():
    if len(sys.argv) != 2 or not sys.argv[1].isdecimal():
        sys.exit(__doc__)
    server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


main()
