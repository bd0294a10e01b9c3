"""The command line in this process: what it prints, its exit code, and never a stack trace. Runs are small: two trials, two folds."""

import contextlib
import io
import json
import os
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from holdgood.cli.app import main

QUICK = '[budget]\ntrials = 2\nworkers = 1\nmodels = ["linear"]\n[split]\nfolds = 2\n'


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def all(self):
        return self.out + self.err


def call(*arguments, at):
    """Run a command in a folder."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(at)
        patch.setattr(sys, "argv", ["holdgood", *map(str, arguments)])
        patch.setattr(sys, "unraisablehook", sys.unraisablehook)
        patch.delenv("HOLDGOOD_DEBUG", raising=False)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
                code = 0
            except SystemExit as end:
                code = end.code or 0
    answer = Answer(code, out.getvalue(), err.getvalue())
    assert "Traceback" not in answer.all, answer.all
    assert "unexpected fault" not in answer.all, answer.all
    return answer


@pytest.fixture(scope="session")
def cli():
    return call


@pytest.fixture
def refuses():
    """A command is refused in three lines, with this exit code and these words; its answer comes back."""

    def check(*arguments, at, code, says=()):
        answer = call(*arguments, at=at)
        assert answer.code == code, answer.all
        lines = answer.err.rstrip().splitlines()
        first = [i for i, line in enumerate(lines) if line.startswith("error: ")]
        assert len(first) == 1, answer.err
        told = lines[first[0] :]
        assert len(told) == 3, answer.err
        assert len(told[0]) > len("error: ")
        assert told[1].startswith("  expected: ") and len(told[1]) > len("  expected: "), answer.err
        assert told[2].startswith("  do this:  ") and len(told[2]) > len("  do this:  "), answer.err
        for word in (says,) if isinstance(says, str) else says:
            assert word in answer.err, answer.err
        return answer

    return check


def orders(n=400, seed=0, **columns):
    """A number and a kind that say something about being late; further columns as given."""
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    frame = pd.DataFrame(
        {
            "x": x.round(4),
            "kind": random.choice(["a", "b", "c"], n),
            "late": np.where(random.random(n) < 1 / (1 + np.exp(-3 * x)), "yes", "no"),
        }
    )
    return frame.assign(**columns)


def write_project(folder, data, *, target="late", table="", more="", name="t.csv"):
    """A project of one table; ``data``: a frame, or the bytes of a file."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(data, pd.DataFrame):
        data.to_parquet(folder / name) if name.endswith("parquet") else data.to_csv(folder / name, index=False)
    else:
        (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    text = f'[task]\ntarget = "{target}"\n{QUICK}[tables.t]\nsource = "{name}"\n{table}\n{more}'
    (folder / "holdgood.toml").write_text(text)
    return folder


@pytest.fixture
def make_orders():
    return orders


@pytest.fixture
def make_project(tmp_path):
    def make(data, **arguments):
        return write_project(tmp_path, data, **arguments)

    return make


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A project with one finished run, for tests that only read it."""
    folder = write_project(tmp_path_factory.mktemp("finished"), orders())
    answer = call("run", at=folder)
    assert answer.code == 0, answer.all
    return folder


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the finished project, to be changed."""
    import shutil

    return shutil.copytree(finished, tmp_path / "copy")


@pytest.fixture
def environment():
    """For subprocesses: one thread a fit."""
    return {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
