"""The answers to a table on their way into the journal: what ``entry.Answered.draft`` makes of each row, written column by column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.records import Prediction
from holdgood.core.records.envelope import PRODUCER
from holdgood.core.task import Task
from holdgood.journal.chain import Draft
from holdgood.journal.keys import Keys
from holdgood.serving.json_columns import objects_of, texts_of


def drafts_of(
    base: str, model: str, digest: str, known_time: str, moments: Sequence[str], subjects: Sequence[str], facts: Sequence[str],
    answers: Sequence[str], words: Sequence[str], whys: Sequence[str],
) -> list[Draft]:  # fmt: skip
    """One a row; its id is ``base`` and the row's number. ``facts`` and ``answers``: JSON; the others: as they are."""
    envelope = {
        "kind": Prediction.kind,
        "schema": Prediction.schema_number,
        "created_utc": known_time,
        "producer": PRODUCER,
    }
    begin = f'{_json(envelope)[:-1]},"payload":{{"id":{_json(base)[:-1]}/'
    middle = f'","model":{_json(model)},"bundle_digest":{_json(digest)},"place":"champion","event_time":"'
    known = f'","known_time":{_json(known_time)},"subject":'
    said = {why: _json(why) for why in set(whys)}
    return [
        Draft(
            Prediction.kind,
            f'{begin}{i}{middle}{moment}{known}{_json(subject)},"facts":{row},"answer":{answer},"verdict":"{word}","why":{said[why]}}}}}',
            Keys(model, f"{base}/{i}", "champion", subject or None, moment),
        )
        for i, (moment, subject, row, answer, word, why) in enumerate(
            zip(moments, subjects, facts, answers, words, whys, strict=True)
        )
    ]  # fmt: skip


def facts_of(table: pa.Table) -> list[str]:
    """The rows of a table as JSON objects."""
    return objects_of(table.column_names, [texts_of(c) for c in table.columns], table.num_rows)


def answers_of(output: pa.Table, task: Task) -> list[str]:
    """What single rows get, as JSON objects: nothing where the contract refuses. ``output``: the answer's columns alone."""
    names, columns = output.column_names, [texts_of(c) for c in output.columns]
    if task.kind == "multiclass":
        k = task.n_classes
        chances = objects_of([str(c) for c in task.classes], columns[:k], output.num_rows)
        names, columns = ["probabilities", *names[k:]], [chances, *columns[k:]]
    found = objects_of(names, columns, output.num_rows)
    blank = np.ones(output.num_rows, bool)
    for column in output.columns:
        blank &= np.asarray(pc.is_null(column.combine_chunks()).to_numpy(zero_copy_only=False))
    for at in np.flatnonzero(blank).tolist():
        found[at] = "{}"
    return found


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
