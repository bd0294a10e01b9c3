"""Out-of-fold predictions of one small, honest learner, shared by the checks that ask what the columns say *together*.

LightGBM, imported when it is first needed, so that the audit stays light to import; one thread, a fixed number of rounds.
It learns on at most 20,000 rows and 60 columns, chosen by content and by power alone, and predicts up to 200,000 rows, each
by a model that has not seen it. Neither names of columns nor the order of rows matter. Where a run's budget is less than a
minute it learns on fewer rows, so that an audit does not eat what was meant for models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.audit import columns
from holdgood.audit.aud011_identifiers import identifiers
from holdgood.audit.memory import Memory
from holdgood.audit.power import auc_of_counts, powers
from holdgood.audit.rows import row_hashes
from holdgood.core.budget import Budget
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table

FOLDS = 5
LEARNT_ROWS, PREDICTED_ROWS = 20_000, 200_000
CLASS_ROWS = 100_000  # rows times classes that are learnt from
FEWEST = 100
COLUMNS = 60
LEVELS = 64
ROUNDS, FEWEST_ROUNDS = 80, 15
_WORK = 300_000_000  # cells times rounds times classes; two to three CPU seconds
_WHOLE_BUDGET = 60.0  # seconds of a run from which on nothing is saved
_HASHED_COLUMNS = 64

_kept: Memory[OutOfFold] = Memory()


@dataclass(frozen=True)
class OutOfFold:
    """Rows in an order that follows their content: ``positions`` in the main table, ``y``, ``fold`` and ``prediction``.

    ``prediction``: (n, k) chances of the classes, or (n,) amounts; NaN nowhere.
    """

    positions: np.ndarray
    y: np.ndarray
    fold: np.ndarray
    prediction: np.ndarray
    classes: int  # 0 for amounts
    names: tuple[str, ...]  # the columns that were learnt from

    def auc(self) -> float:
        """AUC; of several classes one against the rest, weighted by rows. nan where the rows have one outcome only."""
        total = weight = 0.0
        for k in [1] if self.classes == 2 else range(self.classes):
            score, back = np.unique(self.prediction[:, k], return_inverse=True)
            ones = np.bincount(back, weights=self.y == k, minlength=len(score))
            zeros = np.bincount(back, weights=self.y != k, minlength=len(score))
            if ones.sum() and zeros.sum():
                total += float(ones.sum()) * auc_of_counts(score, ones, zeros)
                weight += float(ones.sum())
        return total / weight if weight else float("nan")

    def quality(self) -> float:
        """AUC of classes, R² of amounts; nan where the rows have one outcome only."""
        if self.classes:
            return self.auc()
        spread = float(self.y.var())
        return 1.0 - float(((self.y - self.prediction) ** 2).mean()) / spread if spread > 0 else float("nan")


def usable(context: AuditContext, without: tuple[str, ...] = ()) -> list[str]:
    """Columns that may be learnt from: no texts, ids, running numbers or parts of the target; of many the most telling 60."""
    assert context.main is not None
    spec = context.spec(context.main.name)
    gone = {*spec.key, *spec.ids, *context.target_columns, *identifiers(context.main), *without}
    names = [c.name for c in context.main.columns if c.name not in gone and c.type not in ("text", "other")]
    if len(names) > COLUMNS:
        alone, place = powers(context), {n: i for i, n in enumerate(context.main.names)}
        best = sorted(names, key=lambda n: (-alone.get(n, 0.0), place[n]))[:COLUMNS]
        names = sorted(best, key=place.__getitem__)
    return names


def out_of_fold(
    context: AuditContext,
    *,
    without: tuple[str, ...] = (),
    only: tuple[str, ...] | None = None,
    groups: np.ndarray | None = None,
    predicted_rows: int = PREDICTED_ROWS,
) -> OutOfFold:
    """Predictions of development rows with an outcome; remembered while the main table lives.

    ``without``: columns left out; ``only``: the columns to use instead of all; ``groups``: a code a row of the main table,
    whose rows share a fold (default: rows of equal content, or of one group that the split keeps together).
    Raises NotApplicable for fewer than 100 outcomes, or none but one.
    """
    assert context.main is not None
    assert context.y is not None
    main = context.main
    key = (
        without,
        only,
        None if groups is None else groups.tobytes(),
        predicted_rows,
        context.y.tobytes(),
        context.target_columns,
        context.seed,
        None if context.task is None else context.task.kind,
    )
    return _kept.get(main.data, key, lambda: _fit(context, main, without, only, groups, predicted_rows))


def _fit(
    context: AuditContext,
    main: Table,
    without: tuple[str, ...],
    only: tuple[str, ...] | None,
    groups: np.ndarray | None,
    predicted_rows: int,
) -> OutOfFold:
    y = np.asarray(context.y, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(y))
    if len(known) < FEWEST or len(np.unique(y[known][:10_000])) < 2:
        raise NotApplicable(f"fewer than {FEWEST} rows with different outcomes")
    names = list(only) if only is not None else usable(context, without)
    if not names:
        raise NotApplicable("no column to learn from")
    some = [main.names[int(i)] for i in np.unique(np.linspace(0, len(main.names) - 1, _HASHED_COLUMNS).astype(int))]
    hashes = row_hashes(main, tuple(some))
    order = np.lexsort((y[known], hashes[known]))
    positions = known[order][:predicted_rows]
    fold = _folds(context, main, hashes, positions, groups)
    classes = 0
    if context.task is not None and context.task.kind in ("binary", "multiclass"):
        classes = max(2, int(y[known].max()) + 1)
    values, categorical = _matrix(main, names, positions)
    prediction = _predict(context, values, categorical, y[positions], fold, classes)
    return OutOfFold(positions, y[positions], fold, prediction, classes, tuple(names))


def local_spread(context: AuditContext, told: OutOfFold) -> np.ndarray:
    """How far predictions of amounts usually lie off, a row: the size of the residual, itself learnt out of fold.

    Positive, in the unit of the outcome, up to a factor that is the same for all rows.
    """
    assert context.main is not None
    off = np.abs(told.y - told.prediction)
    floor = 1e-9 * float(told.y.std()) + 1e-300
    values, categorical = _matrix(context.main, list(told.names), told.positions)
    values = np.column_stack([values, told.prediction])
    size = _predict(context, values, categorical, np.log(np.maximum(off, floor)), told.fold, 0)
    return np.asarray(np.exp(size))


def _folds(
    context: AuditContext, main: Table, hashes: np.ndarray, positions: np.ndarray, groups: np.ndarray | None
) -> np.ndarray:
    by = tuple(n for n in context.declaration.split.by if n in main.names)
    if groups is not None:
        mixed = np.asarray(groups, dtype=np.int64).astype(np.uint64)[positions] * np.uint64(0x9E3779B97F4A7C15)
    elif by:
        mixed = row_hashes(main, by)[positions]
    else:
        mixed = hashes[positions]
    fold: np.ndarray = ((mixed >> np.uint64(13)) % np.uint64(FOLDS)).astype(np.int64)
    return fold


def _share_of_budget(context: AuditContext) -> float:
    seconds = Budget.parse(context.declaration.budget.run).seconds if context.declaration.budget.run else None
    return 1.0 if seconds is None else float(np.clip(seconds / _WHOLE_BUDGET, 0.1, 1.0))


def _matrix(main: Table, names: list[str], positions: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """float64 (rows, columns): numbers as they are, levels by rank of frequency, few ones marked as categories; moments with
    their hour, weekday and day of the year at the end.
    """
    made = np.empty((len(positions), len(names)))
    categorical = []
    calendar = []
    for at, name in enumerate(names):
        if columns.is_text(main, name):
            codes, dictionary = columns.coded(main, name)
            rank = {level: i for i, (level, _) in enumerate(columns.levels(main, name))}
            ranks = np.array([*(float(rank[v]) for v in dictionary.to_pylist()), np.nan])
            made[:, at] = ranks[codes[positions]]
            if 3 <= len(dictionary) <= LEVELS:
                categorical.append(at)
        else:
            made[:, at] = columns.numbers(main, name)[positions]
            if columns.is_moment(main, name):
                calendar += [np.floor(made[:, at] / unit) % turns for unit, turns in _TURNS]
    return (np.column_stack([made, *calendar]) if calendar else made), categorical


_HOUR = 3_600_000_000.0
_TURNS = ((_HOUR, 24.0), (24.0 * _HOUR, 7.0), (24.0 * _HOUR, 365.25))  # hour of the day, day of the week, of the year


def _predict(
    context: AuditContext,
    values: np.ndarray,
    categorical: list[int],
    y: np.ndarray,
    fold: np.ndarray,
    classes: int,
) -> np.ndarray:
    import lightgbm as lgb  # late: `import holdgood.audit` must stay light

    trees = classes if classes > 2 else 1
    learnt = np.zeros(len(y), dtype=bool)
    learnt[: int(min(LEARNT_ROWS, CLASS_ROWS / trees) * _share_of_budget(context))] = True
    rounds = int(np.clip(_WORK / (learnt.sum() * values.shape[1] * trees), FEWEST_ROUNDS, ROUNDS))
    parameters = {
        "objective": "multiclass" if classes > 2 else "binary" if classes == 2 else "regression",
        "num_leaves": 15,
        "learning_rate": 0.1,
        "min_data_in_leaf": 20,
        "max_bin": 63,
        "min_data_per_group": 30,
        "cat_smooth": 20.0,
        "num_threads": 1,
        "deterministic": True,
        "force_col_wise": True,
        "seed": context.seed % 2**31,
        "verbosity": -1,
    } | ({"num_class": classes} if classes > 2 else {})
    centre, spread = (float(y.mean()), float(y.std()) or 1.0) if not classes else (0.0, 1.0)
    prediction = np.full((len(y), classes) if classes else len(y), np.nan)
    for k in range(FOLDS):
        train, test = learnt & (fold != k), fold == k
        if not test.any():
            continue
        if train.sum() < FEWEST // 2 or len(np.unique(y[train])) < 2:
            raise NotApplicable("too few rows with different outcomes to learn from out of fold")
        data = lgb.Dataset(
            values[train],
            (y[train] - centre) / spread,
            categorical_feature=categorical,
            params={"max_bin": 63, "min_data_in_leaf": 20, "verbosity": -1, "num_threads": 1},
            free_raw_data=True,
        )
        told = np.asarray(lgb.train(parameters, data, num_boost_round=rounds).predict(values[test], num_threads=1))
        if classes == 2:
            prediction[test] = np.stack([1.0 - told, told], axis=1)
        else:
            prediction[test] = told if classes else told * spread + centre
    return prediction
