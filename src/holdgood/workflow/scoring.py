"""Predict and explain for files, from a bundle alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from holdgood.audit.verdicts import REFUSED, WARN
from holdgood.connectors import write_table
from holdgood.core.errors import DeclarationError
from holdgood.core.table import Table
from holdgood.workflow.predict import Predictor

_SHOWN = 10


@dataclass(frozen=True)
class Scored:
    """Predictions of a file."""

    rows: int
    path: Path | None
    names: list[str]
    head: list[list[str]]
    records: list[dict[str, Any]]
    notes: tuple[str, ...]
    refused: int = 0
    warned: int = 0


def predict_file(bundle: Path, rows: str, related: Sequence[str], *, to: Path | None = None) -> Scored:
    """Score the rows of one file; write them, or return them."""
    given = [rows, *(pair.partition("=")[2] for pair in related)]
    if to is not None and any(Path(source).resolve() == to.resolve() for source in given if "://" not in source):
        raise DeclarationError(
            f"--to {to} is a file that is read", "another file", "choose another name: nothing was written"
        )
    model = Predictor.load(bundle)
    as_read, others = related_tables(model, rows, related)
    said, main = model.judge(as_read), model.repaired(as_read)
    output = model.output(main, model.predict(main, others), "arrow", said)
    if to is not None:
        write_table(output, to, for_people=to.suffix.lower() == ".xlsx")
    notes = [n.message for t in (as_read, *others.values()) for n in t.notes]
    notes += [f"{b.rows:,} of {as_read.rows:,} rows: {b.reason}" for b in said.broken]
    limit = model.declaration.costs.capacity
    if limit is not None and model.task.kind == "binary":
        acted = sum(bool(v) for v in output.column(_last(output.column_names, "act")).to_pylist())
        notes.append(f"{acted:,} of {as_read.rows:,} rows are acted on (column act): at most {limit:,} a day")
    head = output.slice(0, _SHOWN).to_pylist()
    shown = [[f"{v:.6g}" if isinstance(v, float) else str(v) for v in row.values()] for row in head]
    return Scored(
        output.num_rows,
        to,
        list(output.column_names),
        shown,
        [] if to else output.to_pylist(),
        tuple(notes),
        said.count(REFUSED),
        said.count(WARN),
    )


def _last(names: list[str], stem: str) -> str:
    """The column that was added under this name, with a tail where a key has the name already."""
    return next(n for n in reversed(names) if n.rstrip("_") == stem)


def related_tables(model: Predictor, rows: str, related: Sequence[str]) -> tuple[Table, dict[str, Table]]:
    """The rows as they are read, and the tables that the model joins; ``related``: ``NAME=FILE`` for each."""
    given: dict[str, str] = {}
    for pair in related:
        name, equals, source = pair.partition("=")
        if not equals or not source:
            raise DeclarationError(f"--table {pair}", "NAME=FILE", "write for example --table weather=weather.parquet")
        given[name] = source
    return model.as_read(rows), {n: model.table_of(s, n) for n, s in given.items()}


@dataclass(frozen=True)
class Said:
    """One explained row."""

    row: int
    prediction: Any
    sentence: str
    facts: list[tuple[str, float]]


def explain_file(bundle: Path, rows: str, related: Sequence[str], *, top: int = 5, first: int = 3) -> list[Said]:
    """Explain the first rows of a file."""
    model = Predictor.load(bundle)
    as_read, others = related_tables(model, rows, related)
    main = model.repaired(as_read.take(np.arange(min(first, as_read.rows))))
    prediction = model.predict(main, others)
    facts = model.explain(main, others, top=top)
    answers = model.answers(prediction)
    said = []
    for i in range(main.rows):
        if model.task.kind == "binary":
            sentence = f"probability of {model.task.positive} {prediction[i]:.4f}, answer {answers[i]}"
        elif model.task.kind == "multiclass":
            sentence = f"answer {answers[i]} (probability {prediction[i].max():.4f} at most)"
        else:
            sentence = f"prediction {prediction[i]:.6g}"
        said.append(Said(i, prediction[i].tolist(), sentence, list(facts[i])))
    return said
