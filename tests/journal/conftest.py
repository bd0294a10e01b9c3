"""Records as a server writes them."""

import secrets

import numpy as np
import psycopg
import pyarrow as pa
import pytest

from holdgood.core.errors import DuplicateError
from holdgood.core.records import Label, Prediction
from holdgood.core.task import Task
from holdgood.journal import Journal
from holdgood.serving.table_in import sheet_draft


@pytest.fixture
def answer():
    """Make a prediction of model ``m``."""

    def make(id="p1", *, hour=0, **more):
        named = {"model": "m", "bundle_digest": "d1", "event_time": f"2026-03-01T{hour:02d}:00:00Z", "subject": "ann"}
        return Prediction(id=id, **{**named, "facts": {"a": 1.5, "b": "x"}, "answer": {"probability": 0.3}, **more})

    return make


@pytest.fixture
def label():
    """Make a label of a prediction of model ``m``."""

    def make(prediction="p1", value="yes", *, day=5, **more):
        told = {"model": "m", "known_time": f"2026-03-{day:02d}T00:00:00Z", **more}
        return Label(prediction=prediction, value=value, **told)

    return make


@pytest.fixture
def journal_file(tmp_path):
    """An empty journal in a file."""
    return Journal(tmp_path / "journal.sqlite")


@pytest.fixture
def database(postgres):
    """The URL of a database of a test's own."""
    name = f"j{secrets.token_hex(4)}"
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield postgres.removesuffix("/postgres") + f"/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def journal(request):
    """An empty journal, once in a file and once on a server."""
    if request.param == "sqlite":
        return request.getfixturevalue("journal_file")
    return Journal(request.getfixturevalue("database"))


@pytest.fixture
def sheet():
    """Make a sheet of model ``m``, ready to be written: a row for each subject, an hour apart."""

    def make(base="s", subjects=("ann", "bob", "cyd"), *, hour=0, step=1, keep=True, digest="d1", refused=()):
        n = len(subjects)
        begin = np.datetime64("2026-03-01T00:00:00", "us") + np.timedelta64(hour, "h")
        moments = begin + np.arange(n) * np.timedelta64(step, "h")
        facts = pa.table(
            {"who": list(subjects), "a": np.arange(n) / 2, "day": moments, "long": [s * 40 for s in subjects]}
        )
        verdicts = ["refused" if i in refused else "ok" for i in range(n)]
        told = pa.table(
            {"probability": [0.25] * n, "answer": [None, *[True] * (n - 1)], "verdict": verdicts, "why": [""] * n}
        )
        return sheet_draft(
            "m", digest, base, "2026-03-02T00:00:00.000000+00:00", pa.chunked_array([pa.array(moments, pa.timestamp("us", "UTC"))]),
            facts.column("who"), facts if keep else None, told, Task(kind="binary", classes=(False, True)),
        )  # fmt: skip

    return make


@pytest.fixture
def write(journal):
    """Write drafts in one submission of ``server``; a duplicate is raised."""

    def put(*drafts, to=journal):
        with to.session() as session:
            (answer,) = session.append([list(drafts)], "server")
        if isinstance(answer, DuplicateError):
            raise answer
        return answer

    return put
