"""What a caller with a token cannot do: keep a request open for ever, fill the memory, or have the server forget its upkeep."""

import asyncio
import io
import json
import logging
import os

import pytest

from holdgood.core.errors import Busy, EnvironmentFault
from holdgood.serving import shadow as shadow_module
from holdgood.serving import tokens, upkeep
from holdgood.serving.limits import Held, Limits
from holdgood.serving.logs import Log, ThroughLog
from holdgood.serving.tokens import Tokens


def test_a_body_that_never_begins_ends_in_time(within, job_rows):
    async def scenario(ask, desk):
        async def never():
            await asyncio.Event().wait()

        status, told, _ = await asyncio.wait_for(ask("POST", "/predict", receive=never), 5)
        assert status == 408 and "0.05 seconds" in told["expected"]

    within(scenario, limits=Limits(seconds=0.05))


def test_a_body_that_came_with_its_headers_sets_no_clock_and_one_in_parts_does(within, job_rows, monkeypatch):
    clocks = []
    real = asyncio.timeout
    monkeypatch.setattr("holdgood.serving.door.asyncio.timeout", lambda s: clocks.append(s) or real(s))
    raw = json.dumps({"row": job_rows[0]}).encode()

    async def scenario(ask, desk):
        assert (await ask("POST", "/predict", raw=raw))[0] == 200 and not clocks
        parts = [raw[:20], raw[20:50], raw[50:]]

        async def receive():
            if len(parts) < 3:  # the first is there already
                await asyncio.sleep(0)
                await asyncio.sleep(0.001)
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        assert (await ask("POST", "/predict", receive=receive))[0] == 200 and len(clocks) == 1
        late = [raw[:20]]

        async def stops():
            if not late:
                await asyncio.sleep(0)
                await asyncio.Event().wait()
            return {"type": "http.request", "body": late.pop(0), "more_body": True}

        assert (await asyncio.wait_for(ask("POST", "/predict", receive=stops), 5))[0] == 408

        async def breaks():
            await asyncio.sleep(0)
            raise RuntimeError("the socket is gone")

        assert (await ask("POST", "/predict", receive=breaks))[0] == 500

    within(scenario, limits=Limits(seconds=0.3))


def test_bodies_of_all_requests_together_are_bounded_and_given_back(within, job_rows):
    async def scenario(ask, desk):
        begun, ended = asyncio.Event(), asyncio.Event()

        async def slow():
            if begun.is_set():
                await ended.wait()
                return {"type": "http.request", "body": b"", "more_body": False}
            begun.set()
            return {"type": "http.request", "body": b" " * 900, "more_body": True}

        first = asyncio.create_task(ask("POST", "/predict", receive=slow))
        await begun.wait()
        status, told, headers = await ask("POST", "/predict", raw=b" " * 200)
        assert status == 503 and "memory" in told["error"] and headers[b"retry-after"] == b"1"
        ended.set()
        assert (await first)[0] == 400  # no JSON
        for _ in range(5):
            assert (await ask("POST", "/predict", {"row": job_rows[0]}))[0] == 200

    within(scenario, limits=Limits(held=1_000))


def test_room_that_was_given_back_is_there():
    held = Held(10)
    held.take(10)
    with pytest.raises(Busy, match="memory"):
        held.take(1)
    held.give(10)
    held.take(10)


def test_tokens_that_cannot_be_read_for_a_while_are_read_again(tmp_path, monkeypatch):
    file = tmp_path / "tokens.json"
    secret, _ = tokens.new(file, roles=["predict"], name="ann")
    known = Tokens(file)
    os.utime(file, ns=(1, 1))

    def busy(_):
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(tokens, "read", busy)
        with pytest.raises(EnvironmentFault, match="Too many open files"):
            known.refresh()
    assert known.who(secret) is None
    assert known.refresh() and known.who(secret).name == "ann"


def test_upkeep_goes_on_whatever_fails_in_it(within, monkeypatch, job_rows):
    monkeypatch.setattr(upkeep, "_TICK", 0.0)

    async def scenario(ask, desk):
        looks = []
        again = asyncio.Event()
        loop = asyncio.get_running_loop()

        def refresh(self):
            looks.append(1)
            if len(looks) > 1:
                loop.call_soon_threadsafe(again.set)
            raise RuntimeError("out of the blue")

        monkeypatch.setattr(Tokens, "refresh", refresh)
        await asyncio.wait_for(again.wait(), 10)

    within(scenario)


def test_a_shadow_that_is_late_keeps_so_many_rows_and_counts_the_others(
    within, live_of, tmp_path, job_rows, monkeypatch
):
    live_of(tmp_path / "live", {("champion", None): {}, ("shadow", None): {"seed": 1}})
    monkeypatch.setattr(shadow_module, "_MOST_ROWS", 50)

    async def scenario(ask, desk):
        with desk.shadows._change:
            desk.shadows._rows = 20  # of a request before
        assert (await ask("POST", "/predict", {"rows": job_rows}))[0] == 200
        assert b'holdgood_shadow_faults_total{model="jobs"} 40.0' in desk.metrics.text()
        with desk.shadows._change:
            desk.shadows._rows = 0
        assert (await ask("POST", "/predict", {"rows": job_rows * 2}))[0] == 200  # alone it is taken, however large
        desk.shadows.close()
        assert desk.shadows._rows == 0

    within(scenario, what=(str(tmp_path / "live"),))


def test_a_shadows_answers_that_the_journal_does_not_take_are_counted_as_lost(
    within, live_of, tmp_path, job_rows, monkeypatch
):
    live_of(tmp_path / "live", {("champion", None): {}, ("shadow", None): {"seed": 1}})

    async def scenario(ask, desk):
        later = desk.recorder.later

        def full(drafts):
            done = later([])
            done.result()
            failed = type(done)()
            failed.set_exception(EnvironmentFault("disk full", "room", "free some"))
            return failed

        monkeypatch.setattr(desk.recorder, "later", full)
        assert (await ask("POST", "/predict", {"rows": job_rows}))[0] == 200
        desk.shadows.close()
        text = desk.metrics.text()
        assert b'holdgood_shadow_faults_total{model="jobs"} 40.0' in text and b'place="shadow",verdict' not in text

    within(scenario, what=(str(tmp_path / "live"),))


@pytest.mark.parametrize("key", [b"", b"k" * 201, b"a\tb"])
@pytest.mark.parametrize("many", [True, False])
def test_a_key_is_taken_whole_or_not_at_all(within, job_rows, key, many):
    body = {"rows": job_rows[:2]} if many else {"row": job_rows[0]}

    async def scenario(ask, desk):
        status, told, _ = await ask("POST", "/predict", body, [(b"idempotency-key", key)])
        assert status == 422 and "Idempotency-Key" in told["error"]

    within(scenario)


def test_a_key_written_as_a_whole_number_or_with_decimals_is_the_same_subject(within):
    async def scenario(ask, desk):
        champion = desk.models.get("jobs").champion
        assert champion.subject({"job": 4711}) == champion.subject({"job": 4711.0}) == "4711"
        assert champion.subject({"job": 4711.5}) == "4711.5"

    within(scenario)


def test_an_outcome_of_null_is_none(within, job_rows):
    async def scenario(ask, desk):
        await ask("POST", "/predict", {"row": job_rows[0], "id": "a"})
        status, told, _ = await ask("POST", "/feedback", {"labels": [{"prediction": "a", "value": None}]})
        assert status == 422 and "null" in told["items"][0]["why"]

    within(scenario)


def test_tracebacks_of_uvicorn_become_places_without_values():
    stream = io.StringIO()
    logger = logging.getLogger("a logger of this test")
    logger.addHandler(ThroughLog(Log(stream)))
    try:
        raise RuntimeError("secret row")
    except RuntimeError:
        logger.exception("Exception in ASGI application")
    line = json.loads(stream.getvalue())
    assert line["fault"] == "RuntimeError" and "secret" not in stream.getvalue()
