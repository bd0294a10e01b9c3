"""Commands that write into the journal or copy it: forget, label, override, backup, restore; and the benefit ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdgood.cli import draw
from holdgood.cli.journal import MOST, HeadFile, KeyFile, OnlyModel, Url
from holdgood.cli.live import LIVE, By, LiveFolder, user
from holdgood.cli.tables import Json
from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.text import counted, one_line

if TYPE_CHECKING:
    # only named in annotations: --help must not wait for pydantic
    from holdgood.workflow.live.by_id import Taken

_Of = Annotated[
    str | None, typer.Option("--model", "-m", help="Whose rows; default a column 'model', or the one that is live.")
]


def forget(
    why: Annotated[str, typer.Option("--why", help="The reason, kept in the tombstone: name no person in it.")],
    subject: Annotated[
        str | None, typer.Option("--subject", help="A person's rows, by the key they were logged with.")
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", help="What counts before this long ago ('400 d') or this day (2026-01-01)."),
    ] = None,
    due: Annotated[bool, typer.Option("--due", help="What is older than keep.days in live.toml.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it only the number is told.")] = False,
    model: OnlyModel = None,
    by: By = None,
    key: KeyFile = None,
    live: LiveFolder = LIVE,
    journal: Url = None,
    json: Json = False,
) -> None:
    """Delete predictions, their labels and overrides for good: facts, answers, keys and salts. A tombstone says who, why and which, sealed with the live
    folder's key, so that journal verify tells it from one that somebody with access to the database alone has written.

    The chain still verifies, also against heads kept before. Who put what live, alarms and decisions are kept. Backups that exist
    already forget it when they are brought up to date. The rows of every model go, each named with its number, unless --model names one.

    Example: holdgood journal forget --subject 4711 --why "request of 3 March" --yes

    Example: holdgood journal forget --due --why retention --yes
    """
    from holdgood.workflow.live.folder import journal_at, key_of
    from holdgood.workflow.live.forget import copies, places_to_forget
    from holdgood.workflow.live.sealing import sealed_from_now

    if sum((subject is not None, older_than is not None, due)) != 1:
        raise DeclarationError(
            "forget what?", "one of --subject, --older-than and --due", "holdgood journal forget --help"
        )
    book = journal_at(live, journal)
    places = places_to_forget(book, live, subject=subject, older_than=older_than, model=model)
    kinds = Counter(what.kind for what in places.values())
    models = {
        name: Counter(w.kind for w in places.values() if w.model == name)
        for name in sorted({w.model for w in places.values()})
    }
    if yes and places:
        own = key_of(live, book)
        if key is not None and not key.exists() and own is not None and own.exists():
            # a new one would seal what verify with the folder's own never takes for a deletion, and no tombstone can be mended
            raise DataError(
                f"no key at {key}",
                f"the folder's own ({own})",
                "leave --key out, or check the path; nothing was deleted",
            )
        place = key or own
        seal = None if place is None else sealed_from_now(place, book)
        book.forget_many(list(places), "live", who=by or user(), why=why, seal=seal)
        if seal is None:
            draw.err.print(
                "note: this journal is not the live folder's and no --key was given: the deletion has no seal",
                style="yellow",
            )
    elif yes:
        book.wipe()  # an earlier deletion may still lie in the file's bytes
    left = [str(f) for f in copies(live)]
    if json:
        of = {name: dict(kinds) for name, kinds in models.items()}
        deleted = bool(yes and places)
        draw.as_json({"entries": len(places), "kinds": dict(kinds), "models": of, "deleted": deleted, "copies": left})
    elif not places:
        whose = f" of {one_line(model)}" if model else ""
        nobody = f"no row{whose} in {book.name} is of {one_line(repr(subject))}"
        draw.out.print(f"0 entries deleted: {f'nothing{whose} is that old' if subject is None else nobody}")
    elif yes:
        draw.out.print(f"{len(places):,} entr{'y' if len(places) == 1 else 'ies'} deleted ({_of_models(models)})")
    else:
        draw.out.print(
            f"{len(places):,} would be deleted for good ({_of_models(models)}); nothing was. To delete: --yes",
            style="yellow",
        )
        if len(models) > 1 and subject is not None:
            draw.out.print(
                "one model alone: --model NAME; the same key may be somebody else's in another model", style="dim"
            )
    if subject is not None and not places and not json:
        draw.err.print(
            "a person is found by what their rows were logged with, letter by letter: the subject that was sent, or else the row's key "
            "(of several columns: A|B); to look: holdgood journal show -k prediction --json",
            style="dim",
        )
    if left and not json:
        draw.err.print(
            f"note: {counted(len(left), 'table')} of retrainings in {Path(left[0]).parent} hold rows of the journal too; delete them when those runs are done",
            style="yellow",
        )


def _of_models(models: Mapping[str, Mapping[str, int]]) -> str:
    """How many entries of each kind, model by model."""
    return "; ".join(
        f"{one_line(name)}: " + ", ".join(counted(n, kind.removeprefix("answer-")) for kind, n in sorted(kinds.items()))
        for name, kinds in models.items()
    )


def label(
    file: Annotated[
        str,
        typer.Argument(help="Rows with id and value; also known_time, final, censored, model, why (csv, parquet …)."),
    ],
    model: _Of = None,
    id: Annotated[str, typer.Option("--id", help="The column with the id of the prediction.")] = "id",
    value: Annotated[str, typer.Option("--value", help="The column with what came out.")] = "value",
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column", help="Instead: a column that a computed target needs, to learn from. Repeat for each."
        ),
    ] = None,
    by: By = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if a row could not be taken.")] = False,
    live: LiveFolder = LIVE,
    journal: Url = None,
    json: Json = False,
) -> None:
    """Write down what came out, late and in part: labels by the ids of predictions. A row that cannot be taken is told with the reason.

    A file given twice is written once; another value of the same id corrects the earlier one, which stays on the record.

    Example: holdgood journal label outcomes.csv --id booking --value late

    Example: holdgood journal label outcomes.csv --id booking --column minutes_late
    """
    from holdgood.workflow.live.folder import journal_at
    from holdgood.workflow.live.labels import take_labels
    from holdgood.workflow.live.tasks import model_in, task_in

    book = journal_at(live, journal)
    taken = take_labels(
        book,
        file,
        model,
        id=id,
        value=value,
        columns=column or (),
        by=by or user(),
        task_of=lambda name: task_in(live, book, name),
        model_of=lambda name: model_in(live, book, name),
    )
    if taken.undated and not json:
        draw.err.print(
            f"{counted(taken.undated, 'label')} without known_time: they count from now on; a column known_time says when each was known",
            style="dim",
        )
    if taken.refused and not json:
        about = (
            "1 label is about a row that was"
            if taken.refused == 1
            else f"{taken.refused:,} labels are about rows that were"
        )
        draw.err.print(f"{about} refused, without an answer: kept, but they judge and teach no model", style="yellow")
    _taken(taken, "label", json, strict)


def override(
    file: Annotated[
        str, typer.Argument(help="Rows with id and after; also before, who, reason, when, model (csv, parquet …).")
    ],
    model: _Of = None,
    id: Annotated[str, typer.Option("--id", help="The column with the id of the prediction.")] = "id",
    after: Annotated[str, typer.Option("--after", help="The column with what was decided instead.")] = "after",
    by: By = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if a row could not be taken.")] = False,
    live: LiveFolder = LIVE,
    journal: Url = None,
    json: Json = False,
) -> None:
    """Write down where people decided otherwise than a prediction said, by the ids of predictions.

    Example: holdgood journal override overruled.csv --by "planning desk"
    """
    from holdgood.workflow.live.folder import journal_at
    from holdgood.workflow.live.labels import take_overrides

    _taken(
        take_overrides(journal_at(live, journal), file, model, id=id, after=after, who=by or user()),
        "override",
        json,
        strict,
    )


def _taken(taken: Taken, what: str, json: bool, strict: bool) -> None:
    if json:
        faults = [vars(f) for f in taken.faults]
        told = {"written": taken.written, "there_already": taken.there, "of_refused_rows": taken.refused}
        draw.as_json(told | {"not_taken": faults})
    else:
        there = f", {taken.there:,} there already" if taken.there else ""
        draw.out.print(f"{counted(taken.written, what)} written{there}", style="bold")
        for fault in taken.faults[:MOST]:
            line = "" if fault.line is None else f" (line {fault.line})"
            draw.err.print(f"not taken: row {fault.row}{line}: {fault.said}", style="yellow")
        if len(taken.faults) > MOST:
            draw.err.print(f"… and {len(taken.faults) - MOST:,} more; --json has all", style="yellow")
    # a file of which nothing could be taken is a failure for whoever runs this by a clock
    if taken.faults and (strict or not taken.written + taken.there):
        raise typer.Exit(1)


def benefit(model: OnlyModel = None, live: LiveFolder = LIVE, journal: Url = None, json: Json = False) -> None:
    """The benefit ledger: money that evaluation promised and that outcomes show, period by period, as monitoring wrote it down.

    Example: holdgood journal benefit --model flights
    """
    from holdgood.core.records import Benefit
    from holdgood.workflow.live.folder import journal_at

    found = [b for _, b in journal_at(live, journal).read(Benefit, model=model)]
    if json:
        draw.as_json([b.payload() for b in found])
        return
    rows = [
        [
            b.model,
            f"{b.begins[:10]} to {b.ends[:10]}",
            str(b.promised),
            str(b.realised),
            b.currency,
            f"{b.labelled:,} of {b.rows:,}",
        ]
        for b in found
    ]
    draw.rows_text(["model", "period", "promised", "realised", "", "labelled"], rows)
    if not found:
        draw.out.print("no benefit was written down yet: monitoring does, once labels and costs are known", style="dim")


def backup(
    to: Annotated[Path, typer.Argument(help="The backup: a file, made or brought up to date.")],
    live: LiveFolder = LIVE,
    journal: Url = None,
    json: Json = False,
) -> None:
    """Copy the journal into a file while it is in use, or bring an earlier backup up to date. The copy is verified.

    What was forgotten is forgotten in the backup too. From PostgreSQL as well: a backup is always a SQLite file.

    Example: holdgood journal backup /elsewhere/journal-backup.sqlite
    """
    from holdgood.journal.backup import backup as copy_to
    from holdgood.workflow.live.folder import journal_at

    new = copy_to(journal_at(live, journal), to)
    if json:
        draw.as_json({"new_entries": new, "written": str(to)})
    else:
        draw.out.print(f"{new:,} new entries in {to}; it verifies")


def restore(
    source: Annotated[Path, typer.Argument(help="A backup, as holdgood journal backup wrote it.")],
    head: HeadFile = None,
    live: LiveFolder = LIVE,
    journal: Annotated[
        str | None, typer.Option("--journal", help="Where to: a file or postgresql://…; default the live folder's.")
    ] = None,
    json: Json = False,
) -> None:
    """Bring a journal, mostly an empty one, to where a backup is. The backup is verified first, with --head against heads kept outside.

    A journal that holds more than the backup is never overwritten. Also the way to move a journal into PostgreSQL.

    Example: holdgood journal restore /elsewhere/journal-backup.sqlite --head /elsewhere/head.json
    """
    from holdgood.journal import Journal
    from holdgood.journal.backup import restore as bring_back
    from holdgood.workflow.live.folder import Live
    from holdgood.workflow.live.heads import heads_in
    from holdgood.workflow.live.sealing import sealed_from_now

    folder = None if journal else Live.create(live, with_key=False)
    target = folder.journal if folder else Journal(str(journal))
    new = bring_back(target, source, heads_in(head) if head else None)
    if folder:
        sealed_from_now(folder.key, target)  # a new key takes what was brought back at its word
    if json:
        draw.as_json({"new_entries": new, "journal": target.name})
    else:
        draw.out.print(f"{new:,} entries brought back into {target.name}; it verifies")
