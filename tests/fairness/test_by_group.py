import numpy as np
import pytest
from sklearn.metrics import precision_score, recall_score

from holdgood.core.declaration import FairnessSpec
from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.records import FairnessReport, envelope
from holdgood.core.task import Task
from holdgood.fairness import by_group
from holdgood.fairness.by_group import MISSING
from holdgood.metrics.interval import wilson

BINARY = Task(kind="binary", classes=(0, 1))
SPEC = FairnessSpec(groups=["site"])


@pytest.fixture
def rows():
    rng = np.random.default_rng(1)
    n = 6000
    site = np.array(["A", "B", "C", None], dtype=object)[rng.choice(4, n, p=[0.5, 0.3, 0.19, 0.01])]
    p = rng.beta(2, 3, n)
    y = (rng.random(n) < p).astype(float)
    return y, p, (p >= 0.4).astype(np.int64), site


def test_measures_are_those_of_hand_masks(rows):
    y, p, answer, site = rows
    report = by_group(BINARY, y, p, answer, {"site": site}, SPEC)
    (attribute,) = report.attributes
    assert [g.name for g in attribute.groups] == ["A", "B", "C", MISSING]
    for group in attribute.groups[:3]:
        mask = site == group.name
        found = group.measures
        assert group.n == mask.sum()
        assert group.positives == y[mask].sum()
        assert found["true_positive_rate"].value == pytest.approx(recall_score(y[mask], answer[mask]))
        assert found["precision"].value == pytest.approx(precision_score(y[mask], answer[mask]))
        assert found["false_positive_rate"].value == pytest.approx(answer[mask & (y == 0)].mean())
        assert found["base_rate"].value == pytest.approx(y[mask].mean())
        assert found["calibration"].value == pytest.approx((p - y)[mask].mean())
        hits = int(answer[mask & (y == 1)].sum())
        by_hand = wilson(hits, int(y[mask].sum()))
        assert found["true_positive_rate"].low == pytest.approx(by_hand.low)
        assert found["true_positive_rate"].high == pytest.approx(by_hand.high)
    gap = next(g for g in attribute.gaps if g.measure == "true_positive_rate")
    rates = [g.measures["true_positive_rate"].value for g in attribute.groups[:3]]
    assert gap.largest.value == pytest.approx(max(rates) - min(rates))
    assert report.measure == "true_positive_rate"


def test_thin_groups_have_no_measures_and_say_how_many_rows_would_tell(rows):
    y, p, answer, site = rows
    thin = by_group(BINARY, y, p, answer, {"site": site}, SPEC).attributes[0].groups[-1]
    assert thin.thin
    assert thin.measures == {}
    rate, share = answer[y == 1].mean(), y.mean()
    assert thin.rows_needed == pytest.approx(1.96**2 * rate * (1 - rate) / 0.05**2 / share, rel=0.01)


def test_a_group_without_enough_negatives_is_thin(rows):
    y, p, answer, site = rows
    y = np.where(site == "C", 1.0, y)
    groups = {g.name: g for g in by_group(BINARY, y, p, answer, {"site": site}, SPEC).attributes[0].groups}
    assert groups["C"].thin


def test_a_group_that_is_passed_over_is_found(rows):
    y, p, answer, site = rows
    answer = np.where((site == "B") & (np.arange(len(y)) % 2 == 0), 0, answer)
    report = by_group(BINARY, y, p, answer, {"site": site}, SPEC)
    gap = next(g for g in report.attributes[0].gaps if g.measure == "true_positive_rate")
    assert gap.verdict == "gap"
    assert gap.between[1] == "B"
    assert "proven gap between groups of site" in report.sentence


def test_precision_is_compared_among_groups_that_have_one(rows):
    y, p, answer, site = rows
    answer = np.where(site == "C", 0, answer)
    gap = next(
        g for g in by_group(BINARY, y, p, answer, {"s": site}, SPEC).attributes[0].gaps if g.measure == "precision"
    )
    assert set(gap.between) == {"A", "B"}


def test_several_attributes_are_corrected_and_silence_is_not_fair(rows):
    y, p, answer, site = rows
    two = by_group(BINARY, y, p, answer, {"site": site, "again": site}, SPEC)
    assert two.attributes[0].gaps[0].largest.level == pytest.approx(0.975)
    none = by_group(BINARY, y, p, answer, {}, SPEC)
    assert none.attributes == ()
    assert "not the same as being fair" in none.sentence


def test_an_attribute_of_one_group_cannot_be_told(rows):
    y, p, answer, _ = rows
    one = by_group(BINARY, y, p, answer, {"site": np.array(["A"] * len(y), object)}, SPEC)
    assert one.attributes[0].gaps == ()
    assert "cannot tell for site" in one.sentence


def test_many_thin_groups_become_one_entry(rows):
    y, p, answer, _ = rows
    many = np.array([f"g{i:04d}" for i in np.arange(len(y)) // 12], dtype=object)
    many[:3000] = "big"
    groups = by_group(BINARY, y, p, answer, {"customer": many}, SPEC).attributes[0].groups
    assert len(groups) == 41
    assert groups[0].name == "big"
    assert "more groups, each too thin" in groups[-1].name
    assert sum(g.n for g in groups) == len(y)


def test_regression_is_in_standard_deviations():
    rng = np.random.default_rng(3)
    y = rng.normal(100, 20, 4000)
    shift = np.array(["old", "new"], dtype=object)[np.arange(4000) % 2]
    prediction = y + rng.normal(0, 5, 4000) + np.where(shift == "old", 8.0, 0.0)
    task = Task(kind="regression", metric="rmse")
    report = by_group(task, y, prediction, prediction, {"machine": shift}, SPEC)
    (gap,) = [g for g in report.attributes[0].gaps if g.measure == "error"]
    assert gap.largest.value == pytest.approx(0.4, abs=0.03)
    assert gap.verdict == "gap"
    assert gap.between == ("old", "new")
    assert "standard deviations" in gap.sentence


def test_multiclass_and_declared_measures():
    rng = np.random.default_rng(4)
    y = rng.integers(0, 3, 3000).astype(float)
    answer = np.where(rng.random(3000) < 0.8, y, 0).astype(np.int64)
    group = np.array(["A", "B"], dtype=object)[rng.integers(0, 2, 3000)]
    task = Task(kind="multiclass", classes=("a", "b", "c"))
    p = np.full((3000, 3), 1 / 3)
    report = by_group(task, y, p, answer, {"g": group}, FairnessSpec(measure="error"))
    found = report.attributes[0].groups[0].measures
    assert found["error"].value == pytest.approx(1 - found["accuracy"].value)
    assert report.attributes[0].gaps[0].verdict == "within"
    with pytest.raises(DeclarationError, match="says nothing about a multiclass task"):
        by_group(task, y, p, answer, {"g": group}, FairnessSpec(measure="true_positive_rate"))


def test_clusters_names_and_seeds(rows, tmp_path):
    y, p, answer, site = rows
    clusters = np.arange(len(y)) // 5
    one = by_group(BINARY, y, p, answer, {"site": site}, SPEC, clusters=clusters, seed=2)
    two = by_group(BINARY, y, p, answer, {"renamed": site}, SPEC, clusters=clusters, seed=2)
    assert one.attributes[0].gaps == two.attributes[0].gaps
    assert one.attributes[0].groups == two.attributes[0].groups
    assert envelope.read(envelope.write(tmp_path / "f.json", one), FairnessReport) == one


def test_labels_of_other_rows_are_refused(rows):
    y, p, answer, site = rows
    with pytest.raises(DataError, match="labels of 'site'"):
        by_group(BINARY, y, p, answer, {"site": site[:10]}, SPEC)


def test_a_group_of_few_clusters_cannot_be_told_and_is_named():
    """Two customers place hundreds of orders; under the null, such a group was "proven" different in half of all runs."""
    gaps, runs = 0, 40
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        customers = np.repeat(np.arange(122), 60)
        region = np.where(customers < 2, "north", np.where(customers < 62, "south", "west")).astype(object)
        rate = np.clip(0.5 + rng.normal(0, 0.25, 122), 0.02, 0.98)[customers]
        y = (rng.random(len(customers)) < 0.5).astype(float)
        answer = (rng.random(len(customers)) < rate).astype(np.int64)
        report = by_group(BINARY, y, rate, answer, {"region": region}, SPEC, clusters=customers, seed=seed)
        gap = next(g for g in report.attributes[0].gaps if g.measure == report.measure)
        gaps += gap.verdict == "gap"
        north = next(g for g in report.attributes[0].groups if g.name == "north")
        assert north.thin
        assert north.measures == {}
        assert north.rows_needed >= 480
        assert "north" not in gap.between
        assert "not compared, too few clusters to tell: north (worth 2 of 8 needed)" in gap.sentence
        assert "Too few clusters to tell in region: north (worth 2 of 8 needed)." in report.sentence
    assert gaps <= 6  # binom.sf(6, 40, 0.05) = 0.003


def test_a_measure_that_lies_in_few_clusters_is_not_compared(rows):
    y, p, answer, site = rows
    clusters = np.arange(len(y)) // 10
    answer = np.where((site == "C") & (clusters > 30), 0, answer)
    gaps = {
        g.measure: g for g in by_group(BINARY, y, p, answer, {"s": site}, SPEC, clusters=clusters).attributes[0].gaps
    }
    assert "not compared" not in gaps["precision"].sentence
    answer = np.where((site == "C") & (clusters > 4), 0, answer)
    gaps = {
        g.measure: g for g in by_group(BINARY, y, p, answer, {"s": site}, SPEC, clusters=clusters).attributes[0].gaps
    }
    assert set(gaps["precision"].between) == {"A", "B"}
    assert "too few clusters to tell: C" in gaps["precision"].sentence
    assert "not compared" not in gaps["true_positive_rate"].sentence
