from __future__ import annotations

import os

import psutil

from holdgood.scale import cores, machine, memory_available


def test_memory_is_positive_and_no_more_than_the_machine_has():
    assert 0 < memory_available() <= psutil.virtual_memory().total


def test_a_containers_limit_counts(tmp_path, monkeypatch):
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    monkeypatch.setattr(machine, "_GROUP", tmp_path)
    assert memory_available() == 600_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_available() > 600_000


def test_cores_respect_affinity():
    assert (
        1 <= cores() <= len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))
    )
