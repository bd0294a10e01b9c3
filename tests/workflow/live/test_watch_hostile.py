"""What goes wrong around a watch: receivers that are down for days, two watchers, clocks that jump, outcomes later than any window, zones."""

from datetime import timedelta

import pytest

from holdgood.cli.watched import look_text
from holdgood.core.errors import DataError, DeclarationError, EnvironmentFault
from holdgood.core.records import Acknowledgement, Delivery, WatchLook
from holdgood.monitoring.routes import Undelivered
from holdgood.workflow.live import delivery, service
from holdgood.workflow.live.acknowledging import acknowledged
from holdgood.workflow.live.alone import alone
from holdgood.workflow.live.folder import Live
from holdgood.workflow.live.watch import watch

MODEL = "company"
HOOK = '[[route]]\nname = "hook"\nkind = "webhook"\nurl = "http://127.0.0.1:9/"\n'
MAIL = '[[route]]\nname = "mail"\nkind = "email"\nhost = "x"\nsender = "a@b"\nto = ["c@d"]\n'
QUICK = '[watch]\njoint = false\nwithout = ["MON001", "MON002"]\n'


def test_a_receiver_that_is_down_for_many_looks_hears_all_of_it_once_it_is_back(begin, traffic, at, monkeypatch):
    live, _ = begin(QUICK + "windows = [1]\n" + HOOK)
    traffic.answered(live, "turned", 0, 7)
    traffic.answered(live, "calm", 7, 28)
    tried = []

    def away(route, message):
        tried.append(message.key)
        raise Undelivered("the receiver is away")

    monkeypatch.setattr(delivery, "send", away)
    first = watch(live, MODEL, at=at(8))
    assert "MON007" in {a.code for a in first.alarms}
    for day in (15, 22, 23, 24):  # over at the second of these
        seen = watch(live, MODEL, at=at(day))
    assert seen.undelivered
    sent = []
    monkeypatch.setattr(delivery, "send", lambda route, message: sent.append((message.alarm.code, message.about)))
    last = watch(live, MODEL, at=at(25))
    assert not last.undelivered
    assert [about for code, about in sent if code == "MON007"] == ["begins", "ends"]
    assert len(sent) == len(set(sent))
    watch(live, MODEL, at=at(26))
    assert len(sent) == len(set(sent))


def test_a_route_that_is_down_is_not_knocked_at_for_every_message(begin, monkeypatch, at):
    from holdgood.core.records import Alarm
    from holdgood.workflow.live.delivery import deliver, message_of

    live, _ = begin(HOOK + MAIL)
    alarms = [Alarm(code="MON001", title="t", subject=f"c{i}", severity="high", message="m", id=f"i{i}", model=MODEL) for i in range(9)]  # fmt: skip
    messages = [message_of(a, "begins", at(1).isoformat(), at(2).isoformat()) for a in alarms]
    tried = []

    def hook_is_away(route, message):
        tried.append(route.name)
        if route.name == "hook":
            raise Undelivered("away")

    monkeypatch.setattr(delivery, "send", hook_is_away)
    faults = deliver(live, MODEL, messages)
    assert tried.count("hook") == delivery.PATIENCE and tried.count("mail") == 9
    assert faults[-1] == "6 more wait for hook, which is tried again at the next look"
    monkeypatch.setattr(delivery, "send", lambda route, message: tried.append("again"))
    assert deliver(live, MODEL, [], messages) == []
    assert tried.count("again") == delivery.PATIENCE  # what failed; what nobody tried comes with the looks that said it
    assert deliver(live, MODEL, messages) == []
    assert tried.count("again") == 9
    assert {d.state for _, d in live.journal.read(Delivery, model=MODEL)} == {"begun", "failed", "sent"}


def test_two_watchers_at_once_are_one(begin, traffic, at):
    live, _ = begin(QUICK)
    with (
        alone(live, "watch", "watched", MODEL),
        pytest.raises(EnvironmentFault, match="being watched by another process"),
    ):
        watch(live, MODEL, at=at(8))
    assert live.journal.read(WatchLook) == []
    watch(live, MODEL, at=at(8))  # it is free again


def test_a_live_folder_that_cannot_be_written_is_told_before_anything_is_looked_at(begin, at, monkeypatch):
    live, _ = begin(QUICK)
    (live.path / ".watch.lock").mkdir()  # root may write anywhere: a folder in its place is what nobody may
    with pytest.raises(EnvironmentFault, match="cannot write"):
        watch(live, MODEL, at=at(8))


def test_seen_twice_and_in_another_zone(begin, traffic, at):
    live, _ = begin(QUICK + "windows = [1]\n")
    traffic.answered(live, "turned", 0, 7)
    (alarm,) = [a for a in watch(live, MODEL, at=at(8)).alarms if a.code == "MON007"]
    # five in the morning in Karachi is midnight in UTC
    acknowledged(live, alarm.id, by="ann", until=at(50).isoformat().replace("00:00:00+00:00", "05:00:00+05:00"))
    acknowledged(live, "MON007", by="bob")
    with pytest.raises(DataError, match=f"(?s)no open alarm with the code 'MON010'.*{alarm.id}"):
        acknowledged(live, "MON010", by="bob")
    assert f"[{alarm.id}, new, acknowledged by ann, quiet until {at(50).isoformat()[:16]}]" in look_text(
        watch(live, MODEL, at=at(8))
    )
    assert live.journal.read(Acknowledgement)[0][1].until == at(50).isoformat()
    with pytest.raises(DeclarationError, match="until 'soon' is no day or time"):
        acknowledged(live, alarm.id, by="ann", until="soon")
    traffic.answered(live, "calm", 7, 22)
    for day in (15, 22):
        watch(live, MODEL, at=at(day))  # it is over
    traffic.answered(live, "turned", 35, 42)
    assert alarm.id in watch(live, MODEL, at=at(43)).look.snoozed  # though bob has seen it since
    traffic.answered(live, "turned", 43, 50)
    assert alarm.id in watch(live, MODEL, at=at(50) + timedelta(hours=1)).look.told


def test_a_clock_that_was_ahead_stops_no_watch(begin, traffic, at):
    live, _ = begin(QUICK)
    traffic.answered(live, "calm", 0, 7)
    watch(live, MODEL, at=at(4000))  # taken while the clock was wrong
    now, seen = [at(8)], []

    def sleep(seconds):
        now[0] += timedelta(seconds=seconds)

    def said(name, looked):
        seen.append(looked.look.ends)
        if len(seen) == 2:
            now[0] = at(3)  # set back while the service runs

    service.run(live, [MODEL], said, now=lambda: now[0], sleep=sleep, rounds=3)
    assert seen[:2] == [at(8).isoformat(), at(15).isoformat()]
    assert now[0] <= at(11)


def test_outcomes_later_than_any_window_are_said_not_passed_over(begin, traffic, at):
    live, _ = begin(QUICK + "windows = [1, 2]\n")
    orders = traffic.answered(live, "turned", 0, 60, told=False)
    traffic.tell(live, orders, days=30.0)
    seen = watch(live, MODEL, at=at(60))
    assert seen.look.performance is None and "MON007" not in {a.code for a in seen.alarms}
    (note,) = [n for n in seen.look.notes if "later than the longest window" in n]
    assert "after 30 days (median)" in note and "a window of 9 looks" in note
    (live.path / "live.toml").write_text(QUICK + "windows = [1, 9]\n")
    wide = watch(Live.open(live.path), MODEL, at=at(60) + timedelta(hours=1))
    assert "MON007" in {a.code for a in wide.alarms}
    assert not [n for n in wide.look.notes if "later than" in n]


def test_routes_of_one_name_are_refused(begin):
    live, _ = begin("")
    (live.path / "live.toml").write_text(HOOK + HOOK)
    with pytest.raises(DeclarationError, match="hook"):
        Live.open(live.path)
