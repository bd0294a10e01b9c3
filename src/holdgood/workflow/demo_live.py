"""The life of a model: the flights of 2013, served from September on, with one change of the world that is planted and says so."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from holdgood.connectors import read_table, write_table
from holdgood.core.declared_live import LIVE_FILE
from holdgood.core.events import Listener, silent
from holdgood.core.records import Standing
from holdgood.core.records.envelope import write_bytes
from holdgood.reports.life_report import render_life
from holdgood.workflow.demo import example, make_demo
from holdgood.workflow.folder import Project
from holdgood.workflow.live.folder import Live
from holdgood.workflow.live.promotion import promote
from holdgood.workflow.live.told_steps import ToldSteps
from holdgood.workflow.live.walk import Event, Say, Story, walk
from holdgood.workflow.predict import Predictor
from holdgood.workflow.result import Run
from holdgood.workflow.run import run

MODEL = "late-flights"
EVERY = 4
"""Every fourth flight, two families and a budget of work: the walk ends in minutes, and is the same on a busy machine."""

TRIALS, FAMILIES = 4, ["linear", "lightgbm"]
LATE_DAYS = 2.0


@dataclass(frozen=True)
class Planted:
    """When the flights' own world is changed, and what happens to delays then: mornings late, evenings on time."""

    begins: datetime
    ends: datetime

    def outcome(self, delay: np.ndarray, hour: np.ndarray, moment: np.ndarray) -> np.ndarray:
        """Minutes late in the changed world; NaN stays NaN."""
        inside = (moment >= _plain(self.begins)) & (moment < _plain(self.ends))
        hit = np.random.default_rng(13).random(len(delay)) < 0.85
        changed = delay + np.where(inside & hit & (hour < 12), 60.0, 0.0)
        return np.where(inside & hit & (hour >= 15), np.minimum(changed, 10.0), changed)


PLANTED = Planted(datetime(2013, 10, 1, tzinfo=UTC), datetime(2013, 11, 1, tzinfo=UTC))
GO_LIVE, END = datetime(2013, 9, 16, tzinfo=UTC), datetime(2013, 11, 18, tzinfo=UTC)
SETTINGS = f"""\
# How the demo's model is watched and retrained. All names: docs/reference/live.
[watch]
joint = false            # all features together take some seconds a look

[policy]
false_a_year = 0.5
smallest_fall = 0.01     # nats a flight
least_rows = 1000
cool_down = "7 d"
label_delay = "{LATE_DAYS:g} d"
memory = "14 d"          # a challenger learns from the newest two weeks
hold_out = "4 d"
shadow_rows = 2000
shadow_days = 7
probation_rows = 5000
promote = "by itself"    # the demo asks nobody; left out, a person lets it go live
roll_back = "by itself"
"""


CHAPTERS = ("retrain", "shadow", "promote", "probation", "roll back")
"""What the walk is there to show after its model went live, in this order."""


@dataclass(frozen=True)
class Lived:
    """Where everything is, and what stands at the end."""

    folder: Path
    live: Live
    run: Run
    standing: tuple[Standing, ...]
    faults: tuple[str, ...]
    page: Path
    steps: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Chapters that did not come, in their order: the first going live is none."""
        came, rest = iter(self.steps[1:]), list(CHAPTERS)
        while rest and any(step == rest[0] for step in came):
            rest.pop(0)
        return tuple(rest)


def live_demo(
    folder: Path, say: Say, *, listener: Listener = silent, planted: Planted = PLANTED, until: datetime = END
) -> Lived:
    """Make the project, train, go live, and walk through the autumn; what was done already is told again and not done again."""
    make_demo(folder)
    project = _project(folder)
    runs = [r for r in project.runs() if r.status().get("status") == "done"]
    first = Run.open(project, runs[0]) if runs else run(project, listener=listener)
    live = Live.create(folder / "live")
    write_bytes(live.path / LIVE_FILE, SETTINGS.encode())
    live = Live.open(live.path)
    kept = ToldSteps(live.path / "steps.jsonl")
    for step in kept.all():
        say(datetime.fromisoformat(step["when"]), step["what"], step["sentence"])

    def told(when: datetime, what: str, sentence: str) -> None:
        step = {"when": f"{when:%Y-%m-%d}", "what": what, "sentence": sentence}
        if kept.add(step):  # a week that is walked again after a stop is told once
            say(when, what, sentence)

    if live.at(MODEL) is None:
        why = f"run {first.id}: {first.verdict.headline}"
        promote(live, first.bundle, MODEL, by="the demo", why=why, when=GO_LIVE.isoformat())
        told(GO_LIVE, "promote", f"{MODEL} goes live. {why}")
    story = replace(_story(folder, live, project, first.model, planted), ends=until, listener=listener)
    walk(story, told)
    standing, faults, page = tuple(live.standing(MODEL)), tuple(live.journal.verify()), folder / "life.html"
    write_bytes(page, render_life(MODEL, kept.all(), standing, faults).encode())
    return Lived(folder, live, first, standing, faults, page, tuple(step["what"] for step in kept.all()))


def _project(folder: Path) -> Project:
    """The demo's declaration over every fourth flight, with a budget of its own."""
    whole = Project.at(folder)
    declared = whole.declaration
    thin = folder / "data" / "thin"
    if not (thin / "flights.parquet").exists():
        thin.mkdir(parents=True, exist_ok=True)
        for source, to in (("flights", "flights"), ("later/flights", "later")):
            table = pq.read_table(folder / "data" / f"{source}.parquet")
            write_table(table.take(pa.array(np.arange(0, table.num_rows, EVERY))), thin / f"{to}.parquet")
        both = [pq.read_table(folder / "data" / f"{n}.parquet") for n in ("weather", "later/weather")]
        write_table(pa.concat_tables(both), thin / "weather.parquet")
    flights = declared.tables["flights"].model_copy(update={"source": "data/thin/flights.parquet"})
    budget = declared.budget.model_copy(update={"run": None, "trials": TRIALS, "models": FAMILIES})
    changed = declared.model_copy(update={"tables": {**declared.tables, "flights": flights}, "budget": budget})
    return Project(whole.path, changed)


def _story(folder: Path, live: Live, project: Project, model: Predictor, planted: Planted) -> Story:
    thin, data = folder / "data" / "thin", folder / "data"
    named = tomllib.loads((example() / "demo.toml").read_text(encoding="utf-8"))["live"]
    rows = read_table(thin / "later.parquet", name="flights").data
    rows = rows.sort_by(named["moment"])
    moment = rows.column(named["moment"]).to_numpy().astype("datetime64[us]")
    delay = rows.column(named["delay"]).to_numpy().astype(np.float64)
    hour = rows.column(named["hour"]).to_numpy().astype(np.float64)
    delay = planted.outcome(delay, hour, moment)
    others = {n: str(data / f"{n}.parquet") for n in ("planes", "airports", "airlines")}
    return Story(
        model=MODEL,
        live=live,
        project=project,
        rows=rows,
        facts=facts_of(model),
        ids=[f"F{i:05d}" for i in range(rows.num_rows)],
        outcome=[None if np.isnan(d) else {named["delay"]: float(d)} for d in delay],
        moment=moment,
        begins=GO_LIVE,
        ends=END,
        tables={"weather": str(thin / "weather.parquet"), **others},
        more={"weather": [str(data / "later" / "weather.parquet")]},
        late=LATE_DAYS,
        events=(
            Event(planted.begins, "PLANTED by the demo: from today mornings are late and evenings are on time, as if runways were closed early in the day"),
            Event(planted.ends, "PLANTED by the demo: the change is over, delays are again as they were"),
        ),
    )  # fmt: skip


def facts_of(model: Predictor) -> tuple[str, ...]:
    """The columns that a request has to have."""
    rules = next(t for t in model.contract.tables if t.name == model.declaration.main)
    return tuple(c.name for c in rules.columns if c.required)


def _plain(when: datetime) -> np.datetime64:
    return np.datetime64(when.replace(tzinfo=None), "us")
