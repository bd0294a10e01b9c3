from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from holdgood.training.cost import Aim


def alike(p, needs="codes", megabytes=0.0):
    """The same trial with an encoder that is made as all of that kind."""
    p.candidate = replace(p.candidate, needs=needs, make_encoder=partial(list, (needs,)))
    p.done = {f: replace(fit, size_bytes=int(megabytes * 1e6)) for f, fit in p.done.items()}
    return p


def test_encoders_that_are_alike_are_paid_once(trial):
    one, two, other = alike(trial(0)), alike(trial(1)), alike(trial(2), "dense")
    aim = Aim(latency_ms=1.0)
    assert aim.milliseconds([one], [1]) == pytest.approx(0.2)
    assert aim.milliseconds([one, two], [1, 1]) == pytest.approx(0.3)
    assert aim.milliseconds([one, other], [1, 1]) == pytest.approx(0.4)
    assert aim.milliseconds([one, two], [5, 5]) == pytest.approx(1.5)


def test_the_scarcest_limit_counts(trial):
    p = alike(trial(0), megabytes=10)
    assert Aim(0.4, 20.0).share([p]) == pytest.approx(0.5)
    assert Aim(0.4, 5.0).share([p]) == pytest.approx(2.0)
    assert not Aim().bounded
    assert Aim(size_mb=1.0).bounded


def test_under_a_work_budget_no_clock_is_looked_at(trial):
    quick, slow = alike(trial(0)), alike(trial(1))
    slow.done = {f: replace(fit, row_ms=99.0) for f, fit in slow.done.items()}
    aim = Aim(0.3, by_clock=False)
    assert aim.share([quick]) == aim.share([slow]) == pytest.approx(0.14 / 0.3)
    assert Aim(0.3).share([slow]) > 300
    unknown = alike(trial(2))
    unknown.done = {}
    assert Aim(0.3).share([unknown]) == pytest.approx(0.14 / 0.3)
