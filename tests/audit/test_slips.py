import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.audit.slips import _tail, kind_of, one_edit, slips


@pytest.mark.parametrize(
    ("came", "meant", "kind"),
    [
        ("lodnon", "london", "swap"),
        ("londn", "london", "less"),
        ("lonndon", "london", "more"),
        ("lundon", "london", "letters"),
        ("engines", "engine", ""),
        ("dublin", "london", ""),
        ("hf-1", "hf-2", "digits"),
        ("12", "21", "digits"),
        ("hf-x", "hf-2", "breaking"),
        ("surgxry patixnts", "surgery patients", "letters"),
        ("702xnxmainxst", "702 n main st", "breaking"),
        ("abcdefghij", "abcdefghij", ""),
        ("axcdexghij", "abcdefghij", "letters-2"),
        ("axcdex", "abcdef", ""),
    ],
)
def test_kinds_of_slip(came, meant, kind):
    assert kind_of(came, meant) == kind


@given(st.text("abc1-", min_size=1, max_size=7), st.text("abc1-", min_size=1, max_size=7))
@settings(max_examples=50, deadline=None)
def test_one_edit_is_the_distance_of_damerau(a, b):
    assert one_edit(a, b) == (_distance(a, b) == 1)
    assert one_edit(a, b) == one_edit(b, a)


def _distance(a, b):
    d = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
    d[:, 0], d[0, :] = range(len(a) + 1), range(len(b) + 1)
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                d[i, j] = min(d[i, j], d[i - 2, j - 2] + 1)
    return d[-1, -1]


def test_the_tail_bounds_the_binomial():
    from scipy.stats import binom

    for hits, of, share in [(3, 10, 0.02), (5, 5, 0.1), (20, 200, 0.05), (1, 50, 0.02)]:
        assert _tail(hits, of, share) >= binom.sf(hits - 1, of, share) - 1e-12


def test_slips_of_established_words_are_told_and_where_two_are_near_nothing_is_guessed():
    words = ["berlin", "hamburg", "munich", "cologne", "berln", "hambrug", "municch", "colonge"]
    told = slips(words, [90, 80, 70, 60, 1, 1, 1, 1])
    assert told.meant == {"berln": "berlin", "hambrug": "hamburg", "municch": "munich", "colonge": "cologne"}
    assert told.certain
    near = slips(["station a", "station b", "other one", "statoin x", "statiom a"], [90, 80, 70, 1, 1])
    assert "statoin x" not in near.meant


def test_words_that_lie_near_each_other_by_nature_are_no_slips():
    codes = [f"vs{i}{j}" for i in "abcdef" for j in "klmnop"]
    assert slips(codes, [100 - 3 * i if i < 30 else 1 for i in range(36)]).meant == {}
    # the same change throughout is another word: Alaska beside Alabama
    al, ak = [f"al_code{i}" for i in "abcdefghij"], [f"ak_code{i}" for i in "abcdefghij"]
    assert slips([*al, *ak], [50] * 10 + [1] * 10).meant == {}


def test_many_rare_names_hide_no_slips():
    rng = np.random.default_rng(0)
    names = list(dict.fromkeys("".join(rng.choice(list("abcdeimnorst"), 5)) for _ in range(3000)))
    counts = [400, 300, 200, 100, 90, 80, 70, 60] + [1] * (len(names) - 8)
    assert slips(names, counts).meant == {}
