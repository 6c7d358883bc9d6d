#!/usr/bin/env python3
"""A registry for tests: serves an OCI image layout over /v2/, with faults on demand.

Prints its port on standard output when it listens, and writes one JSON line per request to --log:
{"path": …, "range": …, "authorization": …, "accept": …}, null for headers that are not there.
"""

import argparse
import base64
import http.server
import json
import pathlib
import socket
import threading


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("layout", type=pathlib.Path)
    parser.add_argument("--log", type=pathlib.Path, required=True)
    parser.add_argument("--auth", choices=["bearer", "basic"])
    parser.add_argument("--user", help="NAME:PASSWORD that Basic, or the token, is given for")
    parser.add_argument("--token-uses", type=int, help="requests that a token is good for")
    parser.add_argument("--then-good", action="store_true", help="only the first token is bounded")
    parser.add_argument("--cut", type=int, help="close the connection after so many bytes of a blob")
    parser.add_argument("--cut-times", type=int, default=1)
    parser.add_argument("--fail", type=int, help="HTTP status of the first answers")
    parser.add_argument("--fail-times", type=int, default=1)
    parser.add_argument("--retry-after", type=int)
    parser.add_argument("--ignore-range", action="store_true")
    parser.add_argument("--redirect", help="where blobs are: http://HOST:PORT")
    parser.add_argument("--wrong", action="store_true", help="other bytes, as many")
    parser.add_argument("--long", action="store_true", help="more bytes than the blob has")
    parser.add_argument("--stall", action="store_true", help="blobs stop after their first byte")
    return parser.parse_args()


class Registry(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, options):
        super().__init__(("127.0.0.1", 0), Handler)
        self.options = options
        self.lock = threading.Lock()
        self.log_file = options.log.open("a", encoding="utf-8")
        self.failures = options.fail_times if options.fail else 0
        self.cuts = options.cut_times if options.cut else 0
        self.tokens = {}
        index = json.loads((options.layout / "index.json").read_text())
        self.types = {}
        self.tags = {}
        self.learn(index)

    def learn(self, index):
        for entry in index["manifests"]:
            self.types[entry["digest"]] = entry["mediaType"]
            tag = entry.get("annotations", {}).get("org.opencontainers.image.ref.name")
            if tag:
                self.tags[tag] = entry["digest"]
            path = self.blob_path(entry["digest"])
            if path.exists():
                inner = json.loads(path.read_text())
                if "manifests" in inner:
                    self.learn(inner)

    def blob_path(self, digest):
        return self.options.layout / "blobs" / digest.replace(":", "/")

    def take(self, counter):
        with self.lock:
            left = getattr(self, counter)
            setattr(self, counter, max(0, left - 1))
            return left > 0

    def use_token(self, token):
        with self.lock:
            left = self.tokens.get(token, 0)
            if left > 0:
                self.tokens[token] = left - 1
            return left > 0

    def new_token(self):
        with self.lock:
            token = f"token{len(self.tokens)}"
            bounded = self.options.token_uses and not (self.tokens and self.options.then_good)
            self.tokens[token] = self.options.token_uses if bounded else 1_000_000
            return token

    def record(self, entry):
        with self.lock:
            self.log_file.write(json.dumps(entry) + "\n")
            self.log_file.flush()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def error(self, status, code, message, **headers):
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self.answer(status, body, **headers)

    def expected_basic(self):
        return "Basic " + base64.b64encode(self.server.options.user.encode()).decode()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.record({"path": self.path, "form": body})
        if "refresh_token=refresh" not in body:
            return self.error(401, "UNAUTHORIZED", "no such token")
        self.answer(200, json.dumps({"access_token": self.server.new_token()}).encode())

    def do_GET(self):
        server = self.server
        authorization = self.headers.get("Authorization")
        server.record({"path": self.path, "range": self.headers.get("Range"),
                       "authorization": authorization, "accept": self.headers.get("Accept")})
        if self.path.startswith("/token?"):
            if server.options.user and authorization != self.expected_basic():
                return self.error(401, "UNAUTHORIZED", "wrong name or password")
            return self.answer(200, json.dumps({"token": server.new_token()}).encode())
        if not self.is_authorized(authorization):
            return None
        if server.take("failures"):
            headers = {}
            if server.options.retry_after is not None:
                headers["Retry_After"] = server.options.retry_after
            return self.error(server.options.fail, "TOOMANYREQUESTS", "slow down", **headers)
        kind, name = self.path.rsplit("/", 2)[1:]
        return self.manifest(name) if kind == "manifests" else self.blob(name)

    def is_authorized(self, authorization):
        server = self.server
        if server.options.auth == "basic" and authorization != self.expected_basic():
            self.error(401, "UNAUTHORIZED", "log in", WWW_Authenticate='Basic realm="test"')
            return False
        if server.options.auth == "bearer":
            token = (authorization or "").removeprefix("Bearer ")
            if not server.use_token(token):
                port = server.server_address[1]
                self.error(401, "UNAUTHORIZED", "get a token", WWW_Authenticate=(
                    f'Bearer realm="http://127.0.0.1:{port}/token",service="test",'
                    'scope="repository:org/img:pull"'))
                return False
        return True

    def manifest(self, name):
        digest = self.server.tags.get(name, name)
        path = self.server.blob_path(digest)
        if digest not in self.server.types or not path.exists():
            return self.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        return self.answer(200, path.read_bytes(), Content_Type=self.server.types[digest],
                           Docker_Content_Digest=digest)

    def blob(self, name):
        options = self.server.options
        if options.redirect:
            return self.answer(307, Location=options.redirect + self.path)
        path = self.server.blob_path(name)
        if not path.exists():
            return self.error(404, "BLOB_UNKNOWN", "blob unknown")
        content = path.read_bytes()
        if options.wrong:
            content = bytes(byte ^ 1 for byte in content)
        if options.long:
            content += b"more"
        start = 0
        wanted = self.headers.get("Range")
        if wanted and not options.ignore_range:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            if start >= len(content):
                return self.error(416, "RANGE", "not satisfiable")
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        content = content[start:]
        if options.stall and len(content) > 1000:
            self.wfile.write(content[:1])
            self.wfile.flush()
            self.connection.recv(1)  # until the client gives up
        elif options.cut and len(content) > options.cut and self.server.take("cuts"):
            self.wfile.write(content[:options.cut])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.wfile.write(content)
            return
        self.close_connection = True


def main():
    server = Registry(arguments())
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
