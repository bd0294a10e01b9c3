"""A frame of one row gets what it gets on the road of tables, to the bit, whatever its cells are and however they come."""

import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import DataError
from holdgood.core.one_row import one_row
from holdgood.workflow.estimator import fit

N = 400
RANDOM = np.random.default_rng(3)
WORDS = np.array(["red", "green", "blue", "of", "late", "good", "bad", "very", "near", "far"])


def table():
    amount = RANDOM.normal(0, 1, N)
    return pd.DataFrame(
        {
            "amount": np.where(RANDOM.random(N) < 0.1, np.nan, amount),
            "whole": RANDOM.integers(-5, 50, N),
            "flag": RANDOM.random(N) < 0.4,
            "kind": RANDOM.choice(np.array(["a", "b", "c", None], object), N),
            "code": RANDOM.choice(np.array(["1", "2", "30", "x"], object), N),
            "place": [f"place {i}" for i in RANDOM.integers(0, 90, N)],
            "said": [" ".join(RANDOM.choice(WORDS, 6)) + f" {i}" for i in range(N)],
            "moment": pd.Timestamp("2024-01-01") + pd.to_timedelta(RANDOM.integers(0, 9_000_000, N), unit="s"),
        }
    )


X = table()
SCORE = X.amount.fillna(0) + (X.kind == "a") + 0.05 * X.whole + RANDOM.normal(0, 0.3, N)
OUTCOMES = {
    "binary": np.where(SCORE > 1, "yes", "no"),
    "multiclass": np.digitize(SCORE, [0, 1.5]).astype(str),
    "regression": SCORE.to_numpy(),
}


def made(kind, models, trials=3):
    return fit(X, OUTCOMES[kind], task=kind, budget=f"trials={trials}", models=models, workers=0, split={"folds": 2})


@pytest.fixture(scope="module")
def estimators():
    return [
        made("binary", ("prior", "linear", "lightgbm"), 4),
        made("multiclass", ("prior", "lightgbm")),
        made("regression", ("prior", "linear", "forest"), 4),
    ]


def by_tables(model, frame):
    return model.chain_.predict(model._frame(frame))


def same(model, frame):
    """Whether the row is answered without a table; both roads must say the same, or both refuse."""
    alone = model._alone.predict(frame)
    if alone is not None:
        expected = by_tables(model, frame)
        assert alone.shape == expected.shape
        assert alone.dtype == expected.dtype
        assert np.array_equal(alone, expected)
    return alone is not None


def test_rows_of_the_kind_that_was_learned_from_need_no_table(estimators):
    assert list(estimators[0].columns_.values()) == [
        "number",
        "number",
        "boolean",
        *["category"] * 3,
        "text",
        "datetime",
    ]
    for model in estimators:
        among = by_tables(model, X.head(15))
        for i in range(15):
            assert same(model, X.iloc[[i]])
            assert np.array_equal(model._predicted(X.iloc[[i]]), among[i : i + 1])


OF_NUMBERS = st.one_of(
    st.none(), st.floats(), st.integers(-(2**65), 2**65), st.booleans(), st.sampled_from(["7", "7.5", "1e3", "seven", ""]),
    st.floats(width=32).map(np.float32), st.integers(-128, 127).map(np.int8), st.just(pd.NA), st.just(Decimal("1.5")),
)  # fmt: skip
OF_WORDS = st.one_of(
    st.none(), st.sampled_from(["a", "b", "c", "1", "30", "place 3", "never seen", "", " a", "NA", "nan", "é"]), st.text(max_size=8),
    st.integers(-(2**63), 2**63 - 1), st.floats(), st.booleans(), st.just(np.nan), st.just(pd.NA), st.just(b"raw"),
)  # fmt: skip
OF_MOMENTS = st.one_of(
    st.none(), st.just(pd.NaT), st.datetimes(pd.Timestamp("1700-01-01"), pd.Timestamp("2200-01-01")),
    st.datetimes(pd.Timestamp("1700-01-01"), pd.Timestamp("2200-01-01")).map(pd.Timestamp),
    st.datetimes(pd.Timestamp("1990-01-01"), pd.Timestamp("2050-01-01")).map(lambda t: pd.Timestamp(t, tz="Europe/Berlin")),
    st.integers(-(2**62), 2**62).map(pd.Timestamp), st.sampled_from(["2024-02-03", "2024-02-03T04:05:06+02:00", "soon", 3, 2.5]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "amount": OF_NUMBERS, "whole": OF_NUMBERS, "flag": OF_NUMBERS, "kind": OF_WORDS, "code": OF_WORDS, "place": OF_WORDS,
            "said": st.one_of(OF_WORDS, st.text("red blue", max_size=30)), "moment": OF_MOMENTS,
        }
    ),
    st.booleans(),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_whatever_the_cells_are(estimators, cells, as_objects, random):
    names = list(cells)
    random.shuffle(names)
    made = {n: pd.Series([cells[n]], dtype=object) if as_objects else pd.Series([cells[n]]) for n in names}
    for model in estimators:
        same(model, pd.DataFrame(made))


@pytest.mark.parametrize(
    "dtypes",
    [
        {"amount": "float32", "whole": "int8", "flag": "uint8"},
        {"amount": "Float64", "whole": "Int64", "flag": "boolean", "kind": "string"},
        {"kind": "category", "code": "category", "place": "category"},
        {"moment": "datetime64[s]", "amount": "float16"},
        {"amount": "float64[pyarrow]", "kind": "string[pyarrow]", "whole": "int32[pyarrow]", "flag": "bool[pyarrow]"},
        {"flag": "float64", "whole": "uint64"},
        {"moment": "datetime64[ns, Europe/Berlin]"},
    ],
)
def test_whatever_the_types_of_the_columns_are(estimators, dtypes):
    frame = X.iloc[:12].copy()
    for name, dtype in dtypes.items():
        if "Berlin" in dtype:
            frame[name] = frame[name].dt.tz_localize("Europe/Berlin")
        else:
            frame[name] = frame[name].astype(dtype)
    for model in estimators:
        assert all(same(model, frame.iloc[[i]]) for i in range(12))


def test_numbers_alone_as_a_frame_and_as_an_array():
    values = RANDOM.normal(0, 1, (N, 4)).round(2)
    model = fit(values, values[:, 0] + values[:, 1] > 0, budget="trials=3", models=("prior", "lightgbm"), workers=0)
    for given_as in (
        values[:9],
        values[:9].astype(np.float32),
        values[:9].astype(object),
        np.rint(values[:9]).astype(np.int64),
    ):
        among = model.predict_proba(given_as)
        for i in range(9):
            assert same(model, given_as[i : i + 1])
            assert np.array_equal(model.predict_proba(given_as[i : i + 1]), among[i : i + 1])
    assert not same(model, np.array([[1 + 0j] * 4]))
    with pytest.raises(DataError, match="expecting 4 features"):
        model.predict(values[:1, :3])


def test_a_row_of_polars(estimators):
    frame = pl.from_pandas(X.drop(columns="moment")).with_columns(moment=pl.lit(None))
    for model in estimators:
        assert all(same(model, frame[i]) for i in range(10))


def test_what_only_the_road_of_tables_can_tell_is_left_to_it(estimators):
    model, row = estimators[0], X.iloc[[0]]
    for other in (
        row.drop(columns="kind"), row.assign(more=1), row.rename(columns={"kind": "Kind"}), pd.concat([row, row[["kind"]]], axis=1),
        row.assign(moment=pd.Timestamp("2024-01-01 00:00:00.000000001")), row.assign(whole=[[1]]), X.iloc[:0], X.iloc[:2], "text", None,
    ):  # fmt: skip
        assert model._alone.predict(other) is None
    assert one_row(3) is None
    with pytest.raises(DataError, match="lacks 1 column: kind"):
        model.predict(row.drop(columns="kind"))
    assert model.predict(row.assign(more=1)).tolist() == model.predict(row).tolist()


def test_what_cannot_be_compiled_takes_the_road_of_tables(estimators):
    model = pickle.loads(pickle.dumps(estimators[0]))

    class Other:
        def predict(self, frame):
            return np.full(len(frame), 0.25)

    model._alone.scorer = model.chain_ = Other()
    for _ in range(2):
        assert sorted(model.predict_proba(X.iloc[[0]])[0]) == [0.25, 0.75]


def test_it_travels(estimators):
    for model in estimators:
        model.predict(X.iloc[[0]])
        again = pickle.loads(pickle.dumps(model))
        assert all(same(again, X.iloc[[i]]) for i in range(3))
