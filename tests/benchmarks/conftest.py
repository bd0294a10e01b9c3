"""Scripts under benchmarks/ as modules, imported by path and forgotten again."""

import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def bench():
    """``bench("stats", "ladder")``: the module benchmarks/stats/ladder.py."""
    if not FOLDER.exists():
        pytest.skip("benchmarks are not part of this distribution")
    before, path = set(sys.modules), list(sys.path)

    def load(folder, name):
        sys.path[:0] = [str(FOLDER / folder), str(FOLDER)]
        return importlib.import_module(name)

    yield load
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(FOLDER) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
