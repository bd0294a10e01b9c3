"""Saving: same content same digest, all or nothing, bad names and values refused."""

import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from holdgood.bundle import load, save, swap, verify
from holdgood.core.errors import BundleError, EnvironmentFault
from holdgood.core.protocols import Parts
from holdgood.models.tabular.prior import Prior


class Odd:
    """A part that writes what a test wants."""

    part = "prior"

    def __init__(self, parts):
        self.parts = parts

    def to_parts(self):
        return self.parts


def _leftovers(folder):
    return [p.name for p in folder.parent.iterdir() if p.name != folder.name]


def test_same_content_same_digest(tmp_path, parts, records, task):
    bundles = [save(tmp_path / n, name=n, parts=parts, records=records, task=task) for n in ("a", "b")]
    assert bundles[0].digest == bundles[1].digest
    assert bundles[0].files == bundles[1].files
    for entry in bundles[0].files:
        assert (tmp_path / "a" / entry.path).read_bytes() == (tmp_path / "b" / entry.path).read_bytes()
    other = save(tmp_path / "c", name="c", parts={**parts, "prior": parts["tree"]}, records=records, task=task)
    assert other.digest != bundles[0].digest


def test_layout(saved):
    found = sorted(p.relative_to(saved).as_posix() for p in saved.rglob("*") if p.is_file())
    assert {"manifest.json", "manifest.sha256", "task.json", "extra.json", "records/leaderboard.json"} <= set(found)
    assert "parts/booster/files/model.txt" in found
    assert "parts/linear/arrays/coefficients.npy" in found
    manifest = json.loads((saved / "manifest.json").read_text())
    assert manifest["kind"] == "bundle"
    assert manifest["created_utc"]
    assert "created_utc" in json.loads((saved / "records/leaderboard.json").read_text())
    assert subprocess.run(["sha256sum", "-c", "manifest.sha256"], cwd=saved, capture_output=True).returncode == 0


def test_replaces_a_bundle_and_leaves_nothing_behind(saved, records, task):
    new = save(saved, name="second", parts={}, records=records, task=task)
    assert verify(saved).digest == new.digest
    assert verify(saved).name == "second"
    assert _leftovers(saved) == []


def test_replaces_without_the_exchange_of_the_system(saved, records, task, monkeypatch):
    monkeypatch.setattr(swap, "_exchange", lambda one, other: False)
    save(saved, name="second", parts={}, records=records, task=task)
    assert verify(saved).name == "second"
    assert _leftovers(saved) == []


def test_a_failing_second_rename_puts_the_old_one_back(saved, records, task, monkeypatch):
    from pathlib import Path

    rename = Path.rename
    monkeypatch.setattr(swap, "_exchange", lambda one, other: False)

    def failing(self, target):
        if ".new." in self.name and target == saved:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(EnvironmentFault):
        save(saved, name="second", parts={}, records=records, task=task)
    monkeypatch.undo()
    assert verify(saved).name == "demo"
    assert _leftovers(saved) == []


@pytest.mark.parametrize("after", [0, 1, 5])
def test_full_disk_loses_nothing(saved, parts, records, task, monkeypatch, after):
    digest, left = verify(saved).digest, [after]

    def full(handle):
        if left[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        left[0] -= 1

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentFault, match="No space left"):
        save(saved, name="second", parts=parts, records=records, task=task)
    monkeypatch.undo()
    assert verify(saved).digest == digest
    assert _leftovers(saved) == []


def test_no_permission(tmp_path, task):
    blocked = tmp_path / "file"
    blocked.write_text("x")
    with pytest.raises(EnvironmentFault):
        save(blocked / "inside", name="x", parts={}, records={}, task=task)


KILLED = """
import sys, time, os
from pathlib import Path
from holdgood.bundle import save
from holdgood.core.task import Task
flush = os.fsync
def slow(handle):
    print("writing", flush=True)
    time.sleep(0.05)
    flush(handle)
os.fsync = slow
import numpy as np
from holdgood.models.tabular.prior import Prior
prior = Prior()
prior.kind, prior.answer = "binary", np.array([0.5])
save(Path(sys.argv[1]), name="second", parts={f"p{i}": prior for i in range(40)}, records={}, task=Task(kind="binary", classes=(0, 1)))
"""


def test_a_kill_while_saving_leaves_the_old_bundle(saved):
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(saved)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"writing\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert load(saved).manifest.name == "demo"


def test_a_folder_that_is_no_bundle_is_not_touched(tmp_path, task):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("keep me")
    with pytest.raises(BundleError, match="no bundle"):
        save(mine, name="x", parts={}, records={}, task=task)
    assert (mine / "letter.txt").read_text() == "keep me"
    link = tmp_path / "link"
    link.symlink_to(mine)
    with pytest.raises(BundleError):
        save(link, name="x", parts={}, records={}, task=task)


@pytest.mark.parametrize(
    "pieces",
    [
        Parts(arrays={"../../outside": np.zeros(2)}),
        Parts(arrays={"/root": np.zeros(2)}),
        Parts(arrays={"a//b": np.zeros(2)}),
        Parts(arrays={"": np.zeros(2)}),
        Parts(files={"..": b"x"}),
        Parts(files={"a\\b": b"x"}),
        Parts(files={"nul": b"x"}),
        Parts(files={"a\nb": b"x"}),
        Parts(arrays={"objects": np.array([{"a": 1}], dtype=object)}),
        Parts(arrays={"times": np.zeros(2, "datetime64[s]")}),
        Parts(arrays={"records": np.zeros(2, [("a", "f8")])}),
        Parts(arrays={"one": np.zeros(1), "ONE": np.zeros(1)}),
        Parts(json={"x": float("nan")}),
        Parts(json={"x": {1, 2}}),
    ],
)
def test_names_and_values_that_no_bundle_may_hold(tmp_path, task, pieces):
    with pytest.raises(BundleError):
        save(tmp_path / "b", name="x", parts={"odd": Odd(pieces)}, records={}, task=task)
    assert list(tmp_path.iterdir()) == []


def test_part_and_record_names_are_checked(tmp_path, task, records):
    prior = Prior()
    for bad in ("../x", "a/../b", ".hidden", "", "a b"):
        with pytest.raises(BundleError):
            save(tmp_path / "b", name="x", parts={bad: prior}, records={}, task=task)
        with pytest.raises(BundleError):
            save(tmp_path / "b", name="x", parts={}, records={bad: records["leaderboard"]}, task=task)
