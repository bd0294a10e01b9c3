"""Looks at a model in use: quiet while nothing changes, clear when something does, told once, whatever is killed in between."""

import os
import signal
import threading
import time
from datetime import timedelta

import numpy as np
import pytest

from holdgood.cli.watched import look_text
from holdgood.core.errors import DataError, DeclarationError, HoldgoodError
from holdgood.core.records import Acknowledgement, Benefit, Delivery, Prediction, Promotion, WatchLook
from holdgood.monitoring.judged import closed
from holdgood.monitoring.routes import Undelivered
from holdgood.reports.watch_report import render_watch
from holdgood.workflow.live import delivery, service
from holdgood.workflow.live.acknowledging import acknowledged
from holdgood.workflow.live.promotion import promote, retire
from holdgood.workflow.live.reference import usual_of
from holdgood.workflow.live.watch import watch
from holdgood.workflow.predict import Predictor

MODEL = "company"
HOOK = '[[route]]\nname = "hook"\nkind = "webhook"\nurl = "http://127.0.0.1:9/"\n'


@pytest.fixture
def others(begin, traffic):
    def of(live):
        model = Predictor.load(live.bundle(live.at(MODEL).bundle_digest))
        return {n: model.table_of(frame, n) for n, frame in traffic.others.items()}

    return of


@pytest.fixture
def told(monkeypatch):
    """What would have been sent."""
    sent = []
    monkeypatch.setattr(delivery, "send", lambda route, message: sent.append((message.about, message.alarm.code)))
    return sent


def test_calm_weeks_are_quiet_and_a_turned_world_is_not(begin, traffic, others, at, told):
    live, _ = begin("[watch]\njoint = false\n" + HOOK)
    traffic.answered(live, "calm", 0, 28)
    tables = others(live)
    for week in (2, 3, 4):
        seen = watch(live, MODEL, at=at(7 * week), others=tables)
        # These orders were written by a better hand than those of development: no weight is missing. True, and harmless.
        assert {(a.subject, a.severity, "missing in 0.0%" in a.message) for a in seen.alarms} <= {
            ("weight", "low", True)
        }
        assert not seen.look.notes
    assert seen.look.rows == len(traffic.part("calm", 21, 28))
    assert seen.look.performance.verdict == "not proven"
    assert seen.benefit.labelled > 100
    assert told == [("begins", "MON001")]
    traffic.answered(live, "turned", 28, 42)
    for week in (5, 6):
        seen = watch(live, MODEL, at=at(7 * week), others=tables)
    assert "MON007" in {a.code for a in seen.alarms}  # the features are as before: only outcomes tell
    assert seen.look.performance.verdict == "worse"
    assert ("begins", "MON007") in told
    assert told.count(("begins", "MON007")) == 1  # though two looks found it
    assert len(live.journal.read(WatchLook, model=MODEL)) == 5
    assert live.journal.read(Benefit, model=MODEL)
    page = render_watch(
        [(seen.look, seen.alarms, seen.benefit, {})], {MODEL: [r for _, r in live.journal.read(WatchLook)]}
    )
    assert "MON007" in page
    assert "C00" not in page  # no value of a row
    assert live.journal.verify() == []


def test_a_feature_that_moves_is_ranked_by_what_it_does(begin, traffic, others, at, told, monkeypatch):
    live, _ = begin("[watch]\njoint = false\n")
    moved = traffic.calm.assign(weight=traffic.calm.weight + 4.0)
    monkeypatch.setattr(traffic, "heavier", moved, raising=False)
    traffic.answered(live, "heavier", 0, 14)
    seen = watch(live, MODEL, at=at(14), others=others(live))
    (alarm,) = [a for a in seen.alarms if a.code == "MON001"]
    assert alarm.subject == "weight"
    assert "moves predictions by" in alarm.message
    assert alarm.currency == "EUR"
    assert alarm.stake > 0
    assert seen.look.drift[0].feature == "weight"
    assert {a.code for a in seen.alarms} >= {"MON001", "MON003"}


def test_a_kill_between_writing_and_sending_tells_neither_twice_nor_never(begin, traffic, others, at, monkeypatch):
    live, _ = begin("[watch]\njoint = false\n" + HOOK)
    traffic.answered(live, "turned", 0, 28)

    def killed(route, message):
        raise KeyboardInterrupt

    monkeypatch.setattr(delivery, "send", killed)
    tables = others(live)
    with pytest.raises(KeyboardInterrupt):
        watch(live, MODEL, at=at(28), others=tables)
    sent = []
    monkeypatch.setattr(delivery, "send", lambda route, message: sent.append(message.key))
    again = watch(live, MODEL, at=at(28), others=tables)
    assert again.again
    assert again.alarms
    assert len(sent) == len(set(sent)) == len(again.alarms)
    watch(live, MODEL, at=at(28), others=tables)
    assert len(sent) == len(again.alarms)
    assert len(live.journal.read(WatchLook, model=MODEL)) == 1


def test_what_failed_is_said_and_tried_again_at_the_next_look(begin, traffic, others, at, monkeypatch):
    live, _ = begin("[watch]\njoint = false\n" + HOOK)
    traffic.answered(live, "turned", 0, 35)
    tables = others(live)

    def away(route, message):
        raise Undelivered("the receiver is away")

    monkeypatch.setattr(delivery, "send", away)
    first = watch(live, MODEL, at=at(28), others=tables)
    assert any("was not told by hook: the receiver is away" in u for u in first.undelivered)
    sent = []
    monkeypatch.setattr(delivery, "send", lambda route, message: sent.append((message.about, message.alarm.code)))
    second = watch(live, MODEL, at=at(35), others=tables)
    assert not second.undelivered
    assert ("begins", "MON007") in sent
    states = [d.state for _, d in live.journal.read(Delivery, model=MODEL)]
    assert states.count("failed") == len(first.alarms)


def test_an_alarm_ends_and_a_snoozed_one_is_quiet(begin, traffic, others, at, told):
    live, _ = begin("[watch]\njoint = false\nwindows = [1]\n" + HOOK)
    traffic.answered(live, "turned", 0, 7)
    traffic.answered(live, "calm", 7, 35)
    tables = others(live)
    first = watch(live, MODEL, at=at(8), others=tables)
    (alarm,) = [a for a in first.alarms if a.code == "MON007"]
    acknowledged(live, alarm.id[:6], by="ann", why="known", until=(at(60)).isoformat())
    for day in (15, 22):
        seen = watch(live, MODEL, at=at(day), others=tables)
    assert alarm.id in seen.look.ended
    assert ("ends", "MON007") in told
    before = len(told)
    traffic.answered(live, "turned", 35, 42)
    seen = watch(live, MODEL, at=at(43), others=tables)
    assert alarm.id in seen.look.snoozed
    assert ("begins", "MON007") not in told[before:]
    with pytest.raises(DataError, match="no alarm"):
        acknowledged(live, "zzz", by="ann")


def test_looking_again_at_once_ends_no_alarm(begin, traffic, others, at, told):
    live, _ = begin("[watch]\njoint = false\nwindows = [1]\nfalse_a_year = 0.2\n")
    traffic.answered(live, "turned", 0, 7)
    tables = others(live)
    first, *again = [watch(live, MODEL, at=at(7.5) + timedelta(minutes=m), others=tables) for m in range(4)]
    found = {a.id for a in first.alarms if a.code in ("MON007", "MON011")}
    assert found
    assert [w.look.ended for w in again] == [()] * 3
    assert all({a.id for a in w.alarms} >= found for w in again), "what is open is sought as a usual look seeks it"
    assert all(w.look.told == () for w in again)


def test_a_look_without_rows_ends_no_alarm(begin, traffic, others, at, told):
    live, _ = begin("[watch]\njoint = false\nwindows = [1]\n")
    traffic.answered(live, "turned", 0, 7)
    tables = others(live)
    high = {a.id for a in watch(live, MODEL, at=at(8), others=tables).alarms}
    stood, when = live.at(MODEL).bundle_digest, at(8.5).isoformat()
    restored = Promotion(model=MODEL, bundle_digest=stood, action="roll back", by="Ada", why="back", when=when)
    live.journal.append(restored, "server")
    for day in (15, 22):
        seen = watch(live, MODEL, at=at(day), others=tables)
        assert not seen.look.ended
        assert high <= set(seen.look.unjudged) | {a.id for a in seen.alarms}
        assert any(n.startswith("0 rows since the change at 2024-09-18T12:00: nothing could") for n in seen.look.notes)


def test_rows_that_do_not_count_for_the_champion_are_told_as_that(begin, traffic, others, at, told):
    live, _ = begin("[watch]\njoint = false\nwindows = [1]\n")
    earlier = [
        Prediction(id=f"old{i}", model=MODEL, bundle_digest="f" * 64, event_time=at(1 + i).isoformat(), facts={}, answer={})
        for i in range(3)
    ]  # fmt: skip
    live.journal.append_many(earlier, "server")
    seen = watch(live, MODEL, at=at(5), others=others(live))
    (note,) = [n for n in seen.look.notes if "none counts" in n]
    assert note.startswith(
        "3 rows came, and none counts for the model that was promoted at 2024-09-10T00:00 (3 answered by another model): "
    )
    assert "nothing could be judged, and no alarm is over; look again once it has answered" in note
    traffic.answered(live, "calm", 5, 8)
    stood, when = live.at(MODEL).bundle_digest, at(8.5).isoformat()
    restored = Promotion(model=MODEL, bundle_digest=stood, action="roll back", by="Ada", why="back", when=when)
    live.journal.append(restored, "server")
    seen = watch(live, MODEL, at=at(9), others=others(live))
    n = len(traffic.part("calm", 5, 8))
    (note,) = [n for n in seen.look.notes if "none counts" in n]
    assert (
        f"restored at 2024-09-18T12:00 (2 answered by another model, {n} by the same one, about moments before" in note
    )
    early = watch(live, MODEL, at=at(8), others=others(live))
    assert any(n.endswith("look at a moment after 2024-09-18T12:00 (--at)") for n in early.look.notes)
    assert not any("0 rows since" in n for n in (*seen.look.notes, *early.look.notes))


def test_what_too_few_rows_cannot_judge_is_said_at_each_look_until_somebody_closes_it(begin, traffic, others, at, told):
    live, _ = begin("[watch]\njoint = false\nwindows = [1, 2]\n" + HOOK.replace("webhook", "alertmanager"))
    traffic.answered(live, "turned", 0, 7)
    traffic.thinned(60).answered(live, "calm", 14, 42)  # six rows a week: 30 are never reached
    tables = others(live)
    first = watch(live, MODEL, at=at(7), others=tables)
    (alarm,) = [a for a in first.alarms if a.code == "MON007"]
    with pytest.raises(DataError, match="could judge MON007"):
        acknowledged(live, alarm.id, by="ann", why="known", close=True)
    acknowledged(live, alarm.id, by="ann")
    watch(live, MODEL, at=at(21), others=tables)
    for day in (28, 35):
        seen = watch(live, MODEL, at=at(day), others=tables)
        (one,) = [b for b in seen.look.blind if b.alarm == alarm.id]
        assert (one.since, one.why) == (at(7).isoformat(), f"{seen.look.rows * 2} of 30 rows in 2 weeks")
        text = look_text(seen)
        line = f"MON007 {alarm.subject}: open since 2024-09-17, cannot be judged: {one.why}  [{alarm.id}, acknowledged by ann]"
        assert f"? {line}" in text and "--why REASON --close" in text and "no other alarm" in text
        page = render_watch([(seen.look, seen.alarms, seen.benefit, seen.seen_by)], {MODEL: []})
        assert line.replace("  [", " [") in page and "--why REASON --close" in page
    assert told[-1][0] == "goes on", "who forgets what is not said again hears of it"
    with pytest.raises(DeclarationError, match="--close without a reason"):
        acknowledged(live, alarm.id, by="bo", close=True)
    acknowledged(live, alarm.id, by="bo", why="the branch was closed", close=True)
    seen = watch(live, MODEL, at=at(42), others=tables)
    assert alarm.id in seen.look.ended and alarm.id not in seen.look.unjudged and ("ends", "MON007") in told
    assert f"over: {alarm.id}, closed by bo: the branch was closed" in look_text(seen)
    with pytest.raises(DataError, match="is not open"):
        acknowledged(live, alarm.id, by="bo", why="again", close=True)
    traffic.answered(live, "turned", 42, 49)
    again = watch(live, MODEL, at=at(49), others=tables)
    assert alarm.id in again.look.told, "trouble that comes back is told anew"
    assert not closed([a for _, a in live.journal.read(Acknowledgement)], [seen.look, again.look])


def test_looking_often_spends_little(begin, traffic, others, at, told):
    live, _ = begin("[watch]\njoint = false\n")
    traffic.answered(live, "calm", 0, 14)
    tables = others(live)
    alphas = [watch(live, MODEL, at=at(14 + h / 24), others=tables).look.alpha for h in (0, 1, 2)]
    assert alphas[1] == pytest.approx(alphas[0] / 168, rel=1e-6)
    assert sum(alphas[1:]) < 0.02 * alphas[0]


def test_without_joined_tables_or_facts_the_rest_is_watched_and_said(begin, traffic, at, told):
    live, _ = begin("")
    traffic.answered(live, "calm", 0, 14)
    seen = watch(live, MODEL, at=at(14))
    assert "drift of features is not watched: the model joins" in seen.look.notes[0]
    assert seen.look.performance is not None
    with pytest.raises(DataError, match="no champion"):
        watch(live, "nobody", at=at(14))


def test_the_service_takes_looks_when_they_are_due_and_goes_on_after_a_fault(begin, traffic, at, told):
    live, _ = begin("[watch]\njoint = false\n")
    traffic.answered(live, "calm", 0, 20)
    now = [at(14)]
    seen = []

    def sleep(seconds):
        now[0] += timedelta(seconds=seconds)

    service.run(live, [MODEL], lambda name, w: seen.append(w), now=lambda: now[0], sleep=sleep, rounds=2)
    ends = [w.look.ends for w in seen]
    assert ends == [at(14).isoformat(), at(21).isoformat()]
    now[0] = at(40)  # it was down for weeks: one look, on the grid
    service.run(live, [MODEL], lambda name, w: seen.append(w), now=lambda: now[0], sleep=sleep, rounds=1)
    assert seen[-1].look.ends == at(35).isoformat()


def test_the_service_reads_joined_tables_anew_and_says_what_it_is_blind_to_without_them(
    begin, traffic, at, told, tmp_path
):
    live, _ = begin("[watch]\njoint = false\n")
    traffic.answered(live, "calm", 0, 28)
    files = {name: str(tmp_path / f"{name}.parquet") for name in traffic.others}
    for name, frame in traffic.others.items():
        frame.to_parquet(files[name])
    now, seen = [at(14)], []

    def sleep(seconds):
        now[0] += timedelta(seconds=seconds)

    def run(rounds):
        service.run(
            live, [MODEL], lambda _, w: seen.append(w), files=files | {"else": "none.csv"}, now=lambda: now[0],
            sleep=sleep, rounds=rounds,
        )  # fmt: skip

    run(2)
    assert [w.look.notes for w in seen] == [(), ()]
    os.remove(next(iter(files.values())))
    run(1)
    assert isinstance(seen[2], HoldgoodError)
    assert "drift of features is not watched" in seen[3].look.notes[0]


def test_the_service_follows_what_goes_live_and_what_leaves(begin, traffic, at, told):
    live, _ = begin("[watch]\njoint = false\n")
    traffic.answered(live, "calm", 0, 20)
    now, seen = [at(14)], []

    def said(name, look):
        seen.append((name, look.look.ends))
        if len(seen) == 1:
            promote(live, live.at(MODEL).bundle_digest, "second", by="ann", why="for other callers")
        if len(seen) == 2:
            retire(live, MODEL, by="ann", why="nobody asks it")

    def sleep(seconds):
        now[0] += timedelta(seconds=seconds)

    service.run(live, None, said, now=lambda: now[0], sleep=sleep, rounds=3)
    assert [name for name, _ in seen] == [MODEL, "second", "second"]
    retire(live, "second", by="ann", why="nor this one")

    def enough():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # nothing is live: it waits for something
        service.run(live, None, said, now=lambda: now[0], sleep=lambda _: enough())


def test_the_service_ends_by_sigterm_between_looks(begin, traffic, at, told):
    """In a container it is the first process: a signal that it does not take is not delivered at all."""
    live, _ = begin("[watch]\njoint = false\n")
    traffic.answered(live, "calm", 0, 20)
    before = signal.getsignal(signal.SIGTERM)
    now, seen = [at(14)], []

    def said(name, look):
        seen.append(look.look.ends)
        signal.raise_signal(signal.SIGTERM)

    def sleep(seconds):
        now[0] += timedelta(seconds=seconds)

    with service.ended_by_sigterm() as ending:
        service.run(live, [MODEL], said, now=lambda: now[0], sleep=sleep, ended=lambda: ending.asked)
        assert seen == [at(14).isoformat()], "what was begun is finished, and no more is begun"
        ending.sleep(3600.0)  # no sleep any more
    with service.ended_by_sigterm() as ending:
        begun = time.monotonic()
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        service.run(live, [MODEL], said, now=lambda: at(15), sleep=ending.sleep, ended=lambda: ending.asked)
        assert time.monotonic() - begun < 30, "it knows while it sleeps"
    assert len(seen) == 1
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_reference_from_a_file(begin, traffic, others, at, small, told):
    live, _ = begin("[watch]\njoint = false\n")
    traffic.answered(live, "calm", 0, 14)
    tables = others(live)
    model = Predictor.load(live.bundle(live.at(MODEL).bundle_digest))
    usual = usual_of(model, traffic.part("calm", 0, 40).assign(left_at=np.datetime64("NaT")), tables)
    assert len(usual.frame) > 800
    assert watch(live, MODEL, at=at(14), usual=usual, others=tables).look.notes == ()
