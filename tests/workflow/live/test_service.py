"""The watch as a service, where the journal is away before the first look."""

from datetime import UTC, datetime, timedelta

import pytest

from holdgood.core.errors import DataError, EnvironmentFault
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
