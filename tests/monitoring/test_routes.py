"""What is sent arrives whole, signed, once; what does not arrive says why."""

import hashlib
import hmac
import json
import socket
import threading

import pytest

from holdgood.core.declared_watch import RouteSpec
from holdgood.monitoring.routes import Undelivered, http, send


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(http, "PAUSE", 0.0)


def hook(sink, **more):
    return RouteSpec(name="hook", kind="webhook", url=sink.url, **more)


def test_a_webhook_is_signed_so_that_the_receiver_can_check(sinks, message, monkeypatch):
    monkeypatch.setenv("HOOK_KEY", "s3cret")
    sink = sinks.Http()
    send(hook(sink, secret="HOOK_KEY"), message)
    ((_, headers, body),) = sink.got
    seconds, digest = (part.partition("=")[2] for part in headers["X-Holdgood-Signature"].split(","))
    assert digest == hmac.new(b"s3cret", f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["Idempotency-Key"] == "key-1"
    assert json.loads(body)["alarm"]["message"] == "weight: higher"
    assert b"s3cret" not in body


def test_a_server_in_trouble_is_asked_again_and_a_refusal_is_not(sinks, message):
    trouble, refuses = sinks.Http(503, 429, 200), sinks.Http(400)
    send(hook(trouble), message)
    assert len(trouble.got) == 3
    assert len({h["Idempotency-Key"] for _, h, _ in trouble.got}) == 1
    with pytest.raises(Undelivered, match="answered 400"):
        send(hook(refuses), message)
    assert len(refuses.got) == 1


def test_redirects_are_not_followed_and_silence_is_told(sinks, message):
    away = sinks.Http(307)
    with pytest.raises(Undelivered, match="answered 307"):
        send(hook(away), message)
    assert [path for path, _, _ in away.got] == ["/hook"]
    gone = sinks.Http()
    gone.server.shutdown()
    gone.server.server_close()
    with pytest.raises(Undelivered, match="cannot be reached"):
        send(hook(gone), message)


def test_a_secret_that_is_not_set_is_told_before_anything_is_sent(sinks, message, monkeypatch):
    monkeypatch.delenv("HOOK_KEY", raising=False)
    sink = sinks.Http()
    with pytest.raises(Undelivered, match="HOOK_KEY is not set"):
        send(hook(sink, secret="HOOK_KEY"), message)
    assert sink.got == []


@pytest.mark.parametrize(
    "said",
    [b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"x" * 70_000, b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n"],
)  # fmt: skip
def test_what_does_not_speak_http_is_told_and_stops_no_watch(message, said):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            for _ in range(http.TRIES):
                line, _ = server.accept()
                with line:
                    line.recv(65_536)
                    line.sendall(said)

        talking = threading.Thread(target=answer, daemon=True)
        talking.start()
        route = RouteSpec(name="hook", kind="webhook", url=f"http://127.0.0.1:{server.getsockname()[1]}/")
        with pytest.raises(Undelivered, match="does not speak HTTP") as told:
            send(route, message)
        talking.join(10)
    assert "garbage" not in str(told.value)


def test_a_body_that_is_cut_off_after_the_message_was_taken_is_no_fault(message):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            line, _ = server.accept()
            with line:
                line.recv(65_536)
                line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")

        threading.Thread(target=answer, daemon=True).start()
        send(RouteSpec(name="hook", kind="webhook", url=f"http://127.0.0.1:{server.getsockname()[1]}/"), message)


@pytest.mark.parametrize("kind", ["webhook", "alertmanager"])
@pytest.mark.parametrize("token", ["s3cret\n", "s3crét"])
def test_a_token_that_no_header_can_hold_is_told_and_not_shown(sinks, message, monkeypatch, kind, token):
    monkeypatch.setenv("HOOK_TOKEN", token)
    sink = sinks.Http()
    with pytest.raises(Undelivered, match="HOOK_TOKEN holds what no header can") as told:
        send(RouteSpec(name="r", kind=kind, url=sink.url, token="HOOK_TOKEN"), message)
    assert "s3cr" not in str(told.value) and sink.got == []


def mail(sink, **more):
    given = {"host": "127.0.0.1", "port": sink.port, "sender": "watch@example.org", "to": ["ann@example.org"]}
    return RouteSpec(name="mail", kind="email", **given | more)


def test_mail_is_encrypted_before_the_password_is_said(sinks, message, monkeypatch, tmp_path):
    cert = sinks.certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", cert[0])
    monkeypatch.setenv("MAIL_PASSWORD", "s3cret")
    sink = sinks.Smtp(cert, "ann", "s3cret")
    send(mail(sink, user="ann", password="MAIL_PASSWORD"), message)
    (text,) = sink.mails
    assert "Subject: [high] orders: A feature has drifted (wei ght)" in text
    assert "What to do: look" in text
    assert "120 EUR" in text
    assert "Message-ID: <key-1@holdgood>" in text
    assert [w.split(" ")[0].upper() for w in sink.clear] == ["EHLO", "STARTTLS"]
    monkeypatch.setenv("MAIL_PASSWORD", "wrong")
    with pytest.raises(Undelivered, match="535") as told:
        send(mail(sink, user="ann", password="MAIL_PASSWORD"), message)
    assert "wrong" not in str(told.value).replace("wrong password", "")


def test_what_no_mail_takes_is_told_and_not_shown(sinks, message, monkeypatch, tmp_path):
    with pytest.raises(Undelivered, match="none that mail takes"):
        send(mail(sinks.Smtp(), starttls=False, to=["ann@example.org\nBcc: eve@example.org"]), message)
    cert = sinks.certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", cert[0])
    monkeypatch.setenv("MAIL_PASSWORD", "s3crét")
    with pytest.raises(Undelivered, match="none that mail takes") as told:
        send(mail(sinks.Smtp(cert, "ann", "s3crét"), user="ann", password="MAIL_PASSWORD"), message)
    assert "s3cr" not in str(told.value)


def test_mail_without_encryption_is_refused_where_it_was_declared(sinks, message, monkeypatch, tmp_path):
    plain = sinks.Smtp()
    with pytest.raises(Undelivered, match="did not take it"):
        send(mail(plain), message)
    with pytest.raises(Undelivered, match="not sent unencrypted"):
        send(mail(plain, starttls=False, user="ann", password="X"), message)
    assert plain.mails == []
    send(mail(plain, starttls=False), message)
    assert len(plain.mails) == 1
    cert = sinks.certificate(tmp_path)  # nobody vouches for it here
    with pytest.raises(Undelivered, match="certificate"):
        send(mail(sinks.Smtp(cert)), message)


@pytest.mark.server
def test_alertmanager_passes_an_alarm_on_and_hears_that_it_is_over(sinks, message, tmp_path):
    sink = sinks.Http()
    with sinks.alertmanager(tmp_path, sink.url) as url:
        route = RouteSpec(name="am", kind="alertmanager", url=url)
        send(route, message)
        assert sink.arrived.wait(20)
        told = json.loads(sink.got[0][2])
        assert told["status"] == "firing"
        assert told["alerts"][0]["labels"]["alertname"] == "HoldgoodMON001"
        assert told["alerts"][0]["annotations"]["todo"] == "look"
        sink.arrived.clear()
        over = message.__class__(message.alarm, "ends", "key-2", "2026-01-15T00:00:00+00:00", "")
        send(route, over)
        assert sink.arrived.wait(20)
        assert json.loads(sink.got[-1][2])["status"] == "resolved"


def test_a_route_that_says_too_little_is_refused():
    with pytest.raises(ValueError, match="needs host"):
        RouteSpec(name="m", kind="email", host="x")
    with pytest.raises(ValueError, match="begins with http"):
        RouteSpec(name="m", kind="webhook", url="file:///etc/passwd")
