"""The life of a model in small: a real server, weeks of traffic, late outcomes, watched, retrained, promoted; stopped and gone on with."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow as pa
import pytest

from holdgood.core.records import ChallengeLook, Prediction, WatchLook
from holdgood.workflow.demo_live import facts_of
from holdgood.workflow.live import walk as walking
from holdgood.workflow.live.walk import Event, Story, walk
from holdgood.workflow.predict import Predictor

pytest.importorskip("uvicorn")
MODEL = "company"
SETTINGS = """
[watch]
joint = false
[policy]
false_a_year = 6
least_rows = 100
cool_down = "1 d"
label_delay = "1 d"
memory = "12 d"
hold_out = "4 d"
shadow_rows = 150
shadow_days = 3
promote = "by itself"
"""


@pytest.fixture
def story(begin, traffic, at, tmp_path):
    live, project = begin(SETTINGS)
    rows = traffic.part("turned", 0, 20)
    rows = rows.assign(left_at=rows.placed + pd.to_timedelta(rows.hours_taken * 0.5, unit="h"))
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
        outcome=(rows.hours_taken > 3).tolist(),
        moment=rows.placed.to_numpy().astype("datetime64[us]"),
        begins=at(0),
        ends=at(20),
        days=10,
        tables=files,
        more={"weather": [files["weather"]]},
        late=1.0,
        events=(Event(at(0), "weight means the opposite from today"),),
    )


def test_a_life(story, monkeypatch):
    told: list[tuple[str, str, str]] = []

    def say(when, what, sentence):
        told.append((f"{when:%m-%d}", what, sentence))

    with monkeypatch.context() as patch:
        patch.setattr(walking, "tend", _stopped)
        with pytest.raises(KeyboardInterrupt):
            walk(story, say)
    answered = len(story.live.journal.read(Prediction))
    walk(story, say)
    kinds = [what for _, what, _ in told]
    assert kinds.count("the world") == 1 and kinds.count("watch") == 1 + 2
    assert kinds.index("the world") < kinds.index("retrain") < kinds.index("shadow")
    assert "promote" in kinds, told[-3:]
    first = story.rows.num_rows
    said = [p for _, p in story.live.journal.read(Prediction)]
    champions = [p for p in said if p.place == "champion"]
    assert len(champions) == len({p.id for p in champions}) == first and answered < first
    assert len(story.live.journal.read(WatchLook)) == 2
    assert "promote" in [look.decision for _, look in story.live.journal.read(ChallengeLook)]
    assert story.live.journal.verify() == []
    assert json.loads((story.live.path / "walk.json").read_text())["week"].startswith("2024-09-30")
    told.clear()
    walk(story, say)
    assert told == []


def _stopped(*_, **__):
    raise KeyboardInterrupt
