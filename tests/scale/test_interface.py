"""What another engine would have to offer: all that is used of a pool, and that what is sent to it can travel."""

from __future__ import annotations

import re
from pathlib import Path

import holdgood
from holdgood.scale import Handle, Pool

SOURCE = Path(holdgood.__file__).parent
OFFERED = {"workers", "idle", "folder", "share", "submit", "wait", "kill"}
OF_HANDLES = {"state", "seconds", "error", "result"}


def users():
    """Files that work with a pool."""
    for file in sorted(SOURCE.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if re.search(r"from holdgood\.scale(?:\.local)? import .*\bPool\b", text) and file.parent.name != "scale":
            yield text


def test_a_pool_is_used_by_seven_names_and_a_handle_by_four():
    texts = list(users())
    assert len(texts) > 5
    used = {name for text in texts for name in re.findall(r"\b(?:pool|here|warm)\.([a-z]\w*)", text)}
    assert used == OFFERED
    assert {name for text in texts for name in re.findall(r"\bhandle\.([a-z]\w*)", text)} == OF_HANDLES
    with Pool(0) as pool:
        assert all(hasattr(pool, name) for name in OFFERED)
        assert all(hasattr(pool.submit(len, ()), name) for name in OF_HANDLES)


def test_nobody_else_starts_processes_for_fits():
    starts = re.compile(r"^\s*(?:from|import) (?:multiprocessing|joblib|loky)\b|\bProcessPoolExecutor\b", re.MULTILINE)
    others = [f for f in SOURCE.rglob("*.py") if f.parent.name != "scale" and starts.search(f.read_text("utf-8"))]
    assert not others, others
    assert Handle.__module__ == Pool.__module__ == "holdgood.scale.local"
