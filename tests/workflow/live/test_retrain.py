"""A model in use, tended: considered, retrained, compared in the shadow, promoted, on probation, rolled back; killed and taken up."""

from __future__ import annotations

import pandas as pd
import pytest

from holdgood.core.errors import DataError, EnvironmentFault
from holdgood.core.records import Alarm, ChallengeLook, CleanLog, Label, Promotion, RetrainDecision, WatchLook
from holdgood.workflow.live import retrain
from holdgood.workflow.live.retrain import tend
from holdgood.workflow.live.watch import watch
from holdgood.workflow.live.weighing import gather

MODEL = "company"
SETTINGS = """
[watch]
joint = false
without = ["MON001", "MON002", "MON003"]
[policy]
false_a_year = 6
least_rows = 60
cool_down = "1 d"
shadow_rows = 200
shadow_days = 3
probation_rows = 150
hold_out = "8 d"
memory = "20 d"
promote = "by itself"
"""


@pytest.fixture(scope="module")
def traffic(traffic):
    return traffic.thinned(2)


def what(tended):
    return [step.what for step in tended.steps]


@pytest.fixture
def weather(traffic, tmp_path):
    """The feed goes on: rows that the project's own weather does not have."""
    file = tmp_path / "weather-later.parquet"
    traffic.others["weather"].to_parquet(file)
    return {"weather": [str(file)]}


def test_the_whole_loop_by_itself(begin, traffic, weather, at, monkeypatch, trained_once):
    live, project = begin(SETTINGS)

    def pass_at(day):
        return tend(live, project=project, related=weather, now=at(day))

    traffic.answered(live, "calm", 0, 14)
    quiet = pass_at(14.5)
    assert what(quiet) == ["do not retrain"], quiet
    assert "a change without a cause" in quiet.steps[0].sentence
    pass_at(14.5)
    assert len(live.journal.read(RetrainDecision)) == 1, "the same word twice is said once"

    # the world turns; the pass that decides is killed while it trains, and the next one takes it up
    traffic.answered(live, "turned", 14, 35)
    with monkeypatch.context() as patch:
        patch.setattr(retrain, "run", _killed)
        with pytest.raises(KeyboardInterrupt):
            pass_at(36)
    assert [d.decision for _, d in live.journal.read(RetrainDecision)] == ["do not retrain", "retrain"]
    made = pass_at(36)
    assert what(made) == ["shadow"], made
    assert len(live.journal.read(RetrainDecision)) == 2
    assert live.journal.read(CleanLog)[0][1].entries[0].repair == "newest-label"
    first, challenger = live.at(MODEL).bundle_digest, live.at(MODEL, "shadow").bundle_digest

    # beside each other, then the better one goes live and the replaced one answers in its shadow
    early = traffic.answered(live, "turned", 36, 41, told=False)
    assert pass_at(37).steps[0].what == "not yet"
    traffic.tell(live, early)
    traffic.answered(live, "turned", 41, 58)
    made = pass_at(60)
    assert what(made) == ["promote", "probation", "not yet"], made
    stood = live.at(MODEL)
    assert stood.bundle_digest == challenger and stood.evidence.verdict == "better" and stood.by == "the policy"
    assert live.at(MODEL, "shadow").bundle_digest == first

    about = Alarm(
        code="MON001", title="drift", subject="x", severity="high", message="x", model=MODEL, ends=at(81).isoformat()
    )
    live.journal.append(about, "watch")  # about the one that is about to be replaced

    # the world turns back: what was replaced is proven better, and is the champion again
    traffic.answered(live, "calm", 60, 80)
    made = pass_at(82)
    assert what(made)[:2] == ["roll back", "clear"], made
    assert live.at(MODEL).bundle_digest == first and live.at(MODEL, "shadow") is None

    # what is restored is not judged by the world that had turned against it before it was replaced
    seen = gather(live, MODEL, live.at(MODEL), project, at(83))
    assert not len(seen.rows) and seen.evidence.left_out > 100
    traffic.answered(live, "calm", 83, 90)
    seen = gather(live, MODEL, live.at(MODEL), project, at(91))
    assert seen.rows.moment.min() >= at(82).timestamp() * 1e6
    assert seen.evidence.performance.verdict != "worse", seen.evidence.performance
    assert seen.evidence.alarms == ()
    assert "MON007" not in {a.code for a in watch(live, MODEL, at=at(91)).alarms}
    looks = [(look.phase, look.decision) for _, look in live.journal.read(ChallengeLook)]
    assert looks == [("shadow", "promote"), ("probation", "promote")]
    assert not live.journal.verify()


def _killed(*_, **__):
    raise KeyboardInterrupt


def test_alarms_that_are_open_since_before_a_rollback_are_said_to_be(begin, at):
    live, project = begin(SETTINGS)
    when, ends = at(8.5).isoformat(), at(5).isoformat()
    alarm = Alarm(code="MON007", title="t", subject="all", severity="high", message="m", id="a", model=MODEL, ends=ends)
    seen = {"budget": 1, "alpha": 0.01, "rows": 90, "bundle_digest": live.at(MODEL).bundle_digest, "begins": ends}
    told = WatchLook(model=MODEL, ends=ends, found=("a",), told=("a",), **seen)
    over = WatchLook(model=MODEL, ends=at(12).isoformat(), ended=("a",), **seen)
    stood = live.at(MODEL).bundle_digest
    back = Promotion(model=MODEL, bundle_digest=stood, action="roll back", by="Ada", why="back", when=when)
    live.journal.append_many([alarm, told, back, over], "server")
    sentence = tend(live, project=project, now=at(9)).steps[0].sentence
    older = f"no alarm since it stands here (since {when[:16]}); 1 older one is still open (holdgood journal alarms); "
    assert sentence.startswith(older), sentence
    assert tend(live, project=project, now=at(13)).steps[0].sentence.startswith("no alarm; ")


def test_outcomes_corrected_later_are_learned_as_corrected_and_counted(begin, small, traffic, weather, at, monkeypatch):
    live, project = begin(SETTINGS)
    monkeypatch.setattr(
        retrain, "run", lambda *_, **__: small
    )  # what is learned from is looked at, not what is learned
    rows = traffic.answered(live, "turned", 0, 21)
    wrong = rows.order.iloc[300:307]
    again = [Label(prediction=o, model=MODEL, known_time=at(21).isoformat(), value={"hours_taken": 9.0}) for o in wrong]
    live.journal.append_many(again, "server")
    # the same rows come as a file too, with the outcomes as they were first told
    file = project.path / "more.parquet"
    rows.assign(left_at=pd.NaT).to_parquet(file)
    found = tend(live, project=project, new=[str(file)], related=weather, now=at(22))
    assert what(found) == ["retrain", "keep"] and "the same model" in found.steps[1].sentence, found
    log = live.journal.read(CleanLog)[0][1].entries[0]
    assert log.cells_changed == 7 and "7 outcomes corrected" in log.sentence
    learned = pd.read_parquet(next((live.path / "retraining").glob("orders-*.parquet"))).set_index("order").hours_taken
    assert (learned[wrong] == 9.0).all() and learned.index.is_unique


def test_a_person_is_waited_for_where_the_policy_says_so(begin, traffic, weather, at, trained_once):
    settings = SETTINGS.replace('"by itself"', '"ask"') + 'fresh_rows = "held out"\n'
    live, project = begin(settings)
    traffic.answered(live, "turned", 0, 35)
    found = tend(live, project=project, related=weather, now=at(36))
    assert what(found) == ["retrain", "waits"], found
    assert "holdgood promote" in found.waits
    look = live.journal.read(ChallengeLook)[0][1]
    assert look.phase == "held out" and look.decision == "promote" and look.comparison.verdict == "better"
    assert live.at(MODEL).by == "Ada" and len(live.journal.read(Promotion)) == 1


def test_two_passes_at_once_and_models_that_are_not_there(begin):
    live, project = begin(SETTINGS)
    with retrain.alone(live, "retrain", "tended", MODEL), pytest.raises(EnvironmentFault, match="another process"):
        tend(live, project=project)
    with pytest.raises(DataError, match="did you mean 'company'"):
        tend(live, "compny", project=project)


def test_labels_that_are_no_class_are_left_out_and_seen_once_corrected(begin, small, traffic, weather, at, monkeypatch):
    live, project = begin(SETTINGS)
    wrong = list(traffic.answered(live, "turned", 0, 21).order.iloc[300:303])
    known = at(21).isoformat()
    live.journal.append_many([Label(prediction=o, model=MODEL, known_time=known, value="perhaps") for o in wrong], "x")
    learned = []

    def trained(made, **_):
        file = made.declaration.tables["orders"].source
        learned.append(pd.read_parquet(file).set_index("order").hours_taken)
        if len(learned) == 1:
            _killed()
        return small

    monkeypatch.setattr(retrain, "run", trained)
    with pytest.raises(KeyboardInterrupt):
        tend(live, project=project, related=weather, now=at(22))
    assert not learned[0].index.isin(wrong).any() and set(learned[0]) <= {1.0, 5.5}
    # two are corrected before the pass is taken up again
    later = at(22.5).isoformat()
    again = [Label(prediction=o, model=MODEL, known_time=later, value={"hours_taken": 9.0}) for o in wrong[:2]]
    live.journal.append_many(again, "x")
    found = tend(live, project=project, related=weather, now=at(23))
    assert f"1 label left out, no outcome that the model knows: {wrong[2]}" in found.steps[-1].sentence, found
    assert (learned[1][wrong[:2]] == 9.0).all() and wrong[2] not in learned[1].index
