"""Large results are remembered within a budget, and forgotten with the table."""

import numpy as np
import pyarrow as pa

from holdgood.audit import memory
from holdgood.audit.memory import Memory


def test_a_budget_is_kept_and_given_back(monkeypatch):
    spent = memory._spent["bytes"]
    budget = spent + 250
    monkeypatch.setattr(memory, "_budget", lambda: budget)
    kept: Memory[np.ndarray] = Memory(size=lambda a: a.nbytes)
    data = pa.table({"a": [1]})
    made = []
    for _ in range(2):
        for key in range(3):
            kept.get(data, key, lambda k=key: made.append(k) or np.zeros(100, dtype=np.uint8))
    assert made == [0, 1, 2, 2]
    assert memory._spent["bytes"] == spent + 200
    del data
    assert memory._spent["bytes"] == spent


def test_put_is_remembered():
    kept: Memory[int] = Memory()
    data = pa.table({"a": [1]})
    assert not kept.knows(data, "k")
    kept.put(data, "k", 5)
    assert kept.knows(data, "k")
    assert kept.get(data, "k", lambda: 6) == 5
