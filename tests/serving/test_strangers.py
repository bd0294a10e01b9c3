"""Who shows no living token: so many refusals a second for one address, and nobody else is held up by it."""

import contextlib
import json
import socket

import pytest

from holdgood.serving import limits as limits_module
from holdgood.serving import tokens
from holdgood.serving.limits import Limits, Rates, address_of

HERE, THERE = ("192.0.2.7", 5000), ("192.0.2.8", 5000)
FEW = Limits(strangers=0.001)  # bursts of one; the next is due in a quarter of an hour
FORGED = "hg_000000000000_" + "A" * 43


def test_an_address_is_refused_so_often_and_then_told_to_wait(within, capfd):
    async def scenario(ask, desk):
        status, told, headers = await ask("GET", "/models", token=FORGED, client=HERE)
        assert (status, headers[b"www-authenticate"]) == (401, b"Bearer")
        for port, token in ((5001, FORGED), (5002, ""), (5003, "x")):
            status, told, headers = await ask("GET", "/models", token=token, client=(HERE[0], port))
            assert status == 429 and int(headers[b"retry-after"]) > 100
            assert "no living token" in told["error"] and "one address" in told["error"] and "token new" in told["do"]
        assert (await ask("GET", "/models", token=FORGED, client=THERE))[0] == 401, "another address is another matter"
        assert b'holdgood_requests_total{route="/models",status="429"} 3.0' in desk.metrics.text()

    within(scenario, limits=FEW)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert sum(line.get("status") == 401 for line in lines) == 2 and not any(
        line.get("status") == 429 for line in lines
    )
    floods = [line for line in lines if line["event"] == "a flood of refused requests"]
    assert floods[0]["address"] == HERE[0] and len(floods) <= 3


def test_a_living_token_is_held_up_by_nobody_also_one_that_was_never_shown(within, job_rows, tmp_path):
    async def scenario(ask, desk):
        for _ in range(5):
            await ask("POST", "/predict", {"row": job_rows[0]}, token=FORGED, client=HERE)
        for _ in range(5):
            assert (await ask("POST", "/predict", {"row": job_rows[0]}, client=HERE))[0] == 200
        fresh, _ = tokens.new(tmp_path / "tokens.json", roles=["predict"], name="new")
        assert (await ask("POST", "/admin/reload", client=HERE))[0] == 200  # reads the tokens anew
        assert (await ask("POST", "/predict", {"row": job_rows[0]}, token=fresh, client=HERE))[0] == 200
        assert (await ask("POST", "/predict", {"nothing": 1}, client=HERE))[0] == 422, (
            "what is refused later is no stranger's"
        )
        assert (await ask("GET", "/healthz", token="", client=HERE))[0] == 200

    within(scenario, limits=FEW)


@pytest.mark.parametrize(
    "asked", [("GET", "/metrics"), ("GET", "/none"), ("PUT", "/predict"), ("GET", "/models", "evil")]
)
def test_whatever_is_refused_before_a_token_was_known_counts(within, tmp_path, asked):
    async def scenario(ask, desk):
        fresh, _ = tokens.new(tmp_path / "tokens.json", roles=["predict"], name="new")
        await ask("POST", "/admin/reload")
        host = ((b"host", b"evil.example"),) if len(asked) > 2 else ()
        found = [await ask(*asked[:2], None, host, token=fresh, client=HERE) for _ in range(3)]
        assert found[0][0] in (400, 403, 404, 405, 421) and [f[0] for f in found[1:]] == [429, 429]

    within(scenario, limits=FEW)


def test_a_token_that_asks_too_much_is_told_so_and_its_address_is_not(within, job_rows):
    async def scenario(ask, desk):
        found = [(await ask("GET", "/models", client=HERE)) for _ in range(4)]
        assert [f[0] for f in found] == [200, 429, 429, 429] and "this token" in found[1][1]["error"]
        assert (await ask("GET", "/models", token=FORGED, client=HERE))[0] == 401

    within(scenario, limits=Limits(rate=0.001, strangers=0.001))


def test_addresses_that_are_kept_are_bounded_and_the_longest_unseen_goes(monkeypatch):
    monkeypatch.setattr(limits_module, "_MOST_BUCKETS", 3)
    rates = Rates(0.5, clock=lambda: 0.0)
    assert [rates.take("a"), rates.take("a")] == [0.0, 2.0]
    assert rates.take("b") == rates.take("c") == 0.0
    assert rates.take("a") == 2.0  # seen again: now the newest
    assert rates.take("d") == 0.0 and [*rates._buckets] == ["c", "a", "d"]
    assert rates.take("a") == 2.0 and len(rates._buckets) == 3


@pytest.mark.parametrize(
    ("client", "told"),
    [
        ("192.0.2.7", "192.0.2.7"), ("::1", "::"), ("::ffff:192.0.2.7", "192.0.2.7"), ("fe80::1%eth0", "fe80::"), ("", ""), ("a name", "a name"),
        ("2001:db8::1:0:0:1", "2001:db8::"), ("2001:db8:0:1::", "2001:db8:0:1::"),
    ],
)  # fmt: skip
def test_whom_an_address_tells_apart(client, told):
    assert address_of(client) == told


def test_ordinary_requests_touch_nothing_of_it(within, job_rows, monkeypatch):
    async def scenario(ask, desk):
        monkeypatch.setattr("holdgood.serving.door.address_of", lambda _: pytest.fail("looked at"))
        for _ in range(3):
            assert (await ask("POST", "/predict", {"row": job_rows[0]}, client=HERE))[0] == 200
        assert ask.app._guard.strangers._buckets == {}

    within(scenario)


def test_on_loopback_a_real_flood_is_bounded_and_callers_go_on(bundles, start, tmp_path, job_rows):
    secret, _ = tokens.new(tmp_path / "tokens.json", roles=["predict"], name="ann")
    server = start(bundles(), "--refused-rate", "0.001", "--max-connections", "5", at=tmp_path, token=secret)
    idle = [socket.create_connection(("127.0.0.1", server.port), timeout=100) for _ in range(30)]
    found = []
    for _ in range(20):
        found.append(server.ask("GET", "/models", token=FORGED).status)
        assert server.ask("POST", "/predict", {"row": job_rows[0]}).status == 200
    assert found == [401] + [429] * 19
    reply = server.ask("GET", "/models", token=None)
    assert reply.status == 429 and int(reply.headers["Retry-After"]) > 100
    assert json.loads(reply.text)["expected"] == "0.001 a second"
    for line in idle[:25]:  # ended to make room
        with contextlib.suppress(ConnectionError):
            assert line.recv(10) == b""
    for line in idle:
        line.close()
