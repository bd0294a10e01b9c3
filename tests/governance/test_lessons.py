"""Lessons as pure functions: which data are alike, what lessons say together, whether one holds again."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdgood.core.records import Comparison, DataKind, FamilyLesson, Lesson, ParameterLesson
from holdgood.governance.lessons import UNKNOWN, configurations, configured, outcome, search, similarity, standings

BASE = DataKind(task="binary", rows=1000, features=10, numbers=8, categories=2, classes=2, rarest=0.3)


def gain(first, second, verdict):
    size = {"better": 0.1, "worse": -0.1, "not proven": 0.0}[verdict]
    return Comparison(first=first, second=second, difference=size, low=size - 0.05, high=size + 0.05, verdict=verdict)


def lesson(name, best, behind=(), level=(), data=BASE, source="", trials=5, parameters=()):
    families = [FamilyLesson(family=best, trial=best, standing="best")]
    families += [FamilyLesson(family=f, trial=f, standing="behind", against=gain(best, f, "better")) for f in behind]
    families += [FamilyLesson(family=f, trial=f, standing="level", against=gain(best, f, "not proven")) for f in level]
    return Lesson(
        id=name, source=source, project="p", run="0001", data=data, families=tuple(families), trials=trials,
        parameters=tuple(parameters),
    )  # fmt: skip


def tried(family, name, verdict):
    return ParameterLesson(family=family, trial=name, over=family, gain=gain(name, family, verdict))


kinds = st.builds(
    DataKind,
    task=st.sampled_from(["binary", "multiclass", "regression"]),
    rows=st.integers(2, 10**7),
    features=st.integers(1, 5000),
    categories=st.just(1),
    texts=st.integers(0, 2),
    classes=st.integers(0, 50),
    rarest=st.one_of(st.just(math.nan), st.floats(0, 1)),
    missing=st.floats(0, 1),
    over_time=st.booleans(),
    grouped=st.booleans(),
    joined=st.integers(0, 3),
)


@given(kinds, kinds)
def test_likeness_is_symmetric_and_between_0_and_1(one, two):
    assert similarity(one, two) == pytest.approx(similarity(two, one))
    assert 0.0 <= similarity(one, two) <= 1.0
    assert similarity(one, one) == pytest.approx(
        1.0 if not one.rarest <= 0 and not one.rarest >= 1 else similarity(one, one)
    )


@pytest.mark.parametrize(
    "change",
    [{"rows": 100_000}, {"features": 800}, {"rarest": 0.01}, {"texts": 2}, {"over_time": True}, {"categories": 9}],
)
def test_each_side_of_the_data_counts(change):
    assert similarity(BASE, BASE.model_copy(update=change)) < 0.99


def test_several_trainings_on_the_same_rows_are_one_case():
    found = search([lesson("a", "x", source="s", trials=3), lesson("b", "y", source="s", trials=9)], BASE)
    assert [f.lesson.id for f in found] == ["b"]


def test_lessons_of_other_data_are_not_used():
    far = BASE.model_copy(update={"rows": 10**7, "features": 4000, "texts": 3, "rarest": 0.001, "over_time": True})
    numbers = BASE.model_copy(update={"task": "regression"})
    found = search([lesson("far", "x", data=far), lesson("near", "y"), lesson("task", "z", data=numbers)], BASE)
    assert [f.lesson.id for f in found] == ["near"]


def test_families_stand_between_always_and_never_and_one_lesson_moves_half_the_way():
    one = standings(search([lesson("a", "boost", behind=["tree"], level=["linear"])], BASE))
    assert one == {"boost": 0.75, "linear": 0.75, "tree": 0.25}
    assert list(one) == ["boost", "linear", "tree"]
    many = [lesson(f"l{i}", "boost", behind=["tree"]) for i in range(9)]
    more = standings(search(many, BASE))
    assert more["boost"] > 0.9 > 0.1 > more["tree"]
    assert standings([]) == {}
    assert more["tree"] < UNKNOWN


def test_configurations_are_voted_for_only_where_proven():
    lessons = [
        lesson("a", "boost", parameters=[tried("boost", "boost-a", "better"), tried("boost", "boost-b", "not proven")]),
        lesson("b", "boost", parameters=[tried("boost", "boost-c", "worse")]),
    ]
    found = configurations(search(lessons, BASE))
    scores = [found[configured(f"boost-{x}", {})] for x in "abc"]
    assert scores[0] > 0 == scores[1] > scores[2]
    assert configured("boost-a", {"depth": 3}) not in found, "another configuration of that name"


@pytest.mark.parametrize(
    ("again", "expected"),
    [("better", "held"), ("worse", "contradicted"), ("not proven", "not proven"), (None, "not proven")],
)
def test_whether_a_lesson_held(again, expected):
    said = outcome(lesson("a", "boost", behind=["tree"]), lambda a, b: None if again is None else gain(a, b, again))
    assert said[0] == expected
    assert said[1]


def test_one_contradiction_outweighs_what_held():
    told = lesson("a", "boost", behind=["tree", "linear"])
    verdicts = {"tree": "better", "linear": "worse"}
    kind, sentence = outcome(told, lambda a, b: gain(a, b, verdicts[b]))
    assert kind == "contradicted"
    assert "linear" in sentence
