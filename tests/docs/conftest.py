import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def script(path):
    """A script that is no part of the package, as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def generate():
    return script(ROOT / "docs" / "generate.py")


@pytest.fixture(scope="session")
def capture():
    return script(ROOT / "docs" / "capture.py")


@pytest.fixture(scope="session")
def summarise():
    path = ROOT / "benchmarks" / "summarise.py"
    if not path.exists():
        pytest.skip("benchmarks are not part of this distribution")
    return script(path)


@pytest.fixture(scope="session")
def pages():
    """Every page of the documentation, with the ones beside it."""
    beside = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
    return {
        p.relative_to(ROOT).as_posix(): p.read_text(encoding="utf-8")
        for p in [*beside, *sorted((ROOT / "docs").rglob("*.md"))]
    }
