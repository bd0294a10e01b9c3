"""The life of a model, walked day by day: answered over HTTP, told late what came of it, watched and tended each week.

Time is the rows' own: a year passes in minutes. What has happened stands in the journal; a walk that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.events import Listener, silent
from holdgood.core.records import Prediction
from holdgood.core.records.envelope import write_bytes
from holdgood.core.table import Table
from holdgood.journal.filters import Filter
from holdgood.workflow.folder import Project
from holdgood.workflow.live.asking import Server, served
from holdgood.workflow.live.folder import Live
from holdgood.workflow.live.retrain import Step, tend
from holdgood.workflow.live.watch import Watched, watch
from holdgood.workflow.predict import Predictor

_SHADOW_WITHIN_S = 30.0
_MOST_ALARMS = 3


@dataclass(frozen=True)
class Event:
    """Something that the world does, not the model: told on its day."""

    when: datetime
    sentence: str


@dataclass(frozen=True, eq=False)
class Story:
    """What is walked. ``rows``: in order of time; ``facts``: the columns that a request has; ``ids`` (n,) unique.

    ``outcome`` (n,): the label as it will be told (of a computed target its columns, so that it can be learned from), None where none
    comes; ``moment`` (n,) datetime64[us], UTC. ``tables``: files of joined tables for the server; ``more``: further rows of joined tables
    for a retraining. ``late``: days until an outcome is known.
    """

    model: str
    live: Live
    project: Project
    rows: pa.Table
    facts: tuple[str, ...]
    ids: Sequence[str]
    outcome: Sequence[Any]
    moment: np.ndarray
    begins: datetime
    ends: datetime
    tables: Mapping[str, str]
    more: Mapping[str, Sequence[str]]
    late: float = 2.0
    events: tuple[Event, ...] = ()
    days: int = 7
    listener: Listener = silent
    others: Mapping[str, Table] = field(default_factory=dict)


Say = Callable[[datetime, str, str], None]
"""When (in the story), what, and a sentence."""


def walk(story: Story, say: Say) -> None:
    """From the first week that was not walked yet to the last one."""
    begun = _reached(story, "week") or story.begins
    if begun >= story.ends:
        return
    with served(story.live.path, story.tables, story.live.path / "server.log") as server:
        while begun < story.ends:
            until = min(begun + timedelta(days=story.days), story.ends)
            _week(story, server, begun, until, say)
            begun = until
            _note(story, week=until, day=until)


def _place(story: Story) -> Path:
    return story.live.path / "walk.json"


def _reached(story: Story, what: str) -> datetime | None:
    try:
        return datetime.fromisoformat(json.loads(_place(story).read_text(encoding="utf-8"))[what])
    except (OSError, ValueError, KeyError):
        return None


def _note(story: Story, *, week: datetime, day: datetime) -> None:
    """The week that comes next, and the day in it."""
    write_bytes(_place(story), json.dumps({"week": week.isoformat(), "day": day.isoformat()}).encode())


def _week(story: Story, server: Server, begins: datetime, ends: datetime, say: Say) -> None:
    server.follow()
    day = max(begins, _reached(story, "day") or begins)
    while day < ends:
        after = min(day + timedelta(days=1), ends)
        for event in story.events:
            if day <= event.when < after:
                say(event.when, "the world", event.sentence)
        _ask(story, server, _between(story, day, after))
        late = timedelta(days=story.late)
        _tell(story, server, _between(story, day - late, after - late))
        day = after
        _note(story, week=begins, day=day)
    _shadow_has_answered(story, _between(story, begins, ends))
    answered = len(_between(story, begins, ends))
    champion = story.live.at(story.model)
    others = _others(story, None if champion is None else champion.bundle_digest)
    seen = watch(story.live, story.model, at=ends, others=others)
    say(ends, "watch", _seen(answered, seen))
    done = tend(
        story.live, story.model, project=story.project, related=story.more, now=ends, listener=_between_steps(story)
    )
    for step in done.steps:
        say(ends, step.what, _short(step))
    server.follow()


def _between(story: Story, begins: datetime, ends: datetime) -> np.ndarray:
    """Positions of the rows of some days, none before the story begins."""
    low, high = (np.datetime64(max(t, story.begins).replace(tzinfo=None), "us") for t in (begins, ends))
    return np.flatnonzero((story.moment >= low) & (story.moment < high))


def _ask(story: Story, server: Server, rows: np.ndarray) -> None:
    """The rows of a day, by one request; times travel as text."""
    if not len(rows):
        return
    said = story.rows.select(list(story.facts)).take(pa.array(rows))
    columns = []
    for column in said.columns:
        if pa.types.is_timestamp(column.type):
            column = pc.strftime(column, format="%Y-%m-%dT%H:%M:%S")
        columns.append(column)
    asked = pa.table(columns, names=said.column_names).to_pylist()
    server.predict(
        story.model, [{k: v for k, v in row.items() if v is not None} for row in asked], [story.ids[i] for i in rows]
    )


def _tell(story: Story, server: Server, rows: np.ndarray) -> None:
    labels = [
        {"prediction": story.ids[i], "value": story.outcome[i], "known_time": _known(story, i)}
        for i in rows
        if story.outcome[i] is not None
    ]
    if labels:
        server.tell(story.model, labels)


def _known(story: Story, i: int) -> str:
    return str(story.moment[i] + np.timedelta64(round(story.late * 86400), "s")) + "+00:00"


def _shadow_has_answered(story: Story, rows: np.ndarray) -> None:
    """A shadow answers after the caller has been answered; the look waits for its last row, for some time: what it has not said is not compared."""
    if not len(rows) or story.live.at(story.model, "shadow") is None:
        return
    last = (story.ids[int(rows[-1])],)
    which = Filter(kinds=(Prediction.kind,), model=story.model, refs=last, place="shadow")
    end = time.monotonic() + _SHADOW_WITHIN_S
    while not any(story.live.journal.rows(which)) and time.monotonic() < end:
        time.sleep(0.05)


def _others(story: Story, digest: str | None) -> dict[str, Table]:
    """The joined tables as the champion reads them."""
    if digest is None:
        return {}
    model = Predictor.load(story.live.bundle(digest))
    return {name: model.table_of(file, name) for name, file in story.tables.items()}


def _seen(answered: int, seen: Watched) -> str:
    """A look in a sentence: how much was answered, how it went, what is alarming."""
    said, now = [f"{answered:,} answers this week"], seen.look.performance
    if now is not None:
        how = {"worse": "worse than", "better": "better than"}.get(now.verdict, "not proven other than")
        span = f"{now.difference:+.3g} {now.unit} a row".replace("  ", " ")
        said.append(f"{how} promised: {span} ({now.low:.3g} to {now.high:.3g}, {now.n:,} outcomes)")
    loud = [f"{a.title}: {a.subject} ({a.code}, {a.severity})" for a in seen.alarms[:_MOST_ALARMS]]
    more = f" and {len(seen.alarms) - len(loud)} more" if len(seen.alarms) > len(loud) else ""
    said.append("no alarm" if not loud else "alarms: " + ", ".join(loud) + more)
    return "; ".join([*said, *(n for n in seen.look.notes if loud and n.startswith("the reference"))])


def _between_steps(story: Story) -> Listener:
    """How far a retraining is; its finished steps are no part of the story."""
    return lambda event: None if event.kind.startswith("step-") else story.listener(event)


def _short(step: Step) -> str:
    text = step.sentence
    return text if len(text) <= 400 else text[:397] + "…"
