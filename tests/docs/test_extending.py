"""Every part on docs/extending.md is installed as a plugin and held to its contract suite."""

import importlib
import inspect
import re
import sys
import tomllib
from pathlib import Path

import pytest

from holdgood.core import plugins
from holdgood.core.errors import DataError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
BLOCK = re.compile(r'^```(python|toml) title="([^"]+)"\n(.*?)^```$', re.M | re.S)
PARTS = ("A check", "A repair", "A model", "A connector", "A detector")


def blocks(title):
    section = PAGE.read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]
    return {name: body for _, name, body in BLOCK.findall(section)}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install the blocks of one section as a package; its entry points are written as pip would write them."""

    def install(title):
        found = blocks(title)
        groups = tomllib.loads(found["pyproject.toml"])["project"]["entry-points"]
        info = tmp_path / "guest-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: guest\nVersion: 1.0\n")
        lines = [
            f"[{group}]\n" + "".join(f"{n} = {v}\n" for n, v in points.items()) for group, points in groups.items()
        ]
        (info / "entry_points.txt").write_text("\n".join(lines))
        for name, body in found.items():
            if name.endswith(".py"):
                (tmp_path / name).write_text(body)
        monkeypatch.syspath_prepend(str(tmp_path))
        importlib.invalidate_caches()
        plugins.forget()
        return found, groups

    before = set(sys.modules)
    yield install
    monkeypatch.undo()
    for name in [n for n in sys.modules if n not in before and not n.startswith(("holdgood", "pyarrow", "numpy"))]:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    plugins.forget()


@pytest.mark.parametrize("title", PARTS)
def test_each_part_is_short_enters_by_the_door_and_keeps_its_contract(title, installed, tmp_path):
    found, groups = installed(title)
    lines = [line for body in found.values() for line in body.splitlines() if line.strip()]
    assert len(lines) < 40, f"{title}: {len(lines)} lines"
    for group, points in groups.items():
        for name in points:
            assert plugins.load(group, name) is not None
    tests = importlib.import_module(next(n.removesuffix(".py") for n in found if n.startswith("test_")))
    ran = 0
    for name, function in vars(tests).items():
        if name.startswith("test_"):
            function(**({"tmp_path": tmp_path} if "tmp_path" in inspect.signature(function).parameters else {}))
            ran += 1
    assert ran


def test_a_new_connector_is_found_by_its_suffix(installed, tmp_path):
    installed("A connector")
    from pyarrow import feather, table

    from holdgood.connectors import read_table

    feather.write_feather(table({"a": [1, 2]}), tmp_path / "x.feather")
    assert read_table(tmp_path / "x.feather").names == ("a",)
    (tmp_path / "y.feather").write_text("no such thing")
    with pytest.raises(DataError, match="no Feather file"):
        read_table(tmp_path / "y.feather")


def test_a_new_check_takes_part_in_an_audit(installed):
    installed("A check")
    import pyarrow as pa

    import holdgood

    report = holdgood.audit_tables(pa.table({"amount": [5.0] * 199 + [-1.0], "n": list(range(200))}))
    assert [f.rows for f in report.tips if f.code == "NEG001"] == [1]


def test_the_page_has_an_example_for_every_group_that_guests_may_fill():
    declared = {
        group for title in PARTS for group in tomllib.loads(blocks(title)["pyproject.toml"])["project"]["entry-points"]
    }
    assert declared == {f"holdgood.{g}" for g in ("checks", "repairs", "models", "connectors", "detectors", "parts")}
