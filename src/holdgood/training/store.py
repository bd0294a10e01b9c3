"""Finished trials on disk, so that an interrupted training goes on where it was. Reused only for the very same work."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from holdgood.core.errors import EnvironmentFault
from holdgood.core.frame import Frame
from holdgood.core.protocols import Candidate, Space
from holdgood.core.records.envelope import write_bytes
from holdgood.training.progress import Progress
from holdgood.training.work import FoldFit, Work

SCHEMA = 3


def work_fingerprint(work: Work) -> str:
    """SHA-256 over everything that a trial's predictions depend on, but the candidate. Names of features do not count."""
    digest = hashlib.sha256()
    apart = [work.apart] if work.apart else []
    digest.update(
        json.dumps(
            [SCHEMA, work.task.model_dump(mode="json", exclude={"target"}), work.seed, _cap(work), *apart]
        ).encode()
    )
    for array in (work.y, work.weight, work.time, work.groups):
        _add(digest.update, array)
    for train, valid in work.folds:
        _add(digest.update, train)
        _add(digest.update, valid)
    _add_frame(digest.update, work.frame)
    return digest.hexdigest()


def _cap(work: Work) -> int | None:
    return min((x for x in (work.cap, work.bearable) if x is not None), default=None)


class Store:
    """A folder of finished trials: ``NAME.json`` with numbers and ``NAME.npz`` with predictions a fold.

    ``stamp``: what stands for the code and the versions that made them; trials of another stamp are not found. ``lost``: why
    nothing is kept any more, where the folder could not be written to; what was kept before can still be read.
    """

    def __init__(self, folder: Path, work: Work, stamp: str = "") -> None:
        self.folder, self._base, self._folds, self._stamp = folder, work_fingerprint(work), work.folds, stamp
        self.unreadable = 0
        self.lost = ""

    def _stem(self, candidate: Candidate) -> str:
        key = json.dumps(
            [self._base, self._stamp, candidate.name, candidate.family, candidate.needs, dict(candidate.parameters)],
            sort_keys=True,
            default=str,
        )
        return hashlib.sha256(key.encode()).hexdigest()[:24]

    def save(self, p: Progress) -> None:
        """Write a complete trial, of all folds or of as many as the budget allowed; others are not worth keeping.

        A full disk ends the keeping, not the training.
        """
        if not p.complete or p.reused or self.lost:
            return
        try:
            self._write(p)
        except EnvironmentFault as fault:
            self.lost = fault.came

    def _write(self, p: Progress) -> None:
        stem, content = self._stem(p.candidate), io.BytesIO()
        predictions = {f"fold_{f}": fit.prediction for f, fit in p.done.items() if fit.prediction is not None}
        np.savez(content, allow_pickle=False, **predictions)
        numbers = [
            {name: v for name in _NUMBERS if (v := getattr(p.done[f], name)) == v} for f in range(p.folds)
        ]  # no NaN
        write_bytes(self.folder / f"{stem}.npz", content.getvalue())
        # the record comes last: where it is, the predictions are whole
        write_bytes(
            self.folder / f"{stem}.json",
            json.dumps({"schema": SCHEMA, "candidate": p.candidate.name, "folds": numbers} | _searched(p)).encode(),
        )

    def searched(self, spaces: Sequence[Space]) -> Iterator[Candidate]:
        """Candidates that a search proposed in an earlier training for the very same work, in order of their names."""
        by_family = {s.family: s for s in spaces}
        found = []
        for record in self.folder.glob("*.json"):
            try:
                told = json.loads(record.read_text(encoding="utf-8"))
                if told.get("family") not in by_family:
                    continue
                candidate = by_family[told["family"]].make(told["candidate"], told["parameters"])
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                continue  # a damaged record is no proposal
            if self._stem(candidate) == record.stem:
                found.append(candidate)
        yield from sorted(found, key=lambda c: c.name)

    def restore(self, p: Progress, losses: Callable[[FoldFit], np.ndarray]) -> bool:
        """Fill in a trial that was finished before; a damaged one is counted and done again.

        One that was kept with fewer folds than are wanted now stays open, and goes on with the next.
        """
        stem = self._stem(p.candidate)
        record, content = self.folder / f"{stem}.json", self.folder / f"{stem}.npz"
        if not record.exists():
            return False
        try:
            numbers = json.loads(record.read_text(encoding="utf-8"))["folds"]
            if not 0 < len(numbers) <= len(self._folds):
                raise ValueError("other folds")
            with np.load(content, allow_pickle=False) as arrays:
                fits = [FoldFit(f, prediction=arrays[f"fold_{f}"], **numbers[f]) for f in range(len(numbers))]
            if any(
                len(fit.prediction) != len(self._folds[f][1])
                for f, fit in enumerate(fits)
                if fit.prediction is not None
            ):
                raise ValueError("predictions of other rows")
        except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError, BadZipFile):
            self.unreadable += 1
            return False
        p.done = dict(enumerate(fits[: p.folds]))
        p.spare = {fit.fold: fit for fit in fits[p.folds :]}
        p.losses = {f: losses(fit) for f, fit in p.done.items()}
        p.status, p.reused = "ok" if p.complete else "open", True
        return True


_NUMBERS = (
    "fit_seconds", "predict_seconds", "rows", "learned_rows", "rounds", "size_bytes", "row_ms", "encode_ms", "hints",
)  # fmt: skip


def _searched(p: Progress) -> dict[str, object]:
    """What a proposal of the search is made from again."""
    if not p.searched:
        return {}
    return {"family": p.candidate.family, "parameters": dict(p.candidate.parameters)}


def _add(update: Callable[[bytes], None], array: np.ndarray | None) -> None:
    if array is None:
        update(b"none")
        return
    update(f"{array.dtype.str}{array.shape}".encode())
    update(np.ascontiguousarray(array).tobytes() if array.dtype != object else _bytes_of(array))


def _bytes_of(array: np.ndarray) -> bytes:
    """Strings with their lengths, so that neighbours cannot run into each other; None apart from every string."""
    return "".join("-;" if v is None else f"{len(str(v))};{v}" for v in array).encode()


def _add_frame(update: Callable[[bytes], None], frame: Frame) -> None:
    for feature, array in zip(frame.features, frame.arrays, strict=True):
        update(feature.type.encode())
        _add(update, array)
