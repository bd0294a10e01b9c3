import numpy as np
import pytest

from holdgood.audit.dependencies import alike, entropy, explained_by, groups, holds, settles

rng = np.random.default_rng(3)


def _brute(key, value):
    """Leading value, group sizes and pair agreement, by loops."""
    total = hits = 0.0
    out = {}
    for k in sorted(set(key.tolist())):
        said = value[(key == k)].tolist()
        out[k] = (len(said), max(said.count(v) for v in said))
        if len(said) >= 3:
            for i in range(len(said)):
                total += 1
                hits += sum(said[i] == said[j] for j in range(len(said)) if j != i) / (len(said) - 1)
    return out, hits / total


def test_counts_agree_with_loops():
    key, value = rng.integers(0, 30, 300), rng.integers(0, 4, 300)
    found = groups(key, value)
    sizes, agreement = _brute(key, value)
    assert {k: (int(found.rows[k]), int(found.most[k])) for k in sizes} == sizes
    assert found.agreement == pytest.approx(agreement)


def test_sparse_and_dense_counting_agree():
    key, value = rng.integers(0, 200, 2000), rng.integers(0, 9, 2000)
    dense, sparse = groups(key, value), groups(key, value * 10_000)
    assert np.array_equal(dense.most, sparse.most)
    assert np.array_equal(dense.best * 10_000, sparse.best)
    assert dense.kappa == pytest.approx(sparse.kappa)


@pytest.mark.parametrize("share", [0.002, 0.01, 0.05, 0.1])
def test_a_dependency_with_strewn_errors_holds(share):
    key = rng.integers(0, 200, 5000)
    value = key % 37
    wrong = rng.random(5000) < share
    value = np.where(wrong, rng.integers(0, 37, 5000), value)
    assert holds(groups(key, value))


def test_chance_exceptions_of_a_few_and_near_dependencies_do_not_hold():
    key = rng.integers(0, 200, 5000)
    assert not holds(groups(key, rng.integers(0, 5, 5000)))
    # most values are equal, whatever the key
    assert not holds(groups(key, (rng.random(5000) < 0.02).astype(int)))
    # a few keys stand for two things
    two = np.where((key < 10) & (rng.random(5000) < 0.5), 36, key % 36)
    assert not holds(groups(key, two))


def test_strays_that_lead_nowhere_are_left_out_first():
    key = rng.integers(0, 50, 4000)
    value = (key < 2).astype(int)  # two of fifty keys stand in another state
    value[rng.choice(4000, 90, replace=False)] = 2
    assert settles(key, value) is None
    found = settles(key, value, words=True)
    assert found is not None and found.strays


def test_exceptions_that_resemble_each_other_or_share_another_value_are_no_errors():
    key = rng.integers(0, 40, 6000)
    value = key % 20
    wrong = rng.random(6000) < 0.06
    honest = np.where(wrong, (value + 1) % 20, value)
    errors = np.where(wrong, rng.integers(0, 20, 6000), value)
    assert alike(key, honest, honest != value, groups(key, honest).best)
    assert not alike(key, errors, errors != value, groups(key, errors).best)
    state = np.where(wrong, 1, 0)
    assert explained_by(wrong, [rng.integers(0, 3, 6000), state])
    assert not explained_by(wrong, [rng.integers(0, 3, 6000), rng.integers(0, 9, 6000)])


def test_entropy():
    assert entropy(np.array([0, 0, 1, 1, -1])) == pytest.approx(np.log(2))
    assert entropy(np.array([-1, -1])) == 0.0
