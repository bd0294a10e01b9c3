"""CbmBooster: a CatBoost model file and what turns its numbers into answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from holdgood.core.errors import BundleError, MissingExtra
from holdgood.core.frame import Matrix
from holdgood.core.protocols import Parts
from holdgood.models.tabular import cbm
from holdgood.models.tabular.booster import as_float32
from holdgood.models.tabular.links import sigmoid, softmax
from holdgood.models.tabular.training_rows import expect_columns

EXTRA, LIBRARY = "boost", "catboost"
MOST_CODES = 254
_FILE = "model.cbm"
# CatBoost takes categories as texts: 0 for missing and unseen ones, then the codes.
_TEXTS = np.array([b"%d" % code for code in range(MOST_CODES + 1)], dtype=object)


def library() -> Any:
    """CatBoost; MissingExtra where it is not installed. Imported at first use: most bundles need none."""
    try:
        import catboost
    except ModuleNotFoundError:
        raise MissingExtra.named(EXTRA, LIBRARY, "a CatBoost model") from None
    return catboost


def numbers_of(values: np.ndarray) -> np.ndarray:
    """Numbers as CatBoost's trees see them, in float32. A missing one is the smallest there is, in training and
    afterwards: CatBoost would refuse a gap where it has not learned from any.
    """
    return as_float32(np.where(np.isnan(values), -np.inf, values))


def data_of(values: np.ndarray, categorical: Sequence[int]) -> Any:
    """Rows as CatBoost takes them fastest: numbers first, then categories, each in their order."""
    numeric = np.delete(np.arange(values.shape[1]), categorical)
    numbers, texts = numbers_of(values[:, numeric]) if len(numeric) else None, None
    if len(categorical):
        codes = values[:, list(categorical)]
        known = (codes >= 0) & (codes < MOST_CODES)
        texts = _TEXTS[np.where(known, codes, -1.0).astype(np.int64) + 1]
    return library().FeaturesData(num_feature_data=numbers, cat_feature_data=texts)


def data_of_row(cells: Sequence[float], numeric: Sequence[int], categorical: Sequence[int]) -> Any:
    """The same for the cells of one row."""
    numbers = numbers_of(np.array([[cells[at] for at in numeric]], np.float64)) if numeric else None
    texts = None
    if categorical:
        codes = (cells[at] for at in categorical)
        texts = np.array([[_TEXTS[int(c) + 1 if 0 <= c < MOST_CODES else 0] for c in codes]], dtype=object)
    return library().FeaturesData(num_feature_data=numbers, cat_feature_data=texts)


class CbmBooster:
    """Symmetric trees in CatBoost's own format, with what they start from.

    ``margins`` (outputs,): log odds (binary), log shares (multiclass) or zero (regression), to which the trees add.
    ``present``: the class codes of the outputs; a class without training rows gets no share. ``raw`` is None where
    there was nothing to split. ``offset`` and ``scale`` undo a standardised outcome.
    """

    part: ClassVar[str] = "catboost"

    def __init__(
        self,
        raw: bytes | None,
        *,
        kind: str,
        n_classes: int,
        columns: int,
        categorical: Sequence[int],
        present: Sequence[int],
        margins: Sequence[float],
        rounds: int | None = None,
        offset: float = 0.0,
        scale: float = 1.0,
    ) -> None:
        self.raw, self.kind, self.n_classes, self.columns, self.rounds = raw, kind, n_classes, columns, rounds
        self.categorical, self.present = tuple(categorical), tuple(present)
        self.margins, self.offset, self.scale = np.array(margins, np.float64), offset, scale
        self._numeric = [column for column in range(columns) if column not in self.categorical]
        self._native: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Travel between processes as bytes."""
        return self.__dict__ | {"_native": None}

    @property
    def native(self) -> Any:
        """CatBoost's own object, made at first use."""
        if self._native is None:
            catboost = library()
            try:
                self._native = catboost.CatBoost().load_model(blob=self.raw)
            except catboost.CatBoostError as error:
                raise BundleError(
                    f"a model file that CatBoost refuses: {str(error).splitlines()[0]}",
                    "a model of CatBoost 1.2",
                    "the bundle is damaged, or holdgood's CatBoost is too old for it: holdgood doctor",
                ) from error
        return self._native

    def predict(self, matrix: Matrix) -> np.ndarray:
        """Probabilities or values: shape (n,), or (n, k) for multiclass. A row alone gets the same bits as among
        others.
        """
        values = expect_columns(matrix, self.columns)
        margins = np.tile(self.margins, (len(values), 1))
        if self.raw is not None and len(values):
            data = data_of(values, self.categorical)
            margins += self._raw_scores(data).reshape(margins.shape)
        return self._answers(margins)

    def row(self, cells: Sequence[float]) -> np.ndarray:
        """``predict`` for the cells of a single row, without a matrix."""
        if len(cells) != self.columns:
            return self.predict(Matrix(np.array([cells], np.float64), ()))
        margins = self.margins[None]
        if self.raw is not None:
            margins = margins + self._raw_scores(data_of_row(cells, self._numeric, self.categorical))
        return self._answers(margins)

    def _raw_scores(self, data: Any) -> np.ndarray:
        return np.asarray(self.native.predict(data, prediction_type="RawFormulaVal", thread_count=1), np.float64)

    def _answers(self, margins: np.ndarray) -> np.ndarray:
        if self.kind == "regression":
            amounts: np.ndarray = margins[:, 0] * self.scale + self.offset
            return amounts
        if self.kind == "binary":
            return sigmoid(margins[:, 0])
        answers = np.zeros((len(margins), self.n_classes))
        if len(margins):
            answers[:, self.present] = softmax(margins)
        return answers

    def to_parts(self) -> Parts:
        """The file, sizes and scaling."""
        json = {
            "kind": self.kind,
            "n_classes": self.n_classes,
            "columns": self.columns,
            "categorical": list(self.categorical),
            "present": list(self.present),
            "margins": self.margins.tolist(),
            "rounds": self.rounds,
            "offset": self.offset,
            "scale": self.scale,
        }
        return Parts(json, {}, {} if self.raw is None else {_FILE: self.raw})

    @classmethod
    def from_parts(cls, parts: Parts) -> CbmBooster:
        """Rebuild. Every index in the file is checked before CatBoost reads it; BundleError where something does not
        fit, MissingExtra where CatBoost is not installed.
        """
        try:
            model = _from_json(cls, parts.json, parts.files.get(_FILE))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise _damaged(f"a CatBoost model without {error}") from error
        _check(model)
        if model.raw is not None:
            library()
        return model


def _from_json(cls: type[CbmBooster], json: dict[str, Any], raw: bytes | None) -> CbmBooster:
    return cls(
        raw,
        kind=str(json["kind"]),
        n_classes=int(json["n_classes"]),
        columns=int(json["columns"]),
        categorical=[int(c) for c in json["categorical"]],
        present=[int(c) for c in json["present"]],
        margins=[float(m) for m in json["margins"]],
        rounds=None if json["rounds"] is None else int(json["rounds"]),
        offset=float(json["offset"]),
        scale=float(json["scale"]),
    )


def _check(model: CbmBooster) -> None:
    """Sizes that fit each other and the file."""
    k, present, categorical = model.n_classes, model.present, model.categorical
    right = {"binary": k == 2 and present == (), "regression": k == 0 and present == (), "multiclass": k >= 2}
    outputs = len(present) if model.kind == "multiclass" else 1
    fits = right.get(model.kind, False) and model.columns >= 1 and outputs >= 1 and len(model.margins) == outputs
    numbers = (model.offset, model.scale, *model.margins)
    if not fits or not all(map(math.isfinite, numbers)):
        raise _damaged(f"a CatBoost model of kind {model.kind!r}, {k} classes, {len(model.margins)} margins")
    for codes, most in ((present, k), (categorical, model.columns)):
        if list(codes) != sorted(set(codes)) or (codes and not 0 <= codes[0] <= codes[-1] < most):
            raise _damaged("a CatBoost model whose classes or categories are out of place")
    if model.raw is not None:
        trees = cbm.check(
            model.raw, numbers=model.columns - len(categorical), categories=len(categorical), outputs=outputs
        )
        if trees != model.rounds:
            raise _damaged(f"a CatBoost model of {trees} trees, not {model.rounds}")
    elif model.rounds != 1:
        raise _damaged(f"a CatBoost model of {model.rounds} rounds without its file")


def _damaged(came: str) -> BundleError:
    return BundleError(came, "its file, sizes and scaling, as they were saved", "the bundle is damaged")
