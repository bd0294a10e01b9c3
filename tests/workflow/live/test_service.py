"""The watch as a service, where the journal is away before the first look."""

from datetime import UTC, datetime, timedelta

import pytest

from holdgood.core.errors import BundleError, DataError, EnvironmentFault, TamperedError
from holdgood.workflow.live import service
from holdgood.workflow.live.folder import Live

AWAY = EnvironmentFault("the journal is away", "a server", "start it")


@pytest.fixture
def often():
    """Something that works at the last of so many tries."""

    def make(tries, found="there"):
        left = [tries]

        def doing(*_):
            left[0] -= 1
            if left[0]:
                raise AWAY
            return found

        return doing

    return make


def test_it_waits_longer_each_time_and_says_so(often):
    said, slept = [], []
    assert service.patiently(often(9), lambda error, wait: said.append((error, wait)), sleep=slept.append) == "there"
    assert slept == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert said == [(AWAY, wait) for wait in slept]


def test_what_waiting_does_not_mend_is_raised_and_an_end_is_obeyed(often):
    def no_folder():
        raise DataError("no live folder", "one", "make it")

    with pytest.raises(DataError):
        service.patiently(no_folder, lambda *_: None)
    asked = []
    none = service.patiently(often(9), lambda *_: None, sleep=asked.append, ended=lambda: len(asked) == 3)
    assert none is None


def test_looks_begin_when_the_journal_answers_also_after_the_clock_was_set_back(tmp_path, monkeypatch):
    live, now, said, looks = Live.create(tmp_path / "live"), [datetime(2026, 3, 1, tzinfo=UTC)], [], []
    near, far = now[0] + timedelta(days=1), now[0] + timedelta(days=30)  # looks are 7 days apart
    script = iter([AWAY, AWAY, far, AWAY, near])

    def due(*_):
        found = next(script)
        if found is AWAY:
            raise AWAY
        return found

    def sleep(seconds):
        now[0] += timedelta(seconds=seconds)

    monkeypatch.setattr(service, "due", due)
    monkeypatch.setattr(service, "watch", lambda live, model, at, others: looks.append(at))
    service.run(live, ["m"], lambda model, seen: said.append(seen), now=lambda: now[0], sleep=sleep, rounds=1)
    assert said[:3] == [AWAY] * 3 and looks == [near]


CHANGED = [
    DataError("entry 3 of 'live' holds no record"),
    TamperedError("the hashes do not match"),
    BundleError("entry 3: kind"),
]


def played(monkeypatch, live, script, *, models=None, rounds=1, due=None):
    """Run a service in which the list of live models is what ``script`` says; what was said, who was looked at, how long it slept."""
    now, said, looks, slept = [datetime(2026, 3, 1, tzinfo=UTC)], [], [], []
    script = iter(script)

    def champions(_):
        found = next(script)
        if isinstance(found, Exception):
            raise found
        return found

    def sleep(seconds):
        slept.append(seconds)
        now[0] += timedelta(seconds=seconds)

    monkeypatch.setattr(service, "champions", champions)
    monkeypatch.setattr(service, "due", due or (lambda live, model, at: at + timedelta(minutes=30)))
    monkeypatch.setattr(service, "watch", lambda live, model, at, others: looks.append(model))
    told = lambda model, seen: said.append((model, seen))  # noqa: E731
    service.run(live, models, told, now=lambda: now[0], sleep=sleep, rounds=rounds)
    return said, looks, slept


@pytest.mark.parametrize("fault", CHANGED)
def test_a_journal_that_was_changed_is_said_and_looked_at_again_until_it_is_mended(tmp_path, monkeypatch, fault):
    live = Live.create(tmp_path / "live")
    said, looks, slept = played(monkeypatch, live, [fault, fault, fault, *[["m"]] * 9])
    assert said[:-1] == [("watch", fault)] * 3 and looks == ["m"] and slept[:3] == [1.0, 2.0, 4.0]


def test_models_that_are_known_are_looked_at_while_the_list_cannot_be_read_which_is_said(tmp_path, monkeypatch):
    live = Live.create(tmp_path / "live")
    said, looks, _ = played(monkeypatch, live, [["m"], AWAY, *CHANGED, *[["m"]] * 9])
    assert looks == ["m"] and said[-1] == ("m", None)
    told = [seen for model, seen in said if model == "watch"]
    assert told and told == CHANGED[: len(told)], "a journal that is away each look says by itself"


def test_one_model_that_cannot_be_read_keeps_no_other_from_being_looked_at(tmp_path, monkeypatch):
    live = Live.create(tmp_path / "live")

    def due(_, model, now):
        if model == "bad":
            raise CHANGED[0]
        return now

    said, looks, _ = played(monkeypatch, live, [["bad", "good"]] * 9, due=due)
    assert looks == ["good"] and said[0] == ("bad", CHANGED[0])


def test_after_the_clock_was_set_back_one_that_cannot_be_read_is_looked_at_now(tmp_path, monkeypatch):
    live, asked = Live.create(tmp_path / "live"), []

    def due(_, model, now):
        asked.append(model)
        if len(asked) == 1:
            return now + timedelta(days=30)  # the clock was ahead
        raise CHANGED[1]

    _, looks, _ = played(monkeypatch, live, [["m"]] * 9, due=due)
    assert looks == ["m"] and len(asked) == 2
