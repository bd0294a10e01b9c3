from __future__ import annotations

import math

import numpy as np
import pytest

from holdgood.core.protocols import Candidate, Space
from holdgood.training.search import Search, within

DIMENSIONS = {
    "x": ("float", 0.01, 1.0, True),
    "n": ("int", 2, 64, True),
    "kind": ["a", "b"],
}


def space(family="a", dimensions=DIMENSIONS, base=None):
    made = lambda name, parameters: Candidate(name, family, 1, "codes", list, list, parameters)  # noqa: E731
    return Space(family, dimensions, made, {"x": 0.1, "n": 8, "kind": "a", "fixed": 7} if base is None else base)


def loss(parameters):
    """Lowest, at 1, for x = 0.03, n = 40 and kind b."""
    far = math.log(parameters["x"] / 0.03) ** 2 + math.log(parameters["n"] / 40) ** 2
    return 1.0 + 0.1 * far + 0.2 * (parameters["kind"] == "a")


def searched(trial, many, search=None, room=math.inf, at_once=4):
    search = search or Search([space()], seed=3)
    trials = [trial(0, parameters={"x": 0.1, "n": 8, "kind": "a"}, level=loss({"x": 0.1, "n": 8, "kind": "a"}))]
    while len(trials) < many:
        found = search.ask(trials, trials[0], at_once, room=room)
        if not found:
            break
        for c in found:
            p = trial(len(trials), level=loss(c.parameters), parameters=c.parameters, searched=True)
            p.candidate = c
            trials.append(p)
    return trials


def test_proposals_lie_in_the_space_over_the_base_and_have_names_of_their_own(trial):
    trials = searched(trial, 30)
    names = [p.candidate.name for p in trials[1:]]
    assert names[:2] == ["a-s001", "a-s002"]
    assert len(set(names)) == len(names)
    for p in trials[1:]:
        q = p.candidate.parameters
        assert 0.01 <= q["x"] <= 1.0
        assert 2 <= q["n"] <= 64
        assert isinstance(q["n"], int)
        assert q["kind"] in ("a", "b")
        assert q["fixed"] == 7


def test_what_an_earlier_search_left_open_keeps_its_name(trial):
    known, left_open = trial(0, parameters={"x": 0.1, "n": 8, "kind": "a"}), trial(1, done=1, searched=True)
    left_open.candidate = space().make("a-s001", {"x": 0.2, "n": 9, "kind": "b", "fixed": 7})
    found = Search([space()], seed=3).ask([known, left_open], known, 2, room=math.inf)
    assert [c.name for c in found] == ["a-s002", "a-s003"]


def test_a_first_configuration_that_waits_is_known_to_the_search(trial):
    best, waiting = trial(0, "b"), trial(1, done=1, level=1.01, parameters={"x": 0.1, "n": 8, "kind": "a"})
    search = Search([space()], seed=3)
    search.ask([best, waiting], best, 1, room=math.inf)
    assert search._study("a").trials[0].state.is_finished() is False  # open: nothing is known of it
    waiting.later = "clearly behind"
    search.ask([best, waiting], best, 1, room=math.inf)
    assert [t.params for t in search._study("a").trials if t.state.is_finished()] == [{"x": 0.1, "n": 8, "kind": "a"}]


def test_the_search_finds_more_than_chance(trial):
    best = min(loss(p.candidate.parameters) for p in searched(trial, 60))
    rng = np.random.default_rng(0)
    chance = []
    for _ in range(200):
        drawn = [
            {"x": 10 ** rng.uniform(-2, 0), "n": round(2 ** rng.uniform(1, 6)), "kind": "ab"[rng.integers(2)]}
            for _ in range(60)
        ]
        chance.append(min(map(loss, drawn)))
    assert best < np.quantile(chance, 0.25)


def test_the_same_told_gives_the_same_proposals_and_another_seed_others(trial):
    one, two = ([p.candidate.parameters for p in searched(trial, 25)] for _ in range(2))
    other = [p.candidate.parameters for p in searched(trial, 25, Search([space()], seed=4))]
    assert one == two != other


def test_failed_proposals_do_not_stop_the_search(trial):
    search = Search([space()], seed=0)
    trials = [trial(0, parameters={})]
    for _ in range(6):
        for c in search.ask(trials, trials[0], 2, room=math.inf):
            p = trial(len(trials), done=0, searched=True)
            p.candidate, p.status = c, "failed"
            trials.append(p)
    assert len(trials) == 13


def test_a_space_that_is_exhausted_ends(trial):
    search = Search([space(dimensions={"kind": ["a", "b"]})], seed=0)
    assert len(searched(trial, 50, search)) == 2  # the base has the other


def test_the_better_family_gets_more_turns_and_one_that_never_ended_a_fold_none(trial):
    search = Search([space("good"), space("bad"), space("unseen")], seed=0)
    trials = [trial(0, "good", 1.0), trial(1, "bad", 1.2)]
    turns = [c.family for c in search.ask(trials, trials[0], 100, room=math.inf)]
    assert turns.count("good") > 5 * turns.count("bad") > 0
    assert "unseen" not in turns


def test_a_family_far_behind_is_not_searched(trial):
    trials = [trial(0, "good", 1.0), trial(1, "far", 1.4)]
    turns = [c.family for c in Search([space("good"), space("far")], seed=0).ask(trials, trials[0], 50, room=math.inf)]
    assert set(turns) == {"good"}


def test_where_time_counts_slow_families_get_fewer_turns_and_none_that_would_not_end(trial):
    trials = [trial(0, "quick", 1.0, seconds=1.0), trial(1, "slow", 1.0, seconds=16.0)]
    both = [space("quick"), space("slow")]
    turns = [c.family for c in Search(both, 0).ask(trials, trials[0], 100, room=100.0)]
    assert 2 * turns.count("slow") < turns.count("quick")
    turns = [c.family for c in Search(both, 0).ask(trials, trials[0], 20, room=10.0)]
    assert set(turns) == {"quick"}
    assert Search(both, 0).ask(trials, trials[0], 20, room=0.5) == []


def test_an_interrupted_search_goes_on_with_its_trials_and_numbers(trial):
    before = searched(trial, 12)
    for p in before[1:]:
        p.index += 100
    after = Search([space()], seed=3).ask(before, before[0], 1, room=math.inf)
    assert [c.name for c in after] == ["a-s013"] or int(after[0].name[3:]) > 11
    assert after[0].parameters not in [p.candidate.parameters for p in before]


@pytest.mark.parametrize(
    ("dimension", "value", "expected"),
    [
        (("float", 0.1, 1.0, True), 0, 0.1),
        (("float", 0.1, 1.0, False), 5, 1.0),
        (("int", 2, 8, False), 3.0, 3),
        (("int", 2, 8, False), None, None),
        (("int", 2, 8, False), True, None),
        ([False, True], True, True),
        (("float", "int"), "int", "int"),
    ],
)
def test_what_the_portfolio_tried_is_told_as_far_as_the_space_can_say_it(dimension, value, expected):
    assert within(dimension, value) == expected
