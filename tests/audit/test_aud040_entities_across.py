import numpy as np
import pytest

from holdgood.audit.aud040_entities_across import CHECK

rng = np.random.default_rng(14)
N = 3000


def _codes(n, letter="C"):
    return np.array([f"{letter}{c}" for c in rng.choice(np.arange(10_000, 99_999), n, replace=False)])


def _context(target_of, columns, y, held, **more):
    main = {n: v[~held] for n, v in columns.items()}
    return target_of(main, y[~held], holdout={n: v[held] for n, v in columns.items()}, **more)


def _customers(noise=0.5, each=6):
    """Rows of customers: what they are, and how they answer, hangs on the customer more than on the row."""
    who = rng.integers(0, N // each, N)
    own = rng.normal(size=(N // each, 4))
    taste = rng.normal(size=N // each)
    columns = {"customer": _codes(N // each)[who]} | {f"own{i}": own[who, i].round(2) for i in range(4)}
    columns["visit"] = rng.normal(size=N)
    return who, columns, (taste[who] + noise * rng.normal(size=N) > 0).astype(float)


def test_alike_rows_of_an_entity_flatter_the_score(target_of):
    who, columns, y = _customers()
    held = rng.random(N) < 0.25
    (finding,) = CHECK.run(_context(target_of, columns, y, held))
    seen = np.isin(who[held], who[~held]).sum()
    assert (finding.columns, finding.level, finding.rows) == (("customer",), "issue", seen)
    assert finding.evidence["optimism"] > 0.1


def test_whole_numbers_name_an_entity_where_its_rows_are_alike(target_of):
    who, columns, y = _customers()
    columns["customer"] = who
    held = rng.random(N) < 0.25
    (finding,) = CHECK.run(_context(target_of, columns, y, held))
    assert finding.columns == ("customer",)


def test_two_columns_together_name_an_entity(target_of):
    who, columns, y = _customers()
    columns.pop("customer")
    # neither says it alone: 30 streets with 17 houses each
    columns = {"street": who // 17, "house": who % 17} | columns
    columns["own3"] = np.round(columns["own3"])
    held = rng.random(N) < 0.25
    findings = CHECK.run(_context(target_of, columns, y, held))
    assert [f.columns for f in findings] in ([], [("street", "house")])


def test_a_split_made_by_an_entity_that_leaks_is_found(target_of):
    who, columns, _ = _customers()
    y = rng.integers(0, 2, N).astype(float)
    side = rng.random(N // 6) < 0.25
    held = side[who]
    assert CHECK.run(_context(target_of, columns, y, held)) == []
    mixed = np.isin(who, rng.choice(N // 6, 60, replace=False))
    held = np.where(mixed, rng.random(N) < 0.25, held)
    (finding,) = CHECK.run(_context(target_of, columns, y, held))
    assert (finding.columns, finding.level, finding.sure) == (("customer",), "issue", "certain")
    assert finding.rows == np.isin(who[held], who[~held]).sum()
    assert finding.rows < finding.evidence["by_chance"]


def test_a_code_that_does_not_matter_is_a_slight_tip(target_of):
    who = rng.integers(0, 500, N)
    columns = {"machine": _codes(500, "M-")[who], "x": rng.normal(size=N), "z": rng.normal(size=N)}
    y = (columns["x"] + rng.normal(size=N) > 0).astype(float)
    (finding,) = CHECK.run(_context(target_of, columns, y, rng.random(N) < 0.25))
    assert (finding.level, finding.severity, finding.sure) == ("tip", "low", "possible")
    assert abs(finding.evidence["optimism"]) < 0.02


@pytest.mark.parametrize(
    "values",
    [
        lambda: rng.integers(18, 90, N),
        lambda: np.round(rng.gamma(3, 60, N)).astype(np.int64),
        lambda: np.array(
            [f"{m:02d}/{y}" for m, y in zip(rng.integers(1, 13, N), rng.integers(1950, 2020, N), strict=True)]
        ),
        lambda: np.array([f"town of {i}x" for i in "abcdefgh"])[rng.integers(0, 8, N)],
    ],
)
def test_ages_amounts_months_and_towns_are_no_entities(target_of, values):
    columns = {"v": values(), "x": rng.normal(size=N), "z": rng.choice(list("abc"), N)}
    y = (columns["x"] + rng.normal(size=N) > 0).astype(float)
    assert CHECK.run(_context(target_of, columns, y, rng.random(N) < 0.25)) == []


def test_later_rows_of_a_known_entity_are_honest(target_of, refuses):
    _, columns, y = _customers()
    time = np.sort(rng.integers(0, 10**15, N))
    columns["at"] = time.astype("datetime64[us]")
    held = np.arange(N) >= 2250
    context = _context(target_of, columns, y, held, decision_time=time[:2250], spec={"time": '"at"'})
    assert "by time" in refuses(CHECK, context)


def test_a_random_split_of_rows_that_have_a_time_is_looked_at(target_of):
    _, columns, y = _customers()
    time = rng.integers(0, 10**15, N)
    columns["at"] = time.astype("datetime64[us]")
    held = rng.random(N) < 0.25
    context = _context(target_of, columns, y, held, decision_time=time[~held], spec={"time": '"at"'})
    assert [f.columns for f in CHECK.run(context)] == [("customer",)]


def test_not_applicable_without_a_holdout(target_of, refuses):
    assert refuses(CHECK, target_of({"x": np.arange(100)}, [0, 1] * 50)) == "there is no holdout"
