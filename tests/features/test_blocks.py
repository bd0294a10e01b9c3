"""Each way from a feature into the matrix, its numbers proved by another road."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from holdgood.core.protocols import FitContext
from holdgood.core.task import Task
from holdgood.features.encode.block import FOLDS, Targets
from holdgood.features.encode.category import LevelCodes, OneHot
from holdgood.features.encode.levels import MISSING, UNSEEN, Levels
from holdgood.features.encode.number import Scaled
from holdgood.features.encode.target_means import MOST_LEVELS, TargetMeans, shrinkage
from holdgood.features.encode.text import TextTopics
from holdgood.features.encode.words import Vocabulary, project, tokens

BINARY = Task(kind="binary", classes=(0, 1))
REGRESSION = Task(kind="regression", metric="rmse")


def objects(values):
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def targets(y, task=BINARY, seed=0):
    return Targets.of(np.asarray(y, float), FitContext(task, seed=seed))


def written(block, values):
    out = np.empty((len(values), len(block.names)))
    block.write(values, out)
    return out


def test_inner_folds_keep_groups_whole_whatever_they_are_called():
    groups = np.random.default_rng(3).integers(0, 37, 500)
    y = np.zeros(500)
    folds = Targets.of(y, FitContext(BINARY, seed=4, groups=groups)).folds
    assert all(len(np.unique(folds[groups == g])) == 1 for g in range(37))
    assert len(np.unique(folds)) == FOLDS
    names = objects([f"group {g * 977 % 101}" for g in groups])
    assert (Targets.of(y, FitContext(BINARY, seed=4, groups=names)).folds == folds).all()
    single = Targets.of(y, FitContext(BINARY, seed=4, groups=np.zeros(500))).folds
    assert (single == Targets.of(y, FitContext(BINARY, seed=4)).folds).all()


def test_means_of_levels_do_not_tell_the_outcome_of_their_group():
    """Each group has one outcome and mostly one level: with groups parted, a level would tell the group's outcome."""
    draw = np.random.default_rng(5)
    groups = np.repeat(np.arange(200), 8)
    y = np.repeat(draw.integers(0, 2, 200).astype(float), 8)
    values = objects([f"v{g}" for g in groups])
    corr = {}
    for name, whole in (("kept", groups), ("parted", None)):
        block = TargetMeans()
        training = block.fit(values, Targets.of(y, FitContext(BINARY, seed=1, groups=whole)))
        corr[name] = 0.0 if training[:, 0].std() == 0 else np.corrcoef(training[:, 0], y)[0, 1]
    assert abs(corr["kept"]) < 0.1
    assert corr["parted"] > 0.9


def test_levels_are_ordered_by_count_then_text():
    levels, codes, counts = Levels.learn(objects(["b", "c", "b", None, "a", "c"]))
    assert levels.levels == ("b", "c", "a")
    assert codes.tolist() == [0, 1, 0, MISSING, 2, 1]
    assert counts.tolist() == [2, 2, 1]
    assert levels.codes(objects(["a", "z", None])).tolist() == [2, UNSEEN, MISSING]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=40))
def test_few_and_many_rows_get_the_same_codes(values):
    levels, codes, _ = Levels.learn(objects(values))
    assert levels.codes(objects(values)).tolist() == codes.tolist()
    assert levels.codes(objects(values * 300)).tolist() == codes.tolist() * 300


def test_level_codes():
    block = LevelCodes()
    block.fit(objects(["x", "y", "y", None]), targets([0, 1, 0, 1]))
    np.testing.assert_array_equal(written(block, objects(["y", "x", None, "new"]))[:, 0], [0, 1, np.nan, np.nan])


def test_one_hot_pools_the_rare_and_shows_the_missing():
    block = OneHot()
    block.fit(objects(["a"] * 20 + ["b"] * 10 + ["c", "d", None]), targets([0] * 33))
    assert block.names == ("=a", "=b", " (rare levels)", " (missing)")
    expected = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    np.testing.assert_array_equal(written(block, objects(["a", "b", "c", "d", None, "new"])), expected)


def test_one_hot_of_two_levels_is_one_column():
    block = OneHot()
    block.fit(objects(["a"] * 6 + ["b"] * 5), targets([0] * 11))
    assert block.names == ("=a",)
    np.testing.assert_array_equal(written(block, objects(["a", "b"])), [[1], [0]])


def test_target_means_by_hand():
    draw = np.random.default_rng(0)
    values = objects([None if v == 9 else f"v{v}" for v in draw.integers(0, 10, 500)])
    y = draw.random(500) + np.array([0 if v is None else int(v[1:]) for v in values]) / 3
    t = targets(y, REGRESSION, seed=4)
    block = TargetMeans()
    training = block.fit(values, t)
    levels = [*sorted({v for v in values if v is not None}), None]
    m = shrinkage(np.array([levels.index(v) for v in values]), y - y.mean(), len(levels))
    assert 1 <= m < 50
    for at, value in enumerate(values):
        others = np.array([v == value for v in values]) & (t.folds != t.folds[at])
        expected = ((y[others] - y.mean()).sum()) / (others.sum() + m) + y.mean()
        assert training[at, 0] == pytest.approx(expected, rel=1e-12)
    for value in levels:
        own = np.array([v == value for v in values])
        mean, count = written(block, objects([value]))[0]
        assert mean == pytest.approx((y[own] - y.mean()).sum() / (own.sum() + m) + y.mean(), rel=1e-12)
        assert count == np.log1p(own.sum())
    assert written(block, objects(["new"]))[0].tolist() == [y.mean(), 0.0]


def test_shrinkage_finds_the_ratio_of_variances():
    draw = np.random.default_rng(1)
    codes = np.repeat(np.arange(400), 30)
    ratios = []
    for _ in range(40):
        y = draw.normal(size=400)[codes] * 0.5 + draw.normal(size=len(codes)) * 2.0
        ratios.append(shrinkage(codes, y, 400))
    assert np.median(ratios) == pytest.approx(16.0, rel=0.06)
    assert shrinkage(codes, draw.normal(size=len(codes)), 400) > 200
    assert shrinkage(np.arange(9), np.arange(9.0), 9) == 10_000
    assert shrinkage(np.zeros(9, int), np.arange(9.0), 1) == 10_000


def test_an_own_outcome_never_reaches_its_own_training_row():
    values, y = objects([f"v{i % 70}" for i in range(700)]), np.arange(700) % 2.0
    before = TargetMeans().fit(values, targets(y))
    # the overall mean is kept: two rows of one inner fold exchange their outcomes
    fold = targets(y).folds
    first = 0
    second = int(np.flatnonzero((fold == fold[0]) & (y != y[0]))[0])
    swapped = y.copy()
    swapped[[first, second]] = y[[second, first]]
    block, other = TargetMeans(), targets(swapped)
    after = block.fit(values, other)
    m_same = shrinkage(np.arange(700) % 70, y - 0.5, 70) == shrinkage(np.arange(700) % 70, swapped - 0.5, 70)
    if m_same:
        assert before[first, 0] == after[first, 0]
    assert abs(before[first, 0] - after[first, 0]) < 1e-3


def test_more_than_ten_classes_get_rank_and_count():
    task = Task(kind="multiclass", classes=tuple(range(12)))
    block = TargetMeans()
    training = block.fit(objects(["a", "b", "b", None] * 30), targets(np.arange(120) % 12, task))
    assert block.names == (" (rank by frequency)", " (log count)")
    np.testing.assert_array_equal(training[:4, 0], [1, 0, 0, np.nan])


def test_multiclass_has_a_mean_for_each_class_and_they_add_up():
    task = Task(kind="multiclass", classes=("x", "y", "z"))
    draw = np.random.default_rng(0)
    block = TargetMeans()
    block.fit(objects([f"v{i}" for i in draw.integers(0, 30, 900)]), targets(draw.integers(0, 3, 900), task))
    assert len(block.names) == 4
    assert written(block, objects(["new"]))[0, :3].sum() == pytest.approx(1.0)


def test_levels_beyond_the_limit_are_as_if_unseen():
    block = TargetMeans()
    values = objects(["often"] * 5 + [f"v{i:06d}" for i in range(MOST_LEVELS + 50)])
    y = np.arange(len(values)) % 2.0
    training = block.fit(values, targets(y))
    assert training[-1].tolist() == written(block, objects(["new"]))[0].tolist()
    assert written(block, objects(["often"]))[0, 1] == np.log1p(5)


def test_scaled_numbers():
    draw = np.random.default_rng(0)
    values = draw.normal(5, 2, 5000)
    values[:50] = np.nan
    values[50] = 1e9
    block = Scaled()
    block.fit(values, targets(np.zeros(5000)))
    out = written(block, values)
    assert block.names == ("", " (missing)")
    assert out[:, 1].sum() == 50
    assert abs(out[:, 0].mean()) < 0.02
    assert out[:, 0].std() == pytest.approx(1.0, abs=0.02)
    assert out[50, 0] < 15, "an outlier is not clipped"
    assert np.abs(out[:50, 0]).max() < 0.05, "missing is not the median"
    assert np.isfinite(written(block, np.array([np.inf, -np.inf, np.nan, 1e300]))).all()


def test_a_very_skewed_number_is_compressed():
    values = np.exp(np.random.default_rng(0).normal(size=4000) * 2.5)
    block = Scaled()
    block.fit(values, targets(np.zeros(4000)))
    out = written(block, values)[:, 0]
    skew = np.mean(((out - out.mean()) / out.std()) ** 3)
    assert abs(skew) < 2 < np.mean(((values - values.mean()) / values.std()) ** 3)
    order = np.argsort(values)
    assert (np.diff(out[order]) >= 0).all()


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([3.0] * 9, ()),
        ([np.nan] * 9, ()),
        ([3.0, np.nan, 3.0], (" (missing)",)),
        ([1e308, -1e308, 1e308], ()),
        ([0.0] * 500 + [1.0] * 2, ("",)),
    ],
)
def test_numbers_without_spread(values, names):
    block = Scaled()
    block.fit(np.array(values), targets(np.zeros(len(values))))
    assert block.names == names
    assert np.isfinite(written(block, np.array(values))).all()


TEXTS = [
    f"the pump {'leaks' if i % 3 else 'sings'} and bay {i % 7} is {'hot' if i % 2 else 'cold'}, call 0{i}"
    for i in range(200)
]


def test_words_are_weighed_as_scikit_learn_does():
    vocabulary = Vocabulary.learn(TEXTS, 8000)
    weights = vocabulary.weigh(TEXTS)
    theirs = TfidfVectorizer(analyzer=tokens, vocabulary=list(vocabulary.words), sublinear_tf=True)
    expected = theirs.fit_transform(TEXTS).toarray()
    dense = np.zeros_like(expected)
    dense[weights.rows, weights.columns] = weights.values
    np.testing.assert_allclose(dense, expected, rtol=1e-12, atol=1e-15)
    onto = np.random.default_rng(0).normal(size=(len(vocabulary), 6))
    np.testing.assert_allclose(project(weights, onto), expected @ onto, rtol=1e-10, atol=1e-12)


def test_topics_are_the_leading_singular_directions():
    block = TextTopics(4)
    block.fit(objects(TEXTS), targets(np.arange(200) % 2))
    topics = written(block, objects(TEXTS))[:, :4]
    vocabulary = Vocabulary.learn(TEXTS, 8000)
    weights = vocabulary.weigh(TEXTS)
    dense = np.zeros((200, len(vocabulary)))
    dense[weights.rows, weights.columns] = weights.values
    singular = np.linalg.svd(dense, compute_uv=False)[:4]
    np.testing.assert_allclose(np.linalg.norm(topics, axis=0), singular, rtol=0.02)


def test_a_text_alone_has_the_bits_that_it_has_in_a_batch():
    draw = np.random.default_rng(0)
    words = [word(i) for i in range(300)]
    texts = objects([" ".join(draw.choice(words, draw.integers(0, 120))) for _ in range(3000)])
    block = TextTopics(24)
    block.fit(texts[:1500], targets(draw.integers(0, 2, 1500)))
    batch = written(block, texts)
    for row in range(0, 3000, 37):
        assert written(block, texts[row : row + 1]).tobytes() == batch[row : row + 1].tobytes()


def word(number):
    return "".join(chr(97 + int(digit)) for digit in str(number))


def test_the_evidence_of_words_is_out_of_fold():
    draw = np.random.default_rng(0)
    texts = objects([" ".join(word(v) for v in draw.integers(0, 4000, 12)) for _ in range(2000)])
    noise = draw.integers(0, 2, 2000).astype(float)
    block = TextTopics(2)
    training = block.fit(texts, targets(noise))
    at = block.names.index(" (words for target)")
    assert abs(np.corrcoef(training[:, at], noise)[0, 1]) < 0.1
    assert np.corrcoef(written(block, texts)[:, at], noise)[0, 1] > 0.3
    told = np.array([float("leaks" in t) for t in TEXTS])
    block = TextTopics(2)
    training = block.fit(objects(TEXTS), targets(told))
    at = block.names.index(" (words for target)")
    assert training[told == 1, at].min() > training[told == 0, at].max()


def test_empty_missing_and_foreign_texts():
    block = TextTopics()
    block.fit(objects([""] * 50), targets(np.zeros(50)))
    assert written(block, objects(["", "漢字 ok", None])).shape == (3, 3)
    block = TextTopics()
    block.fit(objects(TEXTS), targets(np.arange(200) % 2))
    out = written(block, objects([None, "", "never seen words"]))
    assert np.isnan(out[0]).all()
    assert np.isfinite(out[1:]).all()


def test_inner_folds_are_even_and_seeded():
    folds = targets(np.zeros(103)).folds
    assert set(np.bincount(folds)) <= {103 // FOLDS, 103 // FOLDS + 1}
    assert (folds == targets(np.zeros(103)).folds).all()
    assert (folds != targets(np.zeros(103), seed=1).folds).any()
