#!/usr/bin/env python3
"""A web server for tests: serves the files of a directory, with ranges and faults on demand.

Prints its port on standard output when it listens, and writes one JSON line per request to --log:
{"path": …, "range": …, "if_range": …, "if_none_match": …, "if_modified_since": …, "status": …}.
"""

import argparse
import email.utils
import hashlib
import http.server
import json
import pathlib
import random
import socket
import threading


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--log", type=pathlib.Path, required=True)
    parser.add_argument("--cuts", type=int, default=0, help="answers that end after a random byte")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-range", action="store_true", help="sends all, whatever is asked for")
    parser.add_argument("--no-etag", action="store_true")
    parser.add_argument("--no-length", action="store_true", help="the end of the connection is the end")
    parser.add_argument("--stall", action="store_true", help="stops after a byte until the client goes")
    return parser.parse_args()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, options):
        super().__init__(("127.0.0.1", 0), Handler)
        self.options = options
        self.lock = threading.Lock()
        self.log_file = options.log.open("a", encoding="utf-8")
        self.cuts = options.cuts
        self.random = random.Random(options.seed)

    def cut_after(self, length):
        """None, or how many bytes of the answer are sent."""
        with self.lock:
            if self.cuts == 0:
                return None
            self.cuts -= 1
            return self.random.randrange(1, max(2, length // 4))

    def record(self, entry):
        with self.lock:
            self.log_file.write(json.dumps(entry) + "\n")
            self.log_file.flush()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def do_GET(self):
        options = self.server.options
        path = options.directory / self.path.lstrip("/")
        if not path.is_file():
            return self.end(404, b"no such file", {})
        content = path.read_bytes()
        headers = {"Last-Modified": email.utils.formatdate(path.stat().st_mtime, usegmt=True)}
        if not options.no_etag:
            headers["ETag"] = '"%s"' % hashlib.sha256(content).hexdigest()[:16]
        asked = self.headers.get("If-None-Match")
        since = self.headers.get("If-Modified-Since")
        if (asked and asked == headers.get("ETag")) or (since and since == headers["Last-Modified"]):
            return self.end(304, b"", headers)
        wanted = self.headers.get("Range")
        condition = self.headers.get("If-Range")
        if options.no_range or condition not in (None, headers.get("ETag"), headers["Last-Modified"]):
            wanted = None
        if not wanted:
            return self.end(200, content, headers)
        start = int(wanted.removeprefix("bytes=").split("-")[0])
        if start >= len(content):
            return self.end(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return self.end(206, content[start:], headers)

    def end(self, status, body, headers):
        get = self.headers.get
        self.server.record({"path": self.path, "range": get("Range"), "if_range": get("If-Range"),
                            "if_none_match": get("If-None-Match"),
                            "if_modified_since": get("If-Modified-Since"), "status": status})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.server.options.no_length:
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.options.stall and len(body) > 1000:
            self.wfile.write(body[:1])
            self.wfile.flush()
            self.connection.recv(1)
            self.close_connection = True
            return
        cut = self.server.cut_after(len(body)) if status in (200, 206) else None
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True


def main():
    server = Server(arguments())
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
