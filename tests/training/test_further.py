from __future__ import annotations

import math

import numpy as np
import pytest

from holdgood.core.protocols import Candidate, Space
from holdgood.training.further import GENERATION, REPEATED, Further, race, settle
from holdgood.training.progress import Progress
from holdgood.training.search import Search


def space(family="a"):
    made = lambda name, parameters: Candidate(name, family, 1, "codes", list, list, parameters)  # noqa: E731
    return Space(family, {"x": ("float", 0.0, 1.0, False)}, made)


@pytest.fixture
def further(trial):
    def make(units, repeats=1, found=(), levels=(1.0, 1.1)):
        trials = [trial(0, "prior", 2.0, first=True), *(trial(i + 1, "a", level) for i, level in enumerate(levels))]
        trials[0].candidate = Candidate("prior", "prior", 0, "codes", list, list)
        trials += found
        return Further(Search([space()], 0), trials, repeats=repeats, units=units, on_new=lambda p: None)

    return make


def close(trials, trial, level=1.5):
    """End all that is open."""
    for p in trials:
        if p.status != "open":
            continue
        for f in range(p.folds):
            p.done.setdefault(f, trial(0).done[0])
            p.losses.setdefault(f, np.full(50, level))
        p.status = "ok"


def test_work_units_go_into_generations_and_are_all_used(further, trial):
    line = further(units=10)
    sizes = []
    before = len(line.trials)
    while line.more(math.inf):
        sizes.append(len(line.trials) - before)
        before = len(line.trials)
        assert all(p.rival is line.trials[1] and p.searched for p in line.trials[-sizes[-1] :])
        close(line.trials, trial)
    assert sizes == [GENERATION, GENERATION, 2]
    assert line.units == 0


def test_a_part_of_the_units_goes_into_repeats_of_the_best(further, trial):
    line = further(units=10, repeats=3)
    while line.more(math.inf):
        close(line.trials, trial)
    assert line.units == 0
    assert sum(p.searched for p in line.trials) == 8  # generations of four: the last one takes what is left above three
    repeated = {p.index: p.folds // p.base for p in line.trials if p.folds > p.base}
    assert repeated == {1: 2, 2: 2}
    assert line.trials[0].folds == 4  # the prior is not repeated


def test_without_units_nothing_more_is_done_and_without_a_finished_trial_neither(further):
    assert not further(units=0).more(math.inf)
    line = further(units=5)
    for p in line.trials:
        p.status = "failed"
    assert not line.more(math.inf)


def test_under_a_clock_one_proposal_comes_at_a_time_and_repeats_when_little_is_left(further, trial):
    line = further(units=None, repeats=2)
    assert line.more(100.0)
    assert len(line.trials) == 4
    close(line.trials, trial)
    assert line.more(20.0)
    assert [p.index for p in line.trials if p.status == "open"] == [1]
    assert line.trials[1].folds == 8


def test_repeats_go_to_few_and_to_more_than_one_family(trial):
    trials = [trial(i, "abcde"[i // 3], 1.0 + 0.01 * i) for i in range(15)]
    trials.append(trial(15, "prior", 3.0))
    trials[15].candidate = Candidate("prior", "prior", 0, "codes", list, list)
    line = Further(Search([], 0), trials, repeats=4, units=50, on_new=lambda p: None)
    while line.more(math.inf):
        close(trials, trial)
    assert [p.index for p in trials if p.folds > p.base] == [0, 1, 3, 4, 6, 7, 9, 10]
    assert {p.folds // p.base for p in trials[:2]} == {4}
    assert len([p for p in trials if p.folds > p.base]) == REPEATED


@pytest.mark.parametrize(("level", "stopped"), [(1.0, False), (1.01, False), (1.5, True), (0.9, False)])
def test_a_proposal_races_against_its_rival_on_the_same_rows(trial, level, stopped):
    rival = trial(0, level=1.0)
    p = trial(1, level=level, done=1, searched=True, rival=rival)
    # paired: the noise is the same in both, so only what differs counts
    noise = np.random.default_rng(3).normal(scale=0.2, size=50)
    p.losses[0] = p.losses[0] + noise - noise.mean()
    race(p)
    assert (p.status == "stopped") == stopped == p.behind
    assert p.raced == 1
    if stopped:
        assert p.done[0].prediction is None
        assert "behind a-0 after 1 of 4 folds" in p.reason


def test_which_fold_ended_first_decides_nothing(trial):
    rival = trial(0, folds=8, level=1.0)
    done = trial(1, folds=8, level=1.0, searched=True, rival=rival)
    done.losses[3] = done.losses[3] + 50.0
    orders = [range(8), [0, 3, 2, 1, 7, 6, 5, 4], [0, 1, 7, 3, 2, 4, 5, 6]]
    ends = []
    for order in orders:
        p = Progress(1, done.candidate, 8, False, searched=True, rival=rival)
        for f in order:
            if p.behind:
                break
            p.done[f], p.losses[f] = done.done[f], done.losses[f]
            race(p)
        ends.append((p.status, sorted(p.done), p.relative(rival), p.reason))
    assert ends[0] == ends[1] == ends[2]
    assert ends[0][:2] == ("stopped", [0, 1, 2, 3])


def test_an_unfinished_repeat_is_taken_back(trial):
    p = trial(0, folds=12, base=4, done=10)
    p.status = "open"
    assert settle(p)
    assert (p.status, p.folds, sorted(p.done), p.final) == ("ok", 8, list(range(8)), True)
    first = trial(0, folds=4, done=2)
    assert not settle(first)
    assert first.status == "open"
