"""The live folder: what goes live, on what conditions, and how to go back."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from holdgood.bundle import save
from holdgood.core.errors import BundleError, DataError, DeclarationError, TamperedError
from holdgood.core.events import silent
from holdgood.core.records import ChallengeLook, Comparison, Promotion, Verdict
from holdgood.core.records.verdict import Gate
from holdgood.core.task import Task
from holdgood.journal import live_on, sql_session
from holdgood.workflow.live import promotion, retrain, service
from holdgood.workflow.live.approval import approve
from holdgood.workflow.live.conditions import against
from holdgood.workflow.live.folder import Live
from holdgood.workflow.live.promotion import promote, retire, roll_back

ANN = {"by": "ann", "why": "it earns more"}


@pytest.fixture
def live(tmp_path):
    return Live.create(tmp_path / "live")


@pytest.fixture
def made(tmp_path):
    """Save a bundle of a run: ``made(1)``, another content for another number."""

    def make(number, *, failed=False, kind="binary"):
        gate = Gate(name="calibration", status="failed" if failed else "passed", required="r", observed="off by 0.2")
        verdict = Verdict(status="not ready" if failed else "ready", headline="h", gates=(gate,))
        task = Task(kind=kind, classes=("no", "yes") if kind == "binary" else (), target="late")
        folder = tmp_path / "runs" / f"{number:04d}" / "bundle"
        save(
            folder,
            name="flights",
            parts={},
            records={"verdict": verdict},
            task=task,
            run=str(number),
            extra_json={"n": number},
        )
        return folder

    return make


def test_history_of_a_model_in_one_folder(live, made):
    one = promote(live, made(1), **ANN)
    assert (one.model, one.place, one.replaces, one.run) == ("flights", "champion", "", "1")
    evidence = Comparison(first="b", second="a", difference=1.0, low=0.2, high=1.8, p=0.01, verdict="better")
    canary = promote(live, made(2).parent, place="canary", share=0.1, evidence=evidence, **ANN)
    two = promote(live, canary.bundle_digest[:12], **ANN)
    assert two.replaces == one.bundle_digest
    assert [(s.place, s.bundle_digest) for s in live.standing("flights")] == [("champion", two.bundle_digest)]
    three = promote(live, made(3), **ANN)
    shutil.rmtree(made(1).parents[1])  # no run folder is needed to go back
    assert roll_back(live, "flights", by="bob", why="alarms").bundle_digest == two.bundle_digest
    back = roll_back(live, "flights", by="bob", why="still")
    assert (back.bundle_digest, back.replaces) == (one.bundle_digest, two.bundle_digest)
    with pytest.raises(DataError, match="no earlier champion") as said:
        roll_back(live, "flights", by="bob", why="more")
    were = f"one of those that were its champion: {two.bundle_digest[:12]}, {three.bundle_digest[:12]}"
    for part in (were, f"holdgood rollback flights --to {three.bundle_digest[:12]} --why REASON"):
        assert part in str(said.value), str(said.value)
    assert (
        roll_back(live, "flights", by="bob", why="x", to=three.bundle_digest[:9]).bundle_digest == three.bundle_digest
    )
    assert live.at("flights").by == "bob"
    assert live.at("flights", "canary") is None
    assert len(live.journal.read(Promotion, model="flights")) == 8
    assert live.journal.verify(live.journal.heads()) == []
    assert [s.bundle_digest for s in live_on(live.journal, "2000-01-01")] == []


def test_failed_gates_hold_it_back_unless_overruled_for_a_reason(live, made):
    with pytest.raises(DataError, match="gate 'calibration' failed: off by 0.2"):
        promote(live, made(1, failed=True), **ANN)
    assert live.standing() == []
    assert promote(live, made(1, failed=True), place="shadow", **ANN).overruled == ()
    said = promote(live, made(1, failed=True), by="ann", why="the board decided", overrule=True)
    assert said.overruled == ("gate 'calibration' failed: off by 0.2",)
    assert live.at("flights").overruled == said.overruled
    assert live.at("flights", "shadow") is None


def test_approvals_of_others_where_settings_ask_for_them(live, made):
    (live.path / "live.toml").write_text('[approval]\nneeded = 1\nby = ["ann", "bob"]\n')
    live = Live.open(live.path)
    with pytest.raises(DataError, match="0 of 1 approvals of ann, bob"):
        promote(live, made(1), **ANN)
    with pytest.raises(DeclarationError, match="'bop' is not among.*\n.*\n.*did you mean 'bob'"):
        approve(live, made(1), who="bop")
    approve(live, made(1), who="ann")
    with pytest.raises(DataError, match="0 of 1 approvals"):
        promote(live, made(1), **ANN)
    approve(live, made(1), who="bob", approved=False, why="no rollback plan")
    with pytest.raises(DataError, match="bob refused it"):
        promote(live, made(1), **ANN)
    word = approve(live, made(1), who="bob")
    assert promote(live, word.bundle_digest, **ANN).approvals == ("ann", "bob")
    with pytest.raises(DataError, match="0 of 1"):
        promote(live, made(2), **ANN)  # an approval is of one digest


def test_another_question_is_told(live, made):
    promote(live, made(1), **ANN)
    with pytest.raises(DataError, match="its kind is 'regression', the champion's 'binary'"):
        promote(live, made(2, kind="regression"), **ANN)


def test_a_bundle_that_was_changed_goes_nowhere(live, made):
    first = promote(live, made(1), **ANN)
    bad = made(2)
    (bad / "extra.json").write_bytes((bad / "extra.json").read_bytes().replace(b"2", b"9"))
    with pytest.raises(TamperedError):
        promote(live, bad, **ANN)
    promote(live, made(3), **ANN)
    (live.bundle(first.bundle_digest) / "task.json").unlink()
    with pytest.raises(BundleError, match="missing"):
        roll_back(live, "flights", by="bob", why="alarms")
    assert live.at("flights").run == "3"
    promote(live, made(1), **ANN)  # from its run folder the kept copy is made whole again
    assert live.at("flights").run == "1"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"by": " "}, "without a name"),
        ({"place": "throne"}, "no place 'throne'"),
        ({"place": "canary"}, "canary needs --share"),
        ({"place": "canary", "share": 1.5}, "share of 1.5"),
        ({"place": "canary", "share": 0.1}, "has no champion"),
        ({"share": 0.5}, "a champion with a share"),
        ({"model": "m" * 501}, "needs a name"),
        ({"when": "2999-01-01"}, "dated 2999"),
    ],
)
def test_what_makes_no_sense_changes_nothing(live, made, more, said):
    with pytest.raises((DataError, DeclarationError), match=said):
        promote(live, made(1), **{**ANN, **more})
    assert live.journal.entries() == []


def test_moments_may_be_stated_but_history_is_not_written_anew(live, made):
    promote(live, made(1), when="2013-02-01", **ANN)
    promote(live, made(2), when="2013-03-01", **ANN)
    with pytest.raises(DataError, match="last change \\(2013-03-01"):
        promote(live, made(3), when="2013-02-15", **ANN)
    assert live_on(live.journal, "2013-02-10")[0].run == "1"
    assert live.at("flights").run == "2"


def test_places_are_emptied_the_champion_last(live, made):
    promote(live, made(1), **ANN)
    promote(live, made(2), place="shadow", **ANN)
    with pytest.raises(DataError, match="still has a shadow"):
        retire(live, "flights", **ANN)
    retire(live, "flights", "shadow", **ANN)
    with pytest.raises(DataError, match="has no shadow"):
        retire(live, "flights", "shadow", **ANN)
    retire(live, "flights", **ANN)
    assert live.standing() == []
    assert roll_back(live, "flights", **ANN).run == "1"


def test_a_folder_that_is_none_and_settings_that_are_wrong(live, tmp_path):
    with pytest.raises(DataError, match="is no live folder.*\n.*\n.*did you mean 'live'"):
        Live.open(tmp_path / "lice")
    (live.path / "live.toml").write_text("[aproval]\nneeded = 1\n")
    with pytest.raises(DeclarationError, match="unknown name, did you mean 'approval'"):
        Live.open(live.path)
    (live.path / "live.toml").write_text("= 1")
    with pytest.raises(DeclarationError, match="not valid TOML"):
        Live.open(live.path)
    (live.path / "live.toml").write_text("[serve]\n\n[keep]\n\n[serve]\n")
    with pytest.raises(DeclarationError, match=r"each \[part\] once\n.*the part that stands there already"):
        Live.open(live.path)


def test_the_journal_may_lie_elsewhere(live, tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDGOOD_JOURNAL", str(tmp_path / "other.sqlite"))
    assert Live.open(live.path).journal.path == tmp_path / "other.sqlite"


def test_a_forecast_has_no_verdict_and_goes_live_the_same_way(live, tmp_path):
    folder = tmp_path / "forecast"
    save(folder, name="demand", parts={}, records={}, task=Task(kind="forecast", target="units"))
    assert promote(live, folder, "demand of stores", **ANN).model == "demand of stores"
    assert live.at("demand of stores").overruled == ()


@pytest.mark.parametrize(("place", "share"), [("canary", 0.1), ("shadow", None)])
def test_a_forecast_goes_to_no_place_where_nobody_would_ask_it_and_is_named_as_not_watched(
    live, made, tmp_path, place, share
):
    promote(live, made(1), **ANN)
    for number in (1, 2):
        task = Task(kind="forecast", target="units")
        save(tmp_path / f"f{number}", name="demand", parts={}, records={}, task=task, extra_json={"n": number})
    promote(live, tmp_path / "f1", **ANN)
    with pytest.raises(DataError, match=f"would be asked nothing as a {place}"):
        promote(live, tmp_path / "f2", place=place, share=share, **ANN)
    assert service.champions(live) == ["flights"] and service.champions(live, forecasting=True) == ["demand"]


def test_a_bundle_that_was_put_in_anothers_place_goes_nowhere(live, made):
    """It verifies by itself; its name says that it is another."""
    one, two = promote(live, made(1), **ANN), promote(live, made(2), **ANN)
    kept = live.path / "bundles" / one.bundle_digest
    shutil.rmtree(kept)
    shutil.copytree(made(9, failed=True), kept)
    with pytest.raises(TamperedError, match="is another"):
        roll_back(live, "flights", by="bob", why="alarms")
    with pytest.raises(TamperedError, match="is another"):
        promote(live, one.bundle_digest, place="shadow", **ANN)
    with pytest.raises(TamperedError, match="is another"):
        approve(live, one.bundle_digest, who="bob")
    assert live.at("flights").bundle_digest == two.bundle_digest
    assert promote(live, made(1), **ANN).bundle_digest == one.bundle_digest  # from its run it is made whole again
    assert roll_back(live, "flights", by="bob", why="alarms").bundle_digest == two.bundle_digest


def test_two_who_promote_at_once_are_written_one_after_the_other(live, made, monkeypatch):
    promote(live, made(1), **ANN)
    both, seen = threading.Barrier(2), threading.local()

    def conditions(*args, **named):
        if not hasattr(seen, "once"):
            seen.once = True
            both.wait()  # both have looked before either writes
        return against(*args, **named)

    monkeypatch.setattr(promotion, "against", conditions)
    bundles = [made(2), made(3)]
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda b: promote(live, b, **ANN), bundles)
    history = [said for _, said in live.journal.read(Promotion)]
    assert [p.replaces for p in history[1:]] == [p.bundle_digest for p in history[:-1]]
    assert {p.bundle_digest for p in history[1:]} == {one.bundle_digest, two.bundle_digest}
    with pytest.raises(DataError, match="is the champion of flights by now, not"):
        promote(live, made(4), instead_of=history[0].bundle_digest, **ANN)


def test_a_clock_that_was_set_back_keeps_nobody_from_going_back(live, made, monkeypatch):
    one, two = promote(live, made(1), **ANN), promote(live, made(2), **ANN)

    class Behind(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - timedelta(hours=3)

    monkeypatch.setattr(promotion, "datetime", Behind)
    monkeypatch.setattr(sql_session, "datetime", Behind)
    assert roll_back(live, "flights", by="bob", why="alarms").bundle_digest == one.bundle_digest
    assert live.at("flights").bundle_digest == one.bundle_digest
    assert promote(live, made(2), **ANN).replaces == one.bundle_digest
    assert live.at("flights").bundle_digest == two.bundle_digest
    assert live.journal.verify(live.journal.heads()) == []


def test_a_challenger_that_beat_a_champion_of_yesterday_does_not_go_live(live, made):
    yesterday = promote(live, made(1), **ANN)
    found = live.at("flights")
    digest = live.keep(made(3)).digest
    promote(live, made(2), **ANN)  # a person acts while the challenger is trained
    asked = retrain.Asked(live, "flights", None, (), {}, datetime.now(UTC), False, True, "the policy", silent)
    look = ChallengeLook(
        model="flights", champion=yesterday.bundle_digest, challenger=digest, phase="held out", decision="promote", reason="better"
    )  # fmt: skip
    step = retrain._go_live(asked, found, digest, look)
    assert (step.what, step.on) == ("not yet", False)
    assert live.at("flights").run == "2"


def test_a_challenger_that_a_person_refused_leaves_the_shadow(live, made):
    """It has won, and somebody said no: nothing waits for ever, and the next challenger can come."""
    promote(live, made(1), **ANN)
    digest = promote(live, made(2), place="shadow", **ANN).bundle_digest
    approve(live, digest, who="bob", approved=False, why="too dear")
    asked = retrain.Asked(live, "flights", None, (), {}, datetime.now(UTC), False, True, "the policy", silent)
    look = ChallengeLook(
        model="flights", champion=live.at("flights").bundle_digest, challenger=digest, phase="shadow", decision="promote", reason="better"
    )  # fmt: skip
    step = retrain._go_live(asked, live.at("flights"), digest, look)
    assert (step.what, step.waits) == ("keep", False)
    assert "bob refused it" in step.sentence
    assert live.at("flights", "shadow") is None
    assert live.at("flights").run == "1"


@pytest.mark.parametrize(
    ("asked", "said"), [({"now": datetime(2999, 1, 1, tzinfo=UTC)}, "in the past"), ({"by": " "}, "whose word")]
)
def test_what_a_promotion_would_refuse_is_refused_before_anything_is_trained(live, made, asked, said):
    promote(live, made(1), **ANN)
    with pytest.raises(DeclarationError, match=said):
        retrain.tend(live, **asked)
