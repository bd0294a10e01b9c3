"""Open alarms are listed from what looks wrote down; nothing is looked at and nothing is written."""

import pytest

from holdgood.core.records import Acknowledgement, Alarm, Promotion, WatchLook
from holdgood.workflow.live.folder import Live


@pytest.fixture
def live(tmp_path):
    """Three looks: MON001 begins and goes on, MON007 begins and ends, MON004 is kept quiet."""
    folder = Live.create(tmp_path / "live")
    folder.journal.append(Promotion(model="flights", bundle_digest="d", by="ann", why="w"), "live")

    def alarm(code, severity, day):
        return Alarm(
            code=code, title="t", subject=f"of {code}", severity=severity, message=f"{code} [x] moved", id=f"id-{code}",
            model="flights", ends=f"2026-03-{day:02d}T00:00:00+00:00", todo=f"look at {code}",
        )  # fmt: skip

    def look(day, **more):
        return WatchLook(
            model="flights", bundle_digest="d", begins="b", ends=f"2026-03-{day:02d}T00:00:00+00:00", budget=1, alpha=0.01, rows=9, **more
        )  # fmt: skip

    one, seven, four = "id-MON001", "id-MON007", "id-MON004"
    folder.journal.append_many(
        [alarm("MON001", "low", 1), alarm("MON007", "high", 1), look(1, found=(one, seven), told=(one, seven)),
         look(8, found=(one,)), alarm("MON004", "medium", 15), look(15, found=(one, four), snoozed=(four,), ended=(seven,))],
        "watch",
    )  # fmt: skip
    return tmp_path, folder.journal


def test_what_is_open_since_when_last_found_seen_by_whom_and_what_to_do(live, cli):
    at, journal = live
    before = journal.heads()
    journal.append(Acknowledgement(alarm="id-MON001", who="bo", why="known", until="2999-04-01T00:00:00+00:00"), "live")
    journal.append(Acknowledgement(alarm="id-MON001", who="cy"), "live")
    told = cli("journal", "alarms", at=at)
    said = " ".join(told.out.split())
    assert "! MON004 MON004 [x] moved [id-MON004] flights, medium; since 2026-03-15T00:00" in said, said
    assert "seen by nobody yet do: look at MON004" in said
    assert (
        "flights, low; since 2026-03-01T00:00, last found 2026-03-15T00:00 UTC; acknowledged by bo (known), "
        "quiet until 2999-04-01T00:00 do: look at MON001" in said
    )
    assert "MON007" not in said
    assert "newest look: flights: 2026-03-15T00:00 UTC" in said
    assert {w: h.number for w, h in journal.heads().items() if w != "live"} == {
        w: h.number for w, h in before.items() if w != "live"
    }
    assert cli("journal", "alarms", "--strict", at=at).code == 1


def test_what_somebody_closed_is_called_closed_until_a_look_finds_it_again(live, cli):
    at, journal = live
    end = "2026-03-22T00:00:00+00:00"

    def look(ends, **more):
        journal.append(
            WatchLook(model="flights", bundle_digest="d", begins="b", ends=ends, budget=1, alpha=0.01, rows=0, **more), "watch"
        )  # fmt: skip

    look(end, unjudged=("id-MON001",))
    journal.append(Acknowledgement(alarm="id-MON001", who="cy", until="2999-04-01T00:00:00+00:00"), "live")
    journal.append(Acknowledgement(alarm="id-MON001", who="bo", why="branch shut", closes=end), "live")
    said = " ".join(cli("journal", "alarms", at=at).out.split())
    assert "closed by bo (branch shut), over at the next look unless it finds it again do: look at MON001" in said, said
    (still,) = [a for a in cli("journal", "alarms", "--json", at=at).json["alarms"] if a["code"] == "MON001"]
    assert still["closed"] == {"by": "bo", "why": "branch shut"}
    look("2026-03-29T00:00:00+00:00", found=("id-MON001",))
    said = " ".join(cli("journal", "alarms", at=at).out.split())
    assert "closed by" not in said and "acknowledged by cy" in said
    journal.append(
        Acknowledgement(alarm="id-MON001", who="bo", why="again", closes="2026-03-29T00:00:00+00:00"), "live"
    )
    look("2026-04-05T00:00:00+00:00", ended=("id-MON001",))
    said = " ".join(cli("journal", "alarms", "--all", at=at).out.split())
    assert "over since 2026-04-05T00:00; closed by bo (again)" in said and "next look" not in said


def test_all_has_those_that_are_over_and_json_has_everything(live, cli):
    at, _ = live
    found = cli("journal", "alarms", "--all", "--json", at=at).json
    assert found["looked"] == {"flights": "2026-03-15T00:00:00+00:00"}
    quiet, still, over = found["alarms"]
    assert (quiet["code"], quiet["quiet"], quiet["acknowledged"]) == ("MON004", True, None)
    assert (still["code"], still["since"][:10], still["last_found"][:10], still["over"]) == (
        "MON001",
        "2026-03-01",
        "2026-03-15",
        "",
    )
    assert (over["code"], over["over"][:10], over["last_found"][:10]) == ("MON007", "2026-03-15", "2026-03-01")


def test_what_begins_anew_is_seen_by_nobody_yet(live, cli):
    at, journal = live
    journal.append(Acknowledgement(alarm="id-MON007", who="bo"), "live")
    journal.append(
        WatchLook(model="flights", bundle_digest="d", begins="b", ends="2026-03-22T00:00:00+00:00", budget=1, alpha=0.01, rows=9,
                  found=("id-MON007",), told=("id-MON007",)), "watch",
    )  # fmt: skip
    worst, *others = cli("journal", "alarms", "--json", at=at).json["alarms"]
    assert (worst["code"], worst["since"][:10], worst["acknowledged"]) == ("MON007", "2026-03-22", None)
    assert [a["code"] for a in others] == ["MON001"], "what was kept quiet and is not found any more is gone"


def test_a_look_without_rows_ends_nothing_that_was_kept_quiet(live, cli):
    at, journal = live
    journal.append(
        WatchLook(model="flights", bundle_digest="d", begins="b", ends="2026-03-22T00:00:00+00:00", budget=1, alpha=0.01, rows=0), "watch",
    )  # fmt: skip
    assert [a["code"] for a in cli("journal", "alarms", "--json", at=at).json["alarms"]] == ["MON004", "MON001"]


def test_nothing_open_and_nobody_has_looked(tmp_path, cli):
    Live.create(tmp_path / "live")
    told = cli("journal", "alarms", "--strict", at=tmp_path)
    assert told.code == 0 and "no alarm is open (nobody has looked yet: holdgood watch does)" in told.out
