"""The life of a model in small: a real server, weeks of traffic, late outcomes told as columns, alarms, a retraining from the journal,
a promotion and the way back; stopped and gone on with."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext

import pandas as pd
import pyarrow as pa
import pytest

from holdgood.core.records import ChallengeLook, Prediction, WatchLook
from holdgood.workflow.demo_live import facts_of
from holdgood.workflow.live import walk as walking
from holdgood.workflow.live.asking import served
from holdgood.workflow.live.walk import Event, Story, walk
from holdgood.workflow.predict import Predictor

pytest.importorskip("uvicorn")
MODEL = "company"
SETTINGS = """
[watch]
joint = false
without = ["MON001", "MON002", "MON003"]
[policy]
false_a_year = 6
least_rows = 100
cool_down = "1 d"
label_delay = "1 d"
memory = "12 d"
hold_out = "4 d"
shadow_rows = 150
shadow_days = 3
probation_rows = 400
promote = "by itself"
"""


@pytest.fixture
def story(begin, traffic, at, tmp_path):
    live, project = begin(SETTINGS)
    rows = pd.concat([traffic.part("turned", 0, 19), traffic.part("calm", 19, 30)])
    files = {}
    for name, frame in traffic.others.items():
        files[name] = str(tmp_path / f"{name}-now.parquet")
        frame.to_parquet(files[name])
    return Story(
        model=MODEL,
        live=live,
        project=project,
        rows=pa.Table.from_pandas(rows, preserve_index=False),
        facts=facts_of(Predictor.load(live.bundle(live.at(MODEL).bundle_digest))),
        ids=rows.order.tolist(),
        outcome=[{"hours_taken": hours} for hours in rows.hours_taken],
        moment=rows.placed.to_numpy().astype("datetime64[us]"),
        begins=at(0),
        ends=at(30),
        days=10,
        tables=files,
        more={"weather": [files["weather"]]},
        late=1.0,
        events=(Event(at(0), "weight means the opposite from today"), Event(at(19), "and no longer")),
    )


def test_a_life(story, monkeypatch):
    told: list[tuple[str, str, str]] = []

    def say(when, what, sentence):
        told.append((f"{when:%m-%d}", what, sentence))

    with served(story.live.path, story.tables, story.live.path / "server.log") as server:
        monkeypatch.setattr(walking, "served", lambda *_: nullcontext(server))  # one server for both walks
        with monkeypatch.context() as patch:
            patch.setattr(walking, "tend", _stopped)
            with pytest.raises(KeyboardInterrupt):
                walk(story, say)
        answered = len(story.live.journal.read(Prediction))
        walk(story, say)
    kinds = [what for _, what, _ in told]
    assert kinds.count("the world") == 2 and kinds.count("watch") == 1 + 3, told
    order = [k for k in kinds if k in ("retrain", "shadow", "promote", "probation", "roll back")]
    assert order == ["retrain", "shadow", "promote", "probation", "roll back"], "\n".join(s for *_, s in told)
    assert "alarms: " in next(s for _, what, s in told if what == "watch")
    assert re.search(
        r"learned from (\d+) rows, 4\d\d of them from the journal", next(s for _, w, s in told if w == "shadow")
    )
    first = story.rows.num_rows
    said = [p for _, p in story.live.journal.read(Prediction)]
    champions = [p for p in said if p.place == "champion"]
    assert len(champions) == len({p.id for p in champions}) == first and answered < first
    assert len(story.live.journal.read(WatchLook)) == 3
    looks = [(look.phase, look.decision) for _, look in story.live.journal.read(ChallengeLook)]
    assert looks == [("shadow", "promote"), ("probation", "promote")]
    assert [s.action for s in story.live.standing(MODEL)] == ["roll back"]
    assert story.live.journal.verify() == []
    assert json.loads((story.live.path / "walk.json").read_text())["week"].startswith("2024-10-10")
    told.clear()
    walk(story, say)
    assert told == []


def _stopped(*_, **__):
    raise KeyboardInterrupt
