"""Connections that keep a server waiting, on real sockets: each is ended in time, and thousands of them keep nobody out."""

import contextlib
import http.client
import io
import json
import re
import select
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from holdgood.serving import connections as connections_module
from holdgood.serving import tokens
from holdgood.serving.connections import Connections, room_for
from holdgood.serving.logs import Log
from holdgood.serving.metrics import Metrics

SCRIPT = """
import sys
from pathlib import Path
from holdgood.serving import server
from holdgood.serving.limits import Limits
bundle, tokens, seconds, connections, by = sys.argv[1:]
if by == "h11":
    real = server.find_spec
    server.find_spec = lambda name: None if name in ("httptools", "uvloop") else real(name)
limits = Limits(seconds=float(seconds), connections=int(connections), strangers=0)
server.serve(server.Settings(what=(bundle,), port=0, tokens=Path(tokens), limits=limits), announce=lambda at: print(at, flush=True))
"""
FOREVER = 120.0
"""Seconds after which a test gives up; nothing here is measured by a clock."""


class Quick:
    """A server process with limits of a test's own."""

    def __init__(self, at, bundle, seconds, connections, by):
        self.secret, _ = tokens.new(at / "tokens.json", roles=["admin"], name="ann")
        self.log = (at / "log.jsonl").open("w+")
        command = [
            sys.executable,
            "-c",
            SCRIPT,
            str(bundle),
            str(at / "tokens.json"),
            str(seconds),
            str(connections),
            by,
        ]
        self.process = subprocess.Popen(command, cwd=at, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.port = int(re.search(r":(\d+)$", self.process.stdout.readline().strip())[1])
        while self.ask("GET", "/healthz").status != 200:
            pass

    def open(self, sent=b"", **options):
        """A socket, with something sent."""
        made = socket.socket()
        for name, value in options.items():
            made.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        made.settimeout(FOREVER)
        made.connect(("127.0.0.1", self.port))
        made.sendall(sent)
        return made

    def ask(self, method, path, body=None):
        """On a connection of its own."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=FOREVER)
        with contextlib.closing(line):
            line.request(
                method, path, body, {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"}
            )
            reply = line.getresponse()
            reply.text = reply.read().decode()
            return reply

    def metric(self, name):
        """What /metrics says, 0 where it says nothing."""
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.ask("GET", "/metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def head(self, more=""):
        return f"POST /predict HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.secret}\r\n{more}"


@pytest.fixture(scope="module")
def quick(bundles, tmp_path_factory):
    """Starts a server with some limits once; it is the same for all tests that ask for these."""
    begun = {}

    def of(seconds=1.0, connections=1_000, by="httptools"):
        asked = (seconds, connections, by)
        if asked not in begun:
            begun[asked] = Quick(tmp_path_factory.mktemp("quick"), bundles(), *asked)
        return begun[asked]

    yield of
    for one in begun.values():
        one.process.send_signal(signal.SIGKILL)
        one.process.wait()
        one.log.close()


def answer(line):
    """One whole reply."""
    came = b""
    while b"\r\n\r\n" not in came or len(came.partition(b"\r\n\r\n")[2]) < int(
        re.search(rb"content-length: (\d+)", came)[1]
    ):
        piece = line.recv(65_536)
        assert piece, came
        came += piece
    return came


def ended(line):
    """Read until the server has ended it; what came."""
    came = b""
    with contextlib.suppress(ConnectionError):
        while piece := line.recv(65_536):
            came += piece
    return came


def dripping(line, drop, until=FOREVER):
    """Send a drop now and then until the server has ended it; what came."""
    came, ends = b"", time.monotonic() + until
    line.setblocking(False)
    while time.monotonic() < ends:
        with contextlib.suppress(BlockingIOError):
            try:
                line.send(drop)
            except ConnectionError:
                return came
        if select.select([line], [], [], 0.05)[0]:
            try:
                piece = line.recv(65_536)
            except ConnectionError:
                return came
            if not piece:
                return came
            came += piece
    pytest.fail("it was kept for ever")


@pytest.mark.parametrize("by", ["httptools", "h11"])
def test_a_caller_that_keeps_the_server_waiting_is_ended(quick, by):
    server = quick(by=by)
    before = server.metric('holdgood_connections_ended_total{why="late"}')
    asked = server.open(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b" 200 " in answer(asked)
    asked.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    slow = server.head("Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{").encode()
    waits = [
        (ended, server.open()),
        (ended, server.open(b"GET /healthz HTTP/1.1\r\nHost: local")),
        (dripping, server.open(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "), b"a"),
        (dripping, asked, b"a"),
        (dripping, server.open(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{"), b" "),
        (dripping, server.open(slow), b" "),
    ]
    with ThreadPoolExecutor(len(waits)) as at_once:
        silent, half, head, second, refused, body = [w.result() for w in [at_once.submit(*w) for w in waits]]
    assert (silent, half, head) == (b"", b"", b"")
    assert b"HTTP" not in second, "a second request that does not end either"
    assert b" 401 " in refused, "the rest of a body that nobody waits for"
    assert b" 408 " in body
    assert server.metric('holdgood_connections_ended_total{why="late"}') >= before + 5
    assert server.ask("GET", "/healthz").status == 200


def test_a_connection_that_is_used_is_kept(quick):
    server = quick()
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=FOREVER)
    line.connect()
    own, silent = line.sock, server.open()
    while not select.select([silent], [], [], 0.2)[0]:  # as long as it takes to end one that is not
        line.request("GET", "/healthz", headers={"Host": "localhost"})
        assert line.getresponse().read() and line.sock is own
    assert ended(silent) == b""


@pytest.mark.parametrize("by", ["httptools", "h11"])
def test_whoever_takes_no_answer_is_ended(quick, by):
    server = quick(by=by)
    before = server.metric('holdgood_connections_ended_total{why="unread"}')
    body = json.dumps(
        {"rows": [{}] * 10_000}
    ).encode()  # each is answered with all that it lacks: more than the kernel holds
    head = server.head(f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    line, poll = server.open((head + body) * 2, SO_RCVBUF=4_096), select.poll()
    poll.register(line, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    assert poll.poll(FOREVER * 1_000), "it was kept for ever"
    while server.metric('holdgood_connections_ended_total{why="unread"}') == before:  # told once a second
        pass


def test_idle_sockets_keep_nobody_out_and_are_ended_oldest_first(quick, job_rows):
    server = quick(seconds=FOREVER, connections=20)
    body = json.dumps({"row": job_rows[0]}).encode()
    working = server.open(
        server.head(f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body[:30]
    )
    used = server.open(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b" 200 " in answer(used)
    idle = [server.open() for _ in range(100)]
    assert server.ask("POST", "/predict", body).status == 200
    for line in idle[:80]:
        assert ended(line) == b""
    used.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b" 200 " in answer(used), "whoever has asked goes after those who never did"
    working.sendall(body[30:])
    assert b" 200 " in answer(working), "whoever is being answered stays"
    while not server.metric("holdgood_connections"):  # told once a second
        pass
    assert server.metric("holdgood_connections") <= 20
    while server.metric('holdgood_connections_ended_total{why="room"}') < 80:
        pass
    server.log.seek(0)
    assert any(json.loads(line)["event"] == "connections ended" for line in server.log)


def test_where_all_are_at_work_a_new_one_is_told_to_come_again(quick, job_rows):
    server = quick(seconds=FOREVER, connections=3)
    body = json.dumps({"row": job_rows[0]}).encode()
    head = server.head(f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    busy = [server.open(head + body[:9]) for _ in range(3)]
    while True:  # until the last of them is at work: before that it waits, and makes room
        told = ended(server.open())
        if told:
            break
        busy = [line for line in busy if not select.select([line], [], [], 0.1)[0]]
        busy += [server.open(head + body[:9]) for _ in range(3 - len(busy))]
    assert told.startswith(b"HTTP/1.1 503 ") and b"retry-after: 1" in told
    for line in busy:
        line.sendall(body[9:])
        assert b" 200 " in answer(line)
    assert server.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize("begin", ["GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ", "GET /"])
@pytest.mark.parametrize("by", ["httptools", "h11"])
def test_a_head_that_does_not_end_is_not_kept_in_memory(quick, begin, by):
    server = quick(seconds=FOREVER, by=by)
    told = dripping(server.open(begin.encode()), b"a" * 50_000)
    assert not told or told.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))
    assert server.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize("drop", [b"X-Trailer: " + b"a" * 30_000 + b"\r\n", b"a" * 30_000])
def test_trailers_of_a_refused_request_are_not_kept_in_memory(quick, drop):
    server = quick(seconds=FOREVER)
    before = server.metric('holdgood_connections_ended_total{why="head"}')
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    told = dripping(server.open(head + (b"" if drop.startswith(b"X") else b"X-Long: ")), drop)
    assert not told or told.startswith(b"HTTP/1.1 401 ")
    while server.metric('holdgood_connections_ended_total{why="head"}') == before:  # told once a second
        pass


def test_a_body_in_parts_of_one_byte_and_requests_in_one_piece_are_taken_but_not_without_end(quick, job_rows):
    server = quick(seconds=FOREVER)
    before = server.metric('holdgood_connections_ended_total{why="head"}')
    body = json.dumps({"row": job_rows[0]}).encode() + b" " * 60_000
    chunked = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    line = server.open(
        server.head("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n").encode() + chunked
    )
    assert b" 200 " in answer(line)
    line = server.open(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5_000)
    assert ended(line).count(b"HTTP/1.1 400 ") == 1, "so many that none is answered are not kept in memory"
    line = server.open(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
    came = b""
    while came.count(b'{"ok":true}') < 100:
        came += line.recv(65_536)
    assert server.metric('holdgood_connections_ended_total{why="head"}') == before


class Transport:
    """Of a connection that is none."""

    def __init__(self):
        self.left, self.aborted, self.closed, self.sent = 0, False, False, b""

    def get_write_buffer_size(self):
        return self.left

    def get_extra_info(self, _):
        return None

    def abort(self):
        self.aborted = True

    def close(self):
        self.closed = True

    def write(self, data):
        self.sent += data


class Cycle:
    """A request."""

    def __init__(self, done=True):
        self.response_complete = done


class Line:
    """A connection that is none. ``cycle``: its request."""

    def __init__(self, cycle=None):
        self.transport, self.cycle = Transport(), cycle


@pytest.fixture
def lines(monkeypatch):
    """Connections without a loop, by a clock that is set: ``lines(most)`` gives them and the clock."""

    class Loop:
        def call_later(self, seconds, what):
            return object()

    monkeypatch.setattr(connections_module.asyncio, "get_running_loop", Loop)

    def of(most=10, seconds=30.0):
        now, log = [0.0], io.StringIO()
        return Connections(most, seconds, Metrics(), Log(log), clock=lambda: now[0]), now, log

    return of


def test_a_slow_reader_of_a_large_answer_is_let_be_as_long_as_it_reads(lines):
    kept, now, log = lines()
    reads, stops, works = Line(Cycle()), Line(Cycle()), Line(Cycle(done=False))
    for line in (reads, stops, works):
        kept.opened(line)
        line.transport.left = 1_000 if line is not works else 0
    for _ in range(40):
        now[0] += 1.0
        reads.transport.left -= 10
        kept.look()
    assert (reads.transport.aborted, stops.transport.aborted, works.transport.aborted) == (False, True, False)
    assert json.loads(log.getvalue()) | {"time": 0} == {
        "time": 0, "level": "warning", "event": "connections ended", "open": 2, "unread": 1,
    }  # fmt: skip
    reads.transport.left = 0
    for _ in range(31):
        now[0] += 1.0
        kept.look()
    assert reads.transport.aborted and len(kept) == 1


def test_who_goes_first_where_there_is_no_room(lines):
    kept, now, _ = lines(most=5)
    never, idle, stuck, works, newest = Line(), Line(Cycle()), Line(Cycle(done=False)), Line(Cycle(done=False)), Line()
    for line in (works, stuck, idle, never):
        kept.opened(line)
        now[0] += 1.0
    stuck.transport.left = 10
    kept.look()
    kept.look()
    kept.opened(newest)
    gone = []
    for _ in range(4):
        kept.opened(Line(Cycle(done=False)))
        gone.append([line.transport.aborted for line in (never, newest, idle, stuck, works)].count(True))
        assert len(kept) == 5
    assert gone == [1, 2, 3, 4] and not works.transport.aborted
    last = Line()
    kept.opened(last)
    assert last.transport.closed and last.transport.sent.startswith(b"HTTP/1.1 503 ") and len(kept) == 5
    kept.closed(last)  # it had no place
    kept.closed(works)
    kept.opened(Line())
    assert len(kept) == 5 and not works.transport.aborted


def test_who_has_asked_since_the_last_look_goes_last(lines):
    kept, now, _ = lines(most=2)
    first, second = Line(Cycle()), Line(Cycle())
    kept.opened(first)
    now[0] += 1.0
    kept.opened(second)
    kept.look()
    first.cycle = Cycle()
    kept.opened(Line())
    assert (first.transport.aborted, second.transport.aborted) == (False, True)


@pytest.mark.parametrize(
    ("soft", "hard", "may", "room", "raised"),
    [
        (1_024, 500_000, True, 1_000, 3_304), (1_024, 1_024, True, 512, 1_024), (1_024, 500_000, False, 512, 1_024), (500_000, 500_000, True, 1_000, 500_000),
        (1_024, -1, True, 1_000, 3_304), (-1, -1, True, 1_000, -1), (2_048, 3_000, True, 1_000, 3_000), (64, 64, True, 32, 64),
    ],
)  # fmt: skip
def test_there_are_files_for_them(monkeypatch, soft, hard, may, room, raised):
    limit = [(soft, hard)]

    class Resource:
        RLIM_INFINITY, RLIMIT_NOFILE = -1, 7

        @staticmethod
        def getrlimit(_):
            return limit[0]

        @staticmethod
        def setrlimit(_, wanted):
            if not may:
                raise PermissionError
            limit[0] = wanted

    monkeypatch.setattr(connections_module, "resource", Resource)
    assert room_for(1_000) == room and limit[0] == (raised, hard)
