"""Small tables of a workshop: jobs, readings of machines as of a time, and static machines."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from holdgood.core.declaration import parse
from holdgood.core.table import Table

START = dt.datetime(2024, 1, 1)


def _moments(hours):
    return pa.array([None if h is None else START + dt.timedelta(hours=float(h)) for h in hours], pa.timestamp("us"))


@pytest.fixture
def moments():
    """Hours since 2024-01-01 as an Arrow array of times."""
    return _moments


@pytest.fixture
def workshop():
    """Jobs (main), readings and machines; some keys match nothing, some cells are missing."""
    draw = np.random.default_rng(3)
    n = 60
    jobs = pa.table(
        {
            "job": pa.array(range(n)),
            "machine": pa.array([f"m{v}" if v < 6 else None for v in draw.integers(0, 7, n)]),
            "due": _moments(draw.integers(0, 400, n)),
            "weight": pa.array([None if v < 0.1 else float("inf") if v > 0.95 else float(v) for v in draw.random(n)]),
            "urgent": pa.array([None if v == 2 else bool(v) for v in draw.integers(0, 3, n)]),
            "note": pa.array([f"check the seal {v} once again" for v in range(n)]),
            "finished": _moments(draw.integers(300, 500, n)),
            "late": pa.array([bool(v) for v in draw.integers(0, 2, n)]),
        }
    )
    k = 200
    readings = pa.table(
        {
            "unit": pa.array([f"m{v}" for v in draw.integers(0, 5, k)]),
            "at": _moments(draw.integers(0, 400, k)),
            "heat": pa.array(draw.normal(size=k)),
            "state": pa.array([f"s{v}" for v in draw.integers(0, 3, k)]),
        }
    )
    machines = pa.table({"unit": [f"m{v}" for v in range(5)], "built": [1990, 1995, 2001, None, 2015]})
    return {
        "jobs": Table.of(jobs, "jobs", types={"note": "text"}),
        "readings": Table.of(readings, "readings"),
        "machines": Table.of(machines, "machines"),
    }


@pytest.fixture
def said():
    """The declaration of the workshop, as a mapping to change and parse."""
    return {
        "tables": {
            "jobs": {"key": ["job"], "time": "due", "known": {"finished": "after"}},
            "readings": {"time": "at", "delay": "1h", "join": {"on": {"machine": "unit"}, "tolerance": "2 days"}},
            "machines": {"join": {"on": {"machine": "unit"}}},
        },
        "task": {"target": "late", "decision_time": "due - 3 hours"},
        "features": {"heavy": "weight > 0.5", "label": "machine || '!'"},
    }


@pytest.fixture
def declared(said):
    return parse(said)
