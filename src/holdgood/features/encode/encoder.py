"""What both encoders share: a row of blocks, one a feature, side by side in one matrix."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from holdgood.core.errors import DataError, did_you_mean
from holdgood.core.frame import FeatureType, Frame, Matrix
from holdgood.core.protocols import FitContext, Parts
from holdgood.features.encode.block import Block, Targets, damaged
from holdgood.features.encode.number import Plain, Scaled

_NOTHING = "(nothing varies)"


class BlockEncoder(ABC):
    """Chooses a block for each feature, fits them on training rows, and writes their columns side by side."""

    part: ClassVar[str]
    blocks: ClassVar[tuple[type[Block], ...]]

    def __init__(self) -> None:
        self._features: tuple[tuple[str, FeatureType], ...] = ()
        self._blocks: list[Block | None] = []
        self._lay_out()

    @abstractmethod
    def choose(self, type_: FeatureType, values: np.ndarray) -> Block:
        """A fresh block for a feature with these training values."""

    def limit(self, rows: int) -> int | None:
        """At most how many columns; None: as many as there are."""
        return None

    def fit_transform(self, frame: Frame, y: np.ndarray, context: FitContext) -> Matrix:
        """Learn from training rows and return their matrix; what uses the outcome is out of fold."""
        if not frame.features or not len(frame):
            raise DataError(
                f"{len(frame.features)} features of {len(frame)} rows to learn from",
                "at least one of each",
                "look at what was left out",
            )
        if len(y) != len(frame):
            raise DataError(f"{len(y)} outcomes for {len(frame)} rows", "one a row")
        targets = Targets.of(y, context)
        self._features = tuple((f.name, f.type) for f in frame.features)
        self._blocks = [self.choose(f.type, values) for f, values in zip(frame.features, frame.arrays, strict=True)]
        apart = [b.fit(values, targets) if b else None for b, values in zip(self._blocks, frame.arrays, strict=True)]
        self._keep_to_limit(frame, apart, targets)
        self._lay_out()
        out = np.zeros((len(frame), len(self._names)))
        for block, values, own, where in zip(self._blocks, frame.arrays, apart, self._where, strict=True):
            if block is None or not block.names:
                continue
            if own is None:
                block.write(values, out[:, where])
            else:
                out[:, where] = own
        return Matrix(out, self._names, self._categorical, self._monotone(frame))

    def transform(self, frame: Frame) -> Matrix:
        """Encode rows; each row's result depends on that row alone."""
        arrays = self._arrays(frame)
        out = np.zeros((len(frame), len(self._names)))
        for block, values, where in zip(self._blocks, arrays, self._where, strict=True):
            if block is not None and block.names:
                block.write(values, out[:, where])
        return Matrix(out, self._names, self._categorical)

    def single(self, names: Sequence[str]) -> Callable[[Sequence[Any]], list[float]]:
        """Encodes one row after the other, to the bit as ``transform``; ``names``: of the features, in the order of their values."""
        there = {n: at for at, n in enumerate(names)}
        self._check(there)
        plain, others = [], []
        for (name, _), block, where in zip(self._features, self._blocks, self._where, strict=True):
            if block is None or not block.names:
                continue
            if isinstance(block, Plain):
                plain.append((there[name], where.start))
            else:
                others.append((there[name], where, block.row))
        empty = [0.0] * len(self._names)

        def encode(values: Sequence[Any]) -> list[float]:
            row = empty.copy()
            for at, to in plain:
                row[to] = values[at]
            for at, where, written in others:
                row[where] = written(values[at])
            return row

        return encode

    def matrix(self, row: Sequence[float]) -> Matrix:
        """What ``single`` gives, as a matrix of one row."""
        return Matrix(np.array([row], np.float64), self._names, self._categorical)

    def _monotone(self, frame: Frame) -> tuple[int, ...]:
        """A sign a column; DataError where a block makes of a monotone feature something that does not rise with the number."""
        if not any(f.monotone for f in frame.features):
            return ()
        signs = [0] * len(self._names)
        for feature, block, where in zip(frame.features, self._blocks, self._where, strict=True):
            if not feature.monotone or block is None or not block.names:
                continue
            if not isinstance(block, (Plain, Scaled)):
                raise DataError(
                    f"feature {feature.name!r} is declared monotone, and this encoder makes no column that rises with it",
                    "a family that keeps monotone columns",
                    "leave this family out with budget.models",
                )
            if block.names[0] == "":  # the number; a column that says that it is missing has no direction
                signs[where.start] = feature.monotone
        return tuple(signs)

    def _arrays(self, frame: Frame) -> Sequence[np.ndarray]:
        there = {f.name: at for at, f in enumerate(frame.features)}
        self._check(there)
        return [frame.arrays[there[name]] for name, _ in self._features]

    def _check(self, there: Mapping[str, int]) -> None:
        for name, _ in self._features:
            if name not in there:
                raise DataError(
                    f"feature {name!r} is not there",
                    "the features that the encoder was fitted on",
                    did_you_mean(name, there) or "build them from the same plan",
                )

    def _keep_to_limit(self, frame: Frame, apart: Sequence[np.ndarray | None], targets: Targets) -> None:
        """Where there are too many columns, keep the blocks that go along most with the outcome (ties: the first)."""
        limit = self.limit(len(frame))
        if limit is None or sum(len(b.names) for b in self._blocks if b) <= limit:
            return
        scores = []
        for block, values, own in zip(self._blocks, frame.arrays, apart, strict=True):
            scores.append(_association(block, values, own, targets) if block else 0.0)
        left = limit
        kept = set()
        for at in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
            block = self._blocks[at]
            if block is not None and len(block.names) <= left:
                left -= len(block.names)
                kept.add(at)
        self._blocks = [b if at in kept else None for at, b in enumerate(self._blocks)]

    def _lay_out(self) -> None:
        names: list[str] = []
        categorical: list[int] = []
        self._where: list[slice] = []
        for (feature, _), block in zip(self._features, self._blocks, strict=True):
            own = block.names if block else ()
            self._where.append(slice(len(names), len(names) + len(own)))
            if block and block.categorical:
                categorical.append(len(names))
            names.extend(feature + suffix for suffix in own)
        # models want at least one column, even where nothing varies
        self._names, self._categorical = tuple(names) or (_NOTHING,), tuple(categorical)

    def to_parts(self) -> Parts:
        """One entry a feature; arrays under the feature's position."""
        entries: list[dict[str, object]] = []
        arrays: dict[str, np.ndarray] = {}
        for at, ((name, type_), block) in enumerate(zip(self._features, self._blocks, strict=True)):
            entry: dict[str, object] = {"feature": name, "type": type_, "kind": None}
            if block is not None:
                parts = block.to_parts()
                entry |= {"kind": block.kind, "json": parts.json}
                arrays |= {f"{at}.{key}": value for key, value in parts.arrays.items()}
            entries.append(entry)
        return Parts({"features": entries}, arrays)

    @classmethod
    def from_parts(cls, parts: Parts) -> Self:
        """Rebuild; BundleError where something does not fit together."""
        encoder = cls()
        kinds = {b.kind: b for b in cls.blocks}
        arrays: dict[str, dict[str, np.ndarray]] = {}
        for key, value in parts.arrays.items():
            position, _, name = key.partition(".")
            arrays.setdefault(position, {})[name] = value
        entries = parts.json.get("features")
        if not isinstance(entries, list):
            raise damaged("no features")
        features: list[tuple[str, FeatureType]] = []
        for at, entry in enumerate(entries):
            if not isinstance(entry, dict) or entry.get("type") not in ("number", "category", "text"):
                raise damaged(f"a feature without name or type at {at}")
            features.append((str(entry.get("feature")), entry["type"]))
            kind = entry.get("kind")
            if kind is None:
                encoder._blocks.append(None)
                continue
            if kind not in kinds or not isinstance(entry.get("json"), dict):
                raise damaged(f"a block of kind {kind!r}")
            encoder._blocks.append(kinds[kind].from_parts(Parts(entry["json"], arrays.get(str(at), {}))))
        encoder._features = tuple(features)
        encoder._lay_out()
        return encoder


def _association(block: Block, values: np.ndarray, own: np.ndarray | None, targets: Targets) -> float:
    """The largest absolute correlation between a column of the block and a column of the outcome, on training rows."""
    if not block.names or not targets.columns.shape[1]:
        return 0.0
    if own is None:
        own = np.empty((len(values), len(block.names)))
        block.write(values, own)
    best = 0.0
    for x in own.T:
        x = np.where(np.isnan(x), 0.0, x)
        x = x - x.mean()
        for y in targets.columns.T:
            centred = y - y.mean()
            size = float(np.sqrt(np.square(x).sum() * np.square(centred).sum()))
            if size > 0:
                best = max(best, abs(float((x * centred).sum())) / size)
    return best
