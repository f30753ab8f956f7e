"""What Graph clients do when a service misbehaves: a table, made by running each of them against the same faults.

run.py [--write] FILE NAME=COMMAND ...: each command is started with the root of the service and the name of a case, and prints one line
of JSON: `items` (how many it read) and `error` (null or a text). A name that ends with `+tls` gets the root with TLS. The environment has
SIDE_BY_SIDE_CA, the certificate of the service. The table in FILE is what the clients did: `--write` replaces it. Without that, it exits with 1
when a column that was run differs from the one in FILE, or when the first client fails a case that it must pass.
"""

import json
import os
import re
import shlex
import ssl
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CASES = {
    "throttled": "429 on page 2",
    "foreign": "link to a foreign host",
    "consistency": "`ConsistencyLevel` on page 2",
    "empty": "empty middle page",
    "post": "500 on POST",
    "expired": "token expires mid-list",
    "error": "error inside a 200",
}
ITEMS = 6


class Service:
    """One case, with what was requested."""

    def __init__(self, case):
        self.case = case
        self.lock = threading.Lock()
        self.seen = []
        self.foreign = []
        self.token = 1

    def users(self, handler, page):
        case = self.case
        with self.lock:
            self.seen.append((handler.command, page))
            tries = self.seen.count((handler.command, page))
        if handler.command == "POST":
            return 500, {}, error("InternalServerError")
        if case == "throttled" and page == 2 and tries == 1:
            return 429, {"Retry-After": "1"}, error("TooManyRequests")
        if case == "consistency" and handler.headers.get("ConsistencyLevel") != "eventual":
            return 400, {}, error("Request_UnsupportedQuery")
        if case == "expired" and page == 2 and handler.headers.get("Authorization") != "Bearer token-2":
            self.token = 2
            challenge = 'Bearer realm="", error="invalid_token"'
            return 401, {"WWW-Authenticate": challenge}, error("InvalidAuthenticationToken")
        if case == "error" and page == 2:
            return 200, {}, error("InternalServerError")
        count = 0 if case == "empty" and page == 2 else 3
        first = {1: 0, 2: 3, 3: 3}[page]
        rows = [{"id": str(first + number), "displayName": f"User {first + number}"} for number in range(count)]
        body = {"value": rows}
        if page == 1 or case == "empty" and page == 2:
            root = handler.root
            if case == "foreign" and page == 1:
                root = handler.foreign
            body["@odata.nextLink"] = f"{root}/v1.0/users?$skiptoken={page + 1}"
        return 200, {}, body


def error(code):
    return {"error": {"code": code, "message": "side by side"}}


def handler(service, scheme, foreign):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self):
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            self.root = f"{scheme}://{self.headers['Host']}"
            self.foreign = foreign() if callable(foreign) else None
            path = urlsplit(self.path)
            if foreign is None:
                service.foreign.append(self.headers.get("Authorization"))
                status, headers, body = 200, {}, {"value": [{"id": "foreign"}]}
            elif path.path == "/token":
                status, headers, body = 200, {}, {"token": f"token-{service.token}"}
            else:
                page = int(parse_qs(path.query).get("$skiptoken", ["1"])[0])
                status, headers, body = service.users(self, page)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = respond

        def log_message(self, *_):
            pass

    return Handler


def serve(handler_class, context=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_class)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def judge(case, service, result):
    """A cell of the table, and whether it is what a caller can rely on."""
    items, failed = result.get("items", 0), result.get("error")
    says = f"error: {plain(failed)}" if failed else f"{items} of {ITEMS} items"
    complete = failed is None and items == ITEMS
    if case == "foreign":
        if service.foreign:
            leaked = "with the token" if any(service.foreign) else "without the token"
            return f"followed {leaked}", False
        return (says if failed else "not followed, no error: list cut"), bool(failed)
    if case == "post":
        sent = sum(method == "POST" for method, _ in service.seen)
        return f"sent {sent}×, {'error' if failed else 'no error'}", sent == 1 and bool(failed)
    if case == "error":
        return (says if failed else f"no error: {items} items"), bool(failed)
    return says if complete or failed else f"no error: {says}", complete


def plain(text):
    """The first line of an error, without what differs from run to run."""
    line = re.sub(r"https?://[\w.]+:\d+", "…", text.splitlines()[0])
    line = re.sub(r"127\.0\.0\.1:\d+|localhost:\d+", "…", line)
    line = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,}", "…", line)
    return line if len(line) <= 60 else line[:60] + "…"


def run(command, root, case, ca):
    environment = {**os.environ, "SIDE_BY_SIDE_CA": ca, "NODE_EXTRA_CA_CERTS": ca}
    try:
        done = subprocess.run(
            [*shlex.split(command), root, case], capture_output=True, text=True, timeout=90, env=environment
        )
    except subprocess.TimeoutExpired:
        return {"items": 0, "error": "no end within 90 s"}
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        lines = done.stderr.strip().splitlines() or ["no output"]
        return {"items": 0, "error": lines[-1]}


def main():
    arguments = sys.argv[1:]
    write = arguments[0] == "--write"
    file, *commands = arguments[1:] if write else arguments
    clients = dict(command.split("=", 1) for command in commands)
    table, failures = {}, []
    with tempfile.TemporaryDirectory() as folder:
        ca, key = f"{folder}/ca.pem", f"{folder}/key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", ca, "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
            check=True, capture_output=True,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(ca, key)
        for case in CASES:
            for name, command in clients.items():
                service = Service(case)
                tls = name.endswith("+tls")
                scheme, layer = ("https", context) if tls else ("http", None)
                other = serve(handler(service, scheme, None), layer)
                away = f"{scheme}://localhost:{other.server_port}"
                graph = serve(handler(service, scheme, lambda: away), layer)
                root = f"{scheme}://127.0.0.1:{graph.server_port}"
                cell, passed = judge(case, service, run(command, root, case, ca))
                table[name, case] = f"{'✔' if passed else '✘'} {cell}"
                if not passed and name == next(iter(clients)):
                    failures.append(f"{name}: {CASES[case]}: {cell}")
                for server in (graph, other):
                    server.shutdown()
                    server.server_close()
    names = [name.removesuffix("+tls") for name in clients]
    lines = [["case", *names]]
    lines += [[title, *(table[name, case].replace("|", "/") for name in clients)] for case, title in CASES.items()]
    text = "".join("| " + " | ".join(line) + " |\n" for line in [lines[0], ["---"] * len(lines[0]), *lines[1:]])
    print(text, end="")
    document = open(file).read()
    start = document.index("| case |")
    committed = [line.strip("| ").split(" | ") for line in document[start:].splitlines() if line.startswith("|")]
    if write:
        open(file, "w").write(document[:start] + text)
    else:
        for name in names:
            for line, known in zip(lines, [committed[0], *committed[2:]], strict=True):
                cell = line[lines[0].index(name)]
                if name not in committed[0] or known[committed[0].index(name)] != cell:
                    failures.append(f"{file} has another table: {name}: {line[0]}: {cell}")
    if failures:
        sys.exit("\n".join(failures))


main()
