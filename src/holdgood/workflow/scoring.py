"""Predict and explain for files, from a bundle alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from holdgood.connectors import write_table
from holdgood.connectors.append import table_at
from holdgood.connectors.place import file_of
from holdgood.connectors.write import writer_for
from holdgood.core.errors import DeclarationError
from holdgood.core.events import Event, Listener, silent
from holdgood.core.records.contract import OutOfContract
from holdgood.core.table import Table
from holdgood.core.text import counted
from holdgood.core.urls import is_url, mask
from holdgood.workflow.batch.deliver import folder_for, insert, name_of, unfinished
from holdgood.workflow.batch.kept import Kept
from holdgood.workflow.batch.loose import Loose
from holdgood.workflow.batch.pieces import content
from holdgood.workflow.batch.refused import refused_rows
from holdgood.workflow.batch.score import act_column, limit_of, score, size_for, tally, together
from holdgood.workflow.live.folder import out_of_contract_at
from holdgood.workflow.predict import Predictor

_SHOWN = 10


@dataclass(frozen=True)
class Scored:
    """Predictions of a file. ``written``: the file or table that they went to, secrets masked; ``added``: rows that are new there."""

    rows: int
    path: Path | None
    names: list[str]
    head: list[list[str]]
    records: list[dict[str, Any]]
    notes: tuple[str, ...]
    refused: int = 0
    warned: int = 0
    written: str | None = None
    added: int = 0


def predict_file(
    bundle: Path,
    rows: str,
    related: Sequence[str],
    *,
    to: Path | str | None = None,
    tell: Listener = silent,
    records: bool = True,
    size: int | None = None,
    out_of_contract: OutOfContract | None = None,
    refused_to: Path | str | None = None,
) -> Scored:
    """Score the rows of one source a piece at a time; write them to a file or a table, or return them (as ``records`` if asked).

    ``to``: a file, or ``sqlite:///FILE?table=NAME`` or ``postgresql://…?table=NAME``. What was cut off goes on with the same call: pieces
    that are done wait beside the target, bound to the content of source, joined tables and bundle. ``size``: rows a piece, for tests.
    ``out_of_contract``: how the contract is held; None means as the live folder says in which the bundle lies, or ``warn``. ``refused_to``: a
    file for the rows that get no answer; see ``refused_rows``.
    Raises DataError for rows that do not fit, EnvironmentFault where the target cannot be written; nothing is written then.
    """
    target = None if to is None else str(to)
    beside = None if refused_to is None else str(refused_to)
    read = [rows, *(pair.partition("=")[2] for pair in related)]
    _refuse_what_is_read(target, read)
    _refuse_what_is_read(
        beside, [*read, *([target] if target is not None else [])], "--refused", "is read or written already"
    )
    ledger = table_at(target) if target is not None and is_url(target) else None
    try:
        if target is not None and ledger is None:
            writer_for(Path(target), 0)
        if beside is not None:
            writer_for(Path(beside), 0)
        how = out_of_contract or out_of_contract_at(bundle) or "warn"
        model = Predictor.load(bundle).held(how)
        tell(Event("progress", "reading", mask(rows)))
        as_read, others = related_tables(model, rows, related)
        if target is not None and ledger is None:
            writer_for(Path(target), as_read.rows)
        key = _key(model, as_read, others, None if ledger is None else ledger.table, how)
        notes = [n.message for t in (as_read, *others.values()) for n in t.notes]
        if how == "refuse":
            where = "live.toml" if out_of_contract is None else "--out-of-contract"
            notes.append(f"every rule of the contract that is broken refuses the row ({where})")
        if ledger is not None and (known := ledger.find(key)) is not None and known.whole:
            notes.append("nothing was added: these rows of this source were written there before, by this bundle")
            notes += _listed(model, as_read, beside)
            return Scored(as_read.rows, None, [], [], [], tuple(notes), written=ledger.shown)
        size = size or size_for(model, as_read)
        kept = Loose(size) if target is None else Kept(folder_for(target), key, size, name_of(target))
        try:
            if kept.old:
                notes.append("pieces that wait there are of another source or bundle: they were deleted")
            before = score(model, as_read, others, kept, tell)
            if before:
                notes.append(f"{before:,} of {as_read.rows:,} rows had been scored before, and were kept")
            output, (refused, warned, reasons) = together(model, kept), tally(kept.said())
            added = as_read.rows
            if ledger is not None:
                batch = ledger.begin(key, output.schema, as_read.rows, kept.size)
                notes += unfinished(ledger, batch)
                added = insert(ledger, batch, output, tell)
            elif target is not None:
                tell(Event("progress", "writing", target))
                write_table(output, target, for_people=target.lower().endswith(".xlsx"))
            notes += _listed(model, as_read, beside)
            kept.remove()
        finally:
            kept.close()
    finally:
        if ledger is not None:
            ledger.close()
    notes += [f"{n:,} of {as_read.rows:,} rows: {reason}" for reason, n in reasons]
    limit = limit_of(model)
    if limit is not None:
        acted = pc.sum(output.column(act_column(output.column_names)), min_count=0).as_py()
        notes.append(f"{acted:,} of {as_read.rows:,} rows are acted on (column act): at most {limit:,} a day")
    head = output.slice(0, _SHOWN).to_pylist()
    shown = [[f"{v:.6g}" if isinstance(v, float) else str(v) for v in row.values()] for row in head]
    return Scored(
        output.num_rows,
        None if target is None or ledger is not None else Path(target),
        list(output.column_names),
        shown,
        output.to_pylist() if target is None and records else [],
        tuple(notes),
        refused,
        warned,
        written=ledger.shown if ledger is not None else target,
        added=added,
    )


def _listed(model: Predictor, as_read: Table, to: str | None) -> list[str]:
    """Write the list of refused rows, where one is asked for; what is told of it."""
    if to is None:
        return []
    without = refused_rows(model, as_read, size_for(model, as_read))
    write_table(without, to, for_people=to.lower().endswith(".xlsx"))
    return [f"{counted(without.num_rows, 'refused row')} with the reason: {to}"]


def _refuse_what_is_read(
    target: str | None, given: Sequence[str], option: str = "--to", what: str = "is what is read"
) -> None:
    if target is None:
        return
    same = [s for s in given if (s == target if is_url(target) else not is_url(s) and _file(s) == _file(target))]
    if same:
        raise DeclarationError(
            f"{option} {mask(target)} {what}", "another place", "choose another name: nothing was written"
        )


def _file(source: str) -> Path:
    return Path(file_of(source)[0]).resolve()


def _key(model: Predictor, rows: Table, others: Mapping[str, Table], table: str | None, how: OutOfContract) -> str:
    """What a batch is known by: bundle, how its contract is held, rows, joined tables and, in a database, the table; a file also by what made it."""
    said: dict[str, Any] = {"bundle": model.manifest.digest, "rows": content(rows), "table": table}
    said["others"] = {name: content(other) for name, other in sorted(others.items())}
    if how != "warn":
        said["out of contract"] = how
    if table is None:
        said["made by"] = {p: version(p) for p in ("holdgood", "numpy", "pyarrow", "lightgbm")}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


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
