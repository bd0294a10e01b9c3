"""Real servers that take what is sent: HTTP, SMTP with STARTTLS and a password, Alertmanager."""

import base64
import contextlib
import json
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Http:
    """Answers with the codes given, the last one for ever; keeps what came."""

    def __init__(self, *codes):
        self.codes, self.got, self.arrived = list(codes) or [200], [], threading.Event()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.got.append((self.path, dict(self.headers), body))
                code = sink.codes.pop(0) if len(sink.codes) > 1 else sink.codes[0]
                self.send_response(code)
                if code in (301, 302, 307):
                    self.send_header("Location", f"http://127.0.0.1:{sink.port}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()
                sink.arrived.set()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"


class Smtp:
    """As much of RFC 5321 as a client needs; ``mails`` holds what was taken, ``words`` every line heard in the clear."""

    def __init__(self, certificate=None, user="", password=""):
        self.mails, self.clear = [], []
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, line):
                self.wfile.write(line.encode() + b"\r\n")
                self.wfile.flush()

            def handle(self):
                self.say("220 sink")
                safe, known = False, not user
                while line := self.rfile.readline():
                    text = line.decode().strip()
                    verb = text.split(" ")[0].upper()
                    if not safe:
                        sink.clear.append(text)
                    if verb == "EHLO":
                        offers = ["250-sink"] + (["250-STARTTLS"] if certificate and not safe else [])
                        for offer in offers:
                            self.say(offer)
                        self.say("250 AUTH PLAIN")
                    elif verb == "STARTTLS" and certificate:
                        self.say("220 go")
                        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                        context.load_cert_chain(*certificate)
                        self.request = context.wrap_socket(self.request, server_side=True)
                        self.rfile, self.wfile, safe = self.request.makefile("rb"), self.request.makefile("wb"), True
                    elif verb == "AUTH":
                        _, name, given = base64.b64decode(text.split(" ")[2]).decode().split("\0")
                        known = (name, given) == (user, password)
                        self.say("235 ok" if known else "535 wrong password")
                    elif verb == "MAIL" and not known:
                        self.say("530 sign in first")
                    elif verb == "DATA":
                        self.say("354 go")
                        body = b""
                        while (part := self.rfile.readline()) != b".\r\n":
                            body += part
                        sink.mails.append(body.decode())
                        self.say("250 taken")
                    elif verb == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a client that hangs up is what some tests are about
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@contextlib.contextmanager
def alertmanager(folder, hook):
    """A real Alertmanager that passes everything on to ``hook``; its address."""
    binary = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if binary is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs prometheus-alertmanager")
        pytest.skip("no Alertmanager here: apt-get install prometheus-alertmanager")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    route = {"receiver": "all", "group_by": ["holdgood_id"], "group_wait": "0s", "group_interval": "1s"}
    hooks = [{"url": hook, "send_resolved": True}]
    settings = {"route": route, "receivers": [{"name": "all", "webhook_configs": hooks}]}
    (folder / "alertmanager.yml").write_text(json.dumps(settings))  # JSON is YAML
    command = [
        binary, f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(400):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(url + "/-/ready", timeout=1).close()
                    break
                time.sleep(0.05)
            yield url
        finally:
            process.terminate()


def certificate(folder):
    """A key and a certificate of 127.0.0.1 that signs itself: files (certificate, key)."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return str(cert), str(key)
