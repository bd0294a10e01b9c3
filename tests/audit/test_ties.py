import numpy as np

from holdgood.audit.power import rows_of
from holdgood.audit.ties import TIED, strongest_tie

rng = np.random.default_rng(6)
N = 5000


def _tie(target_of, columns, y, name, others, kind="binary"):
    context = target_of(columns, y, kind)
    return strongest_tie(context.main, name, others, rows_of(context))


def test_a_noisy_copy_is_tied_to_nothing_and_a_cause_to_its_fellows(target_of):
    x = rng.normal(size=(N, 2))
    z = x[:, 0] + 0.5 * rng.normal(size=N)  # another reading of the same thing
    y = (x.sum(1) + 0.5 * rng.normal(size=N) > 0.3).astype(float)
    flipped = np.where(rng.random(N) < 0.1, 1 - y, y)
    columns = {"a": x[:, 0], "b": x[:, 1], "z": z, "copy": flipped}
    assert _tie(target_of, columns, y, "copy", ["a", "b", "z"]) < TIED
    assert _tie(target_of, columns, y, "a", ["b", "z", "copy"]) > 3 * TIED
    assert _tie(target_of, columns, y, "b", ["a"]) > TIED  # two causes meet in their effect


def test_of_an_amount_too(target_of):
    x = rng.normal(size=(N, 2))
    y = x.sum(1) + 0.5 * rng.normal(size=N)
    columns = {"a": x[:, 0], "b": x[:, 1], "copy": y + 0.7 * rng.normal(size=N)}
    assert _tie(target_of, columns, y, "copy", ["a", "b"], "regression") < TIED
    assert _tie(target_of, columns, y, "a", ["b"], "regression") > 3 * TIED


def test_the_same_column_in_other_words_is_no_fellow(target_of):
    y = (rng.random(N) < 0.4).astype(float)
    flipped = np.where(rng.random(N) < 0.1, 1 - y, y)
    columns = {"copy": flipped, "word": np.where(flipped == 1, "paid", "open"), "x": rng.normal(size=N) + y}
    assert _tie(target_of, columns, y, "copy", ["word", "x"]) < TIED


def test_too_few_rows_say_nothing(target_of):
    y = np.tile([0.0, 1.0], 40)
    assert _tie(target_of, {"a": rng.normal(size=80), "b": rng.normal(size=80)}, y, "a", ["b"]) is None
