"""Contexts for checks, in one line."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from holdgood.core.declaration import parse
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table
from holdgood.core.task import Task


def _table(columns, name):
    return columns if isinstance(columns, Table) else Table.of(pa.table(columns), name)


@pytest.fixture
def tables_of():
    """``tables_of({"main": {...columns}}, declared={...})``: a context of the tables pass."""

    def make(tables, **declared):
        made = {name: _table(columns, name) for name, columns in tables.items()}
        specs = {name: {} for name in made} | declared.pop("specs", {})
        return AuditContext(made, parse({"tables": specs, **declared}))

    return make


@pytest.fixture
def target_of():
    """``target_of(columns, y, kind="binary", holdout=..., decision_time=...)``: a context of the target pass."""

    def make(columns, y, kind="binary", holdout=None, decision_time=None, target_columns=(), spec=None, **declared):
        main = _table(columns, "main")
        y = np.asarray(y, dtype=float)
        known = y[~np.isnan(y)]
        classes = tuple(range(int(known.max()) + 1 if len(known) else 2)) if kind != "regression" else ()
        return AuditContext(
            {"main": main},
            parse({"tables": {"main": spec or {}}, **declared}),
            main=main,
            y=y,
            task=Task(kind=kind, classes=classes),
            decision_time=decision_time,
            holdout=None if holdout is None else _table(holdout, "main"),
            target_columns=tuple(target_columns),
        )

    return make


@pytest.fixture
def refuses():
    """``refuses(check, context)``: the reason why a check is not applicable."""

    def reason(check, context):
        with pytest.raises(NotApplicable) as caught:
            check.run(context)
        return str(caught.value)

    return reason


@pytest.fixture(scope="session")
def shared_data():
    folder = Path(os.environ.get("HOLDGOOD_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"shared data not found: {folder.name}")
    return folder
