"""Strangers: forged tokens, wrong hosts, bodies of every kind. Nothing but clear refusals, and the server goes on."""

import json
import socket
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdgood.core.records import AnswerOverride, Prediction
from holdgood.journal import outcomes

PATHS = ("/models/jobs/predict", "/models/amounts/predict", "/models/jobs/explain", "/models/jobs/feedback")


@pytest.mark.parametrize(
    "path", ["/models/jobs/predict", "/models", "/openapi.json", "/metrics", "/admin/reload", "/models/jobs/feedback"]
)
def test_no_token_a_forged_one_or_one_without_the_role(server, path):
    method = "GET" if path in ("/models", "/openapi.json", "/metrics") else "POST"
    forged = server.secret["admin"][:-1] + ("A" if server.secret["admin"][-1] != "A" else "B")
    for token in (None, forged, "hg_", "x" * 5000, "hg_000000000000_" + "A" * 43):
        reply = server.ask(method, path, {} if method == "POST" else None, token=token)
        assert reply.status == 401 and reply.headers["WWW-Authenticate"] == "Bearer"
    if path in ("/metrics", "/admin/reload", "/models/jobs/feedback"):
        assert server.ask(method, path, {} if method == "POST" else None, token=server.secret["predict"]).status == 403


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "[::2]", "127.0.0.1.nip.io:80"])
def test_a_foreign_host_is_refused(server, host):
    assert server.ask("GET", "/healthz", headers={"Host": host}).status in (400, 421)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 422), (b"null", 422), (b'"row"', 422), (b"{}", 422), (b'{"row": 1}', 422), (b'{"row": [1]}', 422),
        (b'{"rows": []}', 422), (b'{"rows": {}}', 422), (b'{"row": {}, "rows": []}', 422), (b'{"row": {"parts": NaN}}', 400),
        (b'{"row": {"parts": Infinity}}', 400), (b'{"row": {"parts": 1e999}}', 400), (b'{"row": {"a": "\\ud800"}}', 400), (b'{"row": {"a": "\xff"}}', 400),
        (b"[" * 900 + b"]" * 900, 400), (b'{"row": {"a": ' + b"[" * 20 + b"]" * 20 + b"}}", 400), (b"{" * 100_000, 400),
        (b'{"row": {}, "id": ""}', 422), (b'{"row": {}, "id": "a\\nb"}', 422), (b'{"row": {}, "id": 7}', 422), (b'{"row": {}, "ids": ["a"]}', 422),
        (b'{"rows": [{}, {}], "ids": ["a", "a"]}', 422), (b'{"rows": [{}], "ids": ["a", "b"]}', 422), (b'{"row": {}, "event_time": "soon"}', 422),
        (b'{"row": {}, "related": {"weather": [{"a": 1}]}}', 422), (b'{"row": {}, "related": []}', 422), (b'{"size": 3}', 422),
        (b'{"rows": [' + b"{}," * 600 + b"{}]}", 413), (b'{"row": {"a": "' + b"x" * 400_000 + b'"}}', 413),
        (b'{"row": {' + b",".join(b'"c%d": 1' % i for i in range(2_500)) + b"}}", 422),
    ],
)  # fmt: skip
def test_bodies_that_are_no_request(server, raw, status):
    code, told = server.json("POST", "/models/jobs/predict", raw=raw)
    assert code == status and told["error"] and told["request_id"]


def test_other_methods_and_content_types(server):
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        reply = server.ask(method, "/models/jobs/predict")
        assert reply.status == 405 and reply.headers["Allow"] == "POST"
    for kind in ("text/plain", "application/xml", "multipart/form-data", ""):
        assert server.ask("POST", "/models/jobs/predict", raw=b"{}", headers={"Content-Type": kind}).status == 415


@pytest.mark.parametrize(("route", "arrow"), [("predict", True), ("feedback", False), ("explain", False)])
def test_another_content_type_is_told_those_that_the_route_takes(server, route, arrow):
    wrong = {"Content-Type": "application/vnd.apache.arrow.file"}
    code, told = server.json("POST", f"/models/jobs/{route}", raw=b"{}", headers=wrong)
    assert code == 415 and "application/json" in told["expected"] and "application/json" in told["do"]
    for part in ("expected", "do"):
        assert ("application/vnd.apache.arrow.stream" in told[part]) is arrow


def test_a_body_without_end_and_bytes_that_are_no_http(server):
    for sent in (
        b"\x16\x03\x01\x00\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /models/jobs/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
            raw.sendall(sent)
            raw.shutdown(socket.SHUT_WR)
            assert b" 200 " not in raw.recv(1000)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
        head = f"POST /models/jobs/predict HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\nTransfer-Encoding: chunked\r\n\r\n"
        raw.sendall(head.encode() + (b"fa0\r\n" + b"[" * 4000 + b"\r\n") * 90)
        assert b" 413 " in raw.recv(1000)
    assert server.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize("name", ["Host", "Authorization", "Idempotency-Key"])
def test_a_header_that_a_proxy_may_read_otherwise_is_not_believed(server, name):
    told = {"Host": "localhost", "Authorization": f"Bearer {server.token}", "Idempotency-Key": "k"}
    head = "".join(f"{k}: {v}\r\n" for k, v in ((name, "evil"), *told.items()))
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
        raw.sendall(f"GET /models HTTP/1.1\r\n{head}\r\n".encode())
        assert raw.recv(1000).startswith(b"HTTP/1.1 400 ")


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20),
              st.sampled_from(["'; DROP TABLE entries; --", "${jndi:ldap://x}", "../../etc/passwd", "\x00", "<script>", "%n%n", "=cmd|' /C calc'!A0"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)), max_leaves=8,
)  # fmt: skip
NAMES = st.sampled_from(
    ["row", "rows", "id", "ids", "subject", "event_time", "related", "labels", "overrides", "top", "size", "parts"]
)
ROW = st.dictionaries(
    st.sampled_from(["size", "parts", "load", "kind", "line", "rush", "asked", "due", "note", "job"]),
    VALUES,
    max_size=10,
)
BODIES = st.one_of(
    VALUES, st.dictionaries(NAMES, VALUES, max_size=4), st.fixed_dictionaries({"row": ROW}),
    st.fixed_dictionaries({"rows": st.lists(ROW, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"row": ROW, "id": VALUES, "subject": VALUES}),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), body=BODIES)
def test_whatever_comes_is_answered_or_refused(server, path, body):
    reply = server.ask("POST", path, raw=json.dumps(body).encode())
    assert reply.status < 500, (reply.status, reply.text, body)
    json.loads(reply.text)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), raw=st.binary(max_size=200))
def test_whatever_bytes_come_are_refused(server, path, raw):
    assert server.ask("POST", path, raw=raw).status in (400, 422)


SQL = """Robert'); DROP TABLE entries; -- " OR 1=1 \\'; %s :x $1"""


def test_sql_in_every_text_is_a_text(server, job_rows):
    row = {**job_rows[0], "job": SQL, "kind": SQL, "note": SQL, "line": SQL, SQL: SQL}
    status, told = server.json("POST", "/models/jobs/predict", {"row": row, "id": SQL, "subject": SQL})
    assert (status, told["id"]) == (200, SQL)
    many = {"rows": [row, row], "ids": [SQL + "1", SQL + "2"], "subjects": [SQL, SQL]}
    assert server.json("POST", "/models/jobs/predict", many)[0] == 200
    keyed = server.ask(
        "POST", "/models/jobs/predict", {"row": row}, headers={"Idempotency-Key": SQL + "3", "X-Request-Id": SQL}
    )
    assert keyed.status == 200 and SQL not in keyed.headers["X-Request-Id"]
    label = {"prediction": SQL, "value": True, "by": SQL, "why": SQL}
    override = {"prediction": SQL, "after": SQL, "who": SQL, "reason": SQL}
    assert server.json("POST", "/models/jobs/feedback", {"labels": [label], "overrides": [override]})[1]["taken"] == 2
    for path, body in (
        ("/models/jobs/predict", {"row": row, "related": {SQL: [{SQL: SQL}]}}), ("/models/jobs/predict", {"row": {}, SQL: 1}),
        ("/models/jobs/predict", {"row": row, "event_time": SQL}), ("/models/jobs/explain", {"row": row, "top": SQL}),
        ("/models/jobs/feedback", {"labels": [{"prediction": SQL, "value": SQL}]}),
        ("/models/jobs/feedback", {"labels": [{"prediction": SQL + "4", "value": True}]}),
        ("/models/" + quote(SQL, safe="") + "/predict", {"row": row}),
    ):  # fmt: skip
        assert server.json("POST", path, body)[0] in (404, 422)
    assert server.ask("GET", "/models", token=SQL).status == 401
    journal = server.live.journal
    for id_ in (SQL, SQL + "1", SQL + "2", SQL + "3"):
        assert journal.prediction("jobs", id_).facts == row
    assert [r.after for _, r in journal.read(AnswerOverride, model="jobs") if r.prediction == SQL] == [SQL]
    assert journal.read(Prediction, model=SQL) == []
    found = outcomes(journal, "jobs")
    assert {i for i, s in zip(found.id, found.subject, strict=True) if s == SQL} >= {SQL, SQL + "1", SQL + "2"}


def test_nothing_of_all_this_broke_the_journal(server):
    assert server.live.journal.verify() == []
    assert '"event":"fault"' not in server.log.read_text()
