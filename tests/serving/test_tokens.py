"""Tokens on disk, the depth of JSON, buckets, entries: the small parts."""

import dataclasses
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.records import Prediction
from holdgood.core.records.commitment import committed
from holdgood.journal.chain import draft
from holdgood.serving import tokens
from holdgood.serving.entry import Answered, moment
from holdgood.serving.exchange import Refusal
from holdgood.serving.limits import Rates, check_depth


@pytest.fixture
def file(tmp_path):
    return tmp_path / "tokens.json"


def test_a_token_is_kept_as_its_hash_alone(file):
    secret, token = tokens.new(file, roles=["predict"], name="ann", expires="90 days")
    assert secret.split("_", 2)[2] not in file.read_text() and file.stat().st_mode & 0o77 == 0
    known = tokens.Tokens(file)
    assert known.who(secret) == token and known.who(secret[:-1]) is None and known.who("") is None
    assert token.may("predict") and not token.may("admin")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_token_that_root_makes_can_be_read_by_whose_folder_it_is(file):
    os.chown(file.parent, 10001, 10001)
    for name in ("ann", "bo"):  # the second one writes the file anew
        tokens.new(file, roles=["predict"], name=name)
        assert (file.stat().st_uid, file.stat().st_gid, file.stat().st_mode & 0o77) == (10001, 10001, 0)


def test_a_token_that_was_shown_is_not_hashed_again_and_ends_all_the_same(file, monkeypatch):
    secret, token = tokens.new(file, roles=["predict"], name="ann")
    known = tokens.Tokens(file)
    assert known.who(secret) == token
    hashed = []
    real = tokens.hashlib.sha256
    monkeypatch.setattr(tokens.hashlib, "sha256", lambda data: hashed.append(data) or real(data))
    assert known.who(secret) == token and not hashed
    assert known.who(secret[:-1] + "_") is None and len(hashed) == 1
    monkeypatch.undo()
    tokens._write(file, [dataclasses.replace(token, expires=(datetime.now(UTC) + timedelta(days=1)).isoformat())])
    assert known.refresh() and (alive := known.who(secret)) is not None
    later = datetime.now(UTC) + timedelta(days=2)
    monkeypatch.setattr(tokens, "_utc", lambda: later)
    assert known.who(secret) is None and not alive.alive()
    monkeypatch.undo()
    tokens.revoke(file, token.id)
    assert known.refresh() and known.who(secret) is None
    file.unlink()
    assert known.refresh() and known.who(secret) is None


def test_expired_and_revoked_tokens_let_nobody_in(file):
    secret, token = tokens.new(file, roles=["admin"], name="ann")
    old = dataclasses.replace(token, expires=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    tokens._write(file, [old])
    known = tokens.Tokens(file)
    assert known.who(secret) is None
    tokens._write(file, [token])
    assert known.refresh() and known.who(secret) == token and token.may("metrics")
    tokens.revoke(file, "ann")
    assert known.refresh() and known.who(secret) is None
    with pytest.raises(DataError, match="no living token"):
        tokens.revoke(file, "ann")


def test_a_damaged_file_lets_nobody_in(file):
    secret, _ = tokens.new(file, roles=["admin"], name="ann")
    known = tokens.Tokens(file)
    for text in ("", "{", "[]", '{"format": 1, "tokens": [{"id": 1}]}', '{"format": 2, "tokens": []}'):
        file.write_text(text)
        with pytest.raises(DataError, match="no tokens file"):
            known.refresh()
        assert known.who(secret) is None
    file.unlink()
    known.refresh()
    assert known.known() == []


@pytest.mark.parametrize(
    "asked",
    [
        {"roles": []},
        {"roles": ["root"]},
        {"name": ""},
        {"name": "a\nb"},
        {"expires": "2001-01-01"},
        {"expires": "soon"},
    ],
)
def test_tokens_that_are_refused(file, asked):
    with pytest.raises(DeclarationError):
        tokens.new(file, **{"roles": ["predict"], "name": "ann", **asked})
    assert not file.exists()


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.one_of(st.text(max_size=6), st.integers()),
        lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=3), x, max_size=3),
    ),
    st.integers(1, 6),
)
def test_depth_is_what_it_is_whatever_stands_in_strings(value, most):
    def depth(v):
        return (
            1 + max(map(depth, v.values() if isinstance(v, dict) else v), default=0)
            if isinstance(v, (list, dict))
            else 0
        )

    body = json.dumps(value).encode()
    if depth(value) > most:
        with pytest.raises(Refusal):
            check_depth(body, most)
    else:
        check_depth(body, most)


def test_a_bucket_fills_at_its_rate():
    now = [0.0]
    rates = Rates(2.0, clock=lambda: now[0])
    assert [rates.take("a") for _ in range(5)] == [0.0] * 4 + [0.5] and rates.take("b") == 0.0
    now[0] = 0.5
    assert rates.take("a") == 0.0 and rates.take("a") > 0
    assert Rates(0.0).take("a") == 0.0


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-(2**53), 2**53),
            st.floats(allow_nan=False, allow_infinity=False),
            st.text(max_size=5),
        ),
    )
)
def test_an_entry_is_what_the_journal_makes_of_a_prediction(facts):
    when = moment(1_700_000_000_000_000)
    one = Answered(
        "id",
        "m",
        "d" * 64,
        "canary",
        when,
        when,
        "s",
        facts,
        {"probability": 0.25, "answer": True},
        "warn",
        "x is missing",
    )
    expected = draft(Prediction(**dataclasses.asdict(one)))
    made = one.draft()
    assert made.keys == expected.keys and made.kind == expected.kind
    assert json.loads(made.text)["payload"] | {"commitment": None} == json.loads(expected.text)["payload"]
    one.facts, one.commitment = None, committed(facts)
    expected = draft(Prediction(**dataclasses.asdict(one)))
    assert json.loads(one.draft().text)["payload"] == json.loads(expected.text)["payload"]
    assert set(json.loads(made.text)) == set(json.loads(expected.text))


def test_serving_loads_no_training_and_no_framework():
    heavy = ("optuna", "loky", "sklearn", "fastapi", "starlette")
    code = f"import sys, holdgood.serving.server; print(*[m for m in sys.modules if m in {heavy} or m.startswith('holdgood.training.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {f"holdgood.training.{m}" for m in ("calibrated", "ensemble", "fitted_band")}
