"""Records as a server writes them."""

import secrets

import psycopg
import pytest

from holdgood.core.records import Label, Prediction
from holdgood.journal import Journal


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
        return Label(prediction=prediction, model="m", value=value, known_time=f"2026-03-{day:02d}T00:00:00Z", **more)

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
