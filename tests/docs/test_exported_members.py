"""Every room's door: ``__all__`` is sorted, complete and leads somewhere; the door plate says the four things."""

import importlib
import subprocess
import sys
import types
from pathlib import Path

import pytest

import holdgood

HOUSE = Path(holdgood.__file__).parent
ROOMS = sorted(p.name for p in HOUSE.iterdir() if (p / "__init__.py").exists())


def in_order(names):
    """Constants, classes, then functions, each by name: the order that the linter keeps."""
    return sorted(names, key=lambda n: (0 if n.isupper() and len(n) > 1 else 1 if n[0].isupper() else 2, n))


@pytest.mark.parametrize("module", ["holdgood", "holdgood.core.records", *(f"holdgood.{r}" for r in ROOMS)])
def test_all_is_sorted_and_every_name_can_be_had(module):
    room = importlib.import_module(module)
    names = getattr(room, "__all__", [])
    assert list(names) == in_order(names)
    assert len(set(names)) == len(names)
    for name in names:
        assert getattr(room, name) is not None


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_door_shows_is_in_its_all(room):
    module = importlib.import_module(f"holdgood.{room}")
    shown = {
        n
        for n, v in vars(module).items()
        if not n.startswith("_") and callable(v) and getattr(v, "__module__", "").startswith(f"holdgood.{room}.")
    }
    assert shown <= set(getattr(module, "__all__", [])), shown - set(getattr(module, "__all__", []))
    assert not isinstance(getattr(module, "utils", None), types.ModuleType)


@pytest.mark.parametrize("room", [r for r in ROOMS if r != "workflow"])
def test_every_door_plate_says_what_comes_in_and_goes_out(room):
    plate = importlib.import_module(f"holdgood.{room}").__doc__ or ""
    for words in ("Comes in:", "Goes out:", "May touch:", "Never:"):
        assert words in plate, f"{room}: {words}"


def test_the_workflow_has_no_door():
    assert (HOUSE / "workflow" / "__init__.py").read_text(encoding="utf-8").strip() == ""


def test_the_public_door_is_light_and_refuses_unknown_names():
    heavy = "import sys, holdgood; print([m for m in ('pandas', 'sklearn', 'lightgbm', 'scipy', 'duckdb', 'pyarrow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        holdgood.nothing  # noqa: B018
    assert dir(holdgood) == sorted(holdgood.__all__)
