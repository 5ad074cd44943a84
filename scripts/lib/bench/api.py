#!/usr/bin/env python3
"""A Targets API that serves one list from a file, in a process of its own so that the list costs the daemon no memory.

    api.py PORT LIST LOG      LIST is the whole answer's body; LOG gets a line "BEGIN END" (CLOCK_BOOTTIME, ns) for each fetch
"""

import http.server
import os
import sys
import time


def handler(path, log):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            began = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(size))
                self.end_headers()
                self.wfile.flush()
                self.connection.sendfile(file)
            with open(log, "a") as file:
                file.write(f"{began} {time.clock_gettime_ns(time.CLOCK_BOOTTIME)}\n")

        def log_message(self, *_):
            pass

    return Handler


if __name__ == "__main__":
    port, path, log = sys.argv[1:4]
    http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), handler(path, log)).serve_forever()
