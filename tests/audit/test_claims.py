import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.audit.claims import believed


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 3)), min_size=1, max_size=60))
@settings(max_examples=50, deadline=None)
def test_without_sources_the_most_frequent_value_is_believed(rows):
    key, value = (np.array(x) for x in zip(*rows, strict=True))
    (best,), (share,) = believed(key, [value], None)
    for k in range(key.max() + 1):
        said = value[(key == k) & (value >= 0)]
        if len(said) == 0:
            assert best[k] == -1
            continue
        counts = np.bincount(said)
        assert best[k] == counts.argmax()  # ties: the first by content
        assert share[k] == pytest.approx(counts.max() / counts.sum())


def test_reliable_sources_outvote_unreliable_ones():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 50, 200)
    key, source, value = [], [], []
    for thing in range(200):
        for s in range(7):  # two sources are right, five are right in half of the cases
            right = s < 2 or rng.random() < 0.5
            key.append(thing)
            source.append(s)
            value.append(truth[thing] if right else rng.integers(0, 4))
    arrays = [np.array(x) for x in (key, source, value)]
    weighed = believed(arrays[0], [arrays[2]], arrays[1])[0][0]
    plain = believed(arrays[0], [arrays[2]], None)[0][0]
    assert (weighed == truth).mean() > 0.99
    assert (weighed == truth).mean() > (plain == truth).mean()


def test_the_order_of_rows_changes_nothing():
    rng = np.random.default_rng(1)
    key, source, value = rng.integers(0, 20, 300), rng.integers(0, 5, 300), rng.integers(-1, 4, 300)
    order = rng.permutation(300)
    one = believed(key, [value], source)[0][0]
    assert np.array_equal(one, believed(key[order], [value[order]], source[order])[0][0])
