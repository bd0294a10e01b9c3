import builtins

import numpy as np
import pytest

from holdgood.audit.aud041_label_errors import CHECK
from holdgood.core.errors import NotApplicable


def _easy(n=6000, seed=0, steep=4.0):
    """Two classes that the columns tell well, with an honest grey zone between them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    chance = 1 / (1 + np.exp(-steep * (x[:, 0] + 0.7 * x[:, 1] - 0.3)))
    return {f"x{i}": x[:, i] for i in range(4)}, (rng.random(n) < chance).astype(float), rng


def test_honest_noise_is_quiet_at_any_difficulty(target_of):
    for seed, steep in [(0, 8.0), (1, 4.0), (2, 2.0), (3, 0.7)]:
        columns, y, _ = _easy(seed=seed, steep=steep)
        assert CHECK.run(target_of(columns, y)) == [], (seed, steep)


@pytest.mark.parametrize("share", [0.04, 0.1])
def test_flipped_labels_are_found_estimated_and_ranked(target_of, share):
    columns, y, rng = _easy(steep=8.0)
    flipped = rng.random(len(y)) < share
    (finding,) = CHECK.run(target_of(columns, np.where(flipped, 1 - y, y)))
    assert (finding.sure, finding.level) == ("likely", "issue")
    assert finding.evidence["estimated_share"] == pytest.approx(share, rel=0.45)
    assert flipped[list(finding.examples)].mean() >= 0.9
    assert 0 < finding.evidence["to_look_at"] <= finding.evidence["flagged"]


def test_the_list_is_there_without_the_extra(target_of, monkeypatch):
    columns, y, rng = _easy(steep=8.0)
    flipped = rng.random(len(y)) < 0.1
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("cleanlab"):
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    (finding,) = CHECK.run(target_of(columns, np.where(flipped, 1 - y, y)))
    assert flipped[list(finding.examples)].mean() >= 0.9


def test_several_classes(target_of):
    rng = np.random.default_rng(3)
    y = rng.integers(0, 4, 2500)
    centre = np.array([[0, 0], [4, 0], [0, 4], [4, 4]])[y]
    x = centre + rng.normal(size=(2500, 2))
    columns = {"a": x[:, 0], "b": x[:, 1]}
    assert CHECK.run(target_of(columns, y.astype(float), "multiclass")) == []
    moved = rng.random(2500) < 0.08
    told = np.where(moved, (y + rng.integers(1, 4, 2500)) % 4, y).astype(float)
    (finding,) = CHECK.run(target_of(columns, told, "multiclass"))
    assert finding.evidence["estimated_share"] == pytest.approx(0.08, rel=0.4)


def _amounts(n=4000, seed=0, tail=None):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    noise = rng.standard_t(tail, n) if tail else rng.normal(size=n)
    return (
        {f"x{i}": x[:, i] for i in range(3)},
        20 + 5 * x[:, 0] + 3 * x[:, 1] + noise * (0.5 + 0.3 * np.abs(x[:, 2])),
        rng,
    )


def test_honest_amounts_are_quiet_heavy_tails_included(target_of):
    for seed, tail in [(0, None), (1, 2), (2, 4)]:
        columns, y, _ = _amounts(seed=seed, tail=tail)
        assert CHECK.run(target_of(columns, y, "regression")) == [], (seed, tail)


def test_amounts_ten_times_too_large_are_found(target_of):
    columns, y, rng = _amounts()
    wrong = rng.random(len(y)) < 0.02
    (finding,) = CHECK.run(target_of(columns, np.where(wrong, 10 * y, y), "regression"))
    assert wrong[list(finding.examples)].all()
    assert finding.evidence["estimated_rows"] == pytest.approx(wrong.sum(), rel=0.5)
    assert finding.picture.marks


def test_amounts_swapped_between_rows_are_found(target_of):
    columns, y, rng = _amounts()
    wrong = rng.random(len(y)) < 0.05
    (finding,) = CHECK.run(target_of(columns, np.where(wrong, rng.permutation(y), y), "regression"))
    assert wrong[list(finding.examples)].mean() >= 0.9


def test_not_applicable_for_few_rows_or_no_columns(target_of, refuses):
    assert "100 rows" in refuses(CHECK, target_of({"x": np.arange(50.0) ** 2}, [0, 1] * 25))
    with pytest.raises(NotApplicable, match="no column"):
        CHECK.run(target_of({"t": [f"some words on row {i} here" for i in range(200)]}, [0, 1] * 100))
