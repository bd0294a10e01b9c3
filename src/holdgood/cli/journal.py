"""Commands for the journal: what was live, what was written, whether it is whole; labels, overrides, deletion, copies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdgood.cli import draw
from holdgood.cli.live import LIVE, By, LiveFolder, user
from holdgood.cli.tables import Json
from holdgood.core.errors import DeclarationError
from holdgood.core.text import counted

if TYPE_CHECKING:
    # only named in annotations: --help must not wait for pydantic
    from holdgood.core.records import Standing
    from holdgood.workflow.live.by_id import Taken

app = typer.Typer(
    name="journal",
    help="The append-only memory of models in use: who did what when, what was live, whether anything was changed, and what to forget.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_Url = Annotated[
    str | None,
    typer.Option("--journal", help="A journal elsewhere: a file, or postgresql://… (password in PGPASSWORD)."),
]
_Model = Annotated[str | None, typer.Option("--model", "-m", help="Only this model.")]
_Of = Annotated[
    str | None, typer.Option("--model", "-m", help="Whose rows; default a column 'model', or the one that is live.")
]
_HeadFile = Annotated[
    Path | None, typer.Option("--head", help="Heads kept outside, as holdgood journal head --to wrote them.")
]
_MOST = 20


@app.command("live-on")
def live_on(
    when: Annotated[str | None, typer.Argument(help="A day (its end counts) or a time in UTC; default now.")] = None,
    model: _Model = None,
    live: LiveFolder = LIVE,
    journal: _Url = None,
    json: Json = False,
) -> None:
    """What was live at a moment: who put it there, when, why, on what evidence, and who approved.

    Example: holdgood journal live-on 2026-03-01
    """
    from datetime import UTC, datetime

    from holdgood.journal import live_on as stood
    from holdgood.workflow.live.folder import journal_at

    found = stood(journal_at(live, journal), when or datetime.now(UTC), model)
    if json:
        draw.as_json([s.model_dump(mode="json") for s in found])
        return
    if not found:
        draw.out.print(f"nothing was live {f'on {when}' if when else 'until now'}")
    for standing in found:
        _standing_text(standing)


def _standing_text(s: Standing) -> None:
    share = f" ({s.share:.0%} of the requests)" if s.place == "canary" else ""
    draw.out.print(f"{s.model}: {s.place}{share} {s.bundle_digest[:12]}", style="bold")
    how = {"roll back": "rolled back to it", "promote": "promoted it"}[s.action]
    draw.out.print(f"  since     {s.since[:19]} UTC" + (f", of run {s.run}" if s.run else ""))
    draw.out.print(f"  who       {s.by} {how}" + (f", in place of {s.replaces[:12]}" if s.replaces else ""))
    draw.out.print(f"  why       {s.why}")
    if s.evidence is not None:
        e = s.evidence
        said = f"{e.verdict}: {e.difference:.4g} {e.unit} ({e.level:.0%}: {e.low:.4g} to {e.high:.4g}, n={e.n:,})"
        draw.out.print(f"  evidence  {e.first} against {e.second}: {said}")
    else:
        draw.out.print("  evidence  none was given")
    draw.out.print(f"  approved  {', '.join(s.approvals) or 'by nobody'}")
    for condition in s.overruled:
        draw.out.print(f"  overruled {condition}", style="yellow")
    if s.recorded_utc[:16] != s.since[:16]:
        draw.out.print(f"  written   {s.recorded_utc[:19]} UTC", style="dim")


@app.command("show")
def show(
    kind: Annotated[
        str | None,
        typer.Option("--kind", "-k", help="prediction, label, answer-override, alarm, promotion, approval …"),
    ] = None,
    model: _Model = None,
    writer: Annotated[str | None, typer.Option("--writer", help="Only this writer's chain.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="From this day or time on (UTC).")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Before this day or time (UTC).")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The newest so many.")] = _MOST,
    live: LiveFolder = LIVE,
    journal: _Url = None,
    json: Json = False,
) -> None:
    """The newest entries, oldest first; --json has them whole. Facts of people stay out of the text.

    Example: holdgood journal show --kind promotion --model flights

    Example: holdgood journal show --kind alarm --since 2026-03-01 --json
    """
    from holdgood.workflow.live.folder import journal_at

    found = journal_at(live, journal).entries(
        kind, writer, model=model, since=since, until=until, limit=limit, newest_first=True
    )[::-1]
    if json:
        draw.as_json([vars(entry) for entry in found])
        return
    rows = [
        [e.moment[:19] or e.recorded_utc[:19], e.kind, e.model, _gist(e.kind, e.record), f"{e.writer} {e.number}"]
        for e in found
    ]
    draw.rows_text(["when (UTC)", "kind", "model", "what", "entry"], rows)
    if len(found) == limit:
        draw.out.print(f"the newest {limit}; more: --limit, or --since", style="dim")


_GIST = {
    "prediction": ("id", "place", "verdict"),
    "label": ("prediction", "by"),
    "answer-override": ("prediction", "who", "reason"),
    "promotion": ("action", "place", "by", "why"),
    "approval": ("who", "approved", "why"),
    "alarm": ("severity", "title", "subject"),
    "acknowledgement": ("alarm", "who", "why"),
    "retrain-decision": ("decision", "reasons"),
    "benefit": ("begins", "ends"),
}


def _gist(kind: str, record: dict[str, object] | None) -> str:
    if record is None:
        return "(forgotten)"
    payload = record.get("payload", record)
    assert isinstance(payload, dict)
    named = _GIST.get(kind, ("who", "why"))
    return " · ".join(str(payload[k])[:60] for k in named if payload.get(k) not in (None, ""))


@app.command("verify")
def verify(head: _HeadFile = None, live: LiveFolder = LIVE, journal: _Url = None, json: Json = False) -> None:
    """Whether anything was changed, removed or written anew; exit code 1 if so.

    Without --head a tail that was cut off, or a chain that was written anew from some point, cannot be told: keep heads where who can
    write the journal cannot.

    Example: holdgood journal verify --head /elsewhere/head.json
    """
    from holdgood.workflow.live.folder import journal_at
    from holdgood.workflow.live.heads import heads_in

    book = journal_at(live, journal)
    kept = heads_in(head) if head else {}
    faults = book.verify(kept)
    if json:
        draw.as_json({"whole": not faults, "faults": faults, "heads": len(kept)})
    else:
        for fault in faults:
            draw.out.print(f"✗ {fault}", style="red")
        reached = f", and {counted(len(kept), 'head')} kept outside reached" if kept else ""
        if not faults:
            draw.out.print(f"✓ {book.name} is whole{reached}", style="green")
        if not kept:
            draw.err.print("note: without --head a cut tail or a rewritten chain cannot be told", style="yellow")
    if faults:
        raise typer.Exit(1)


@app.command("head")
def head(
    to: Annotated[Path | None, typer.Option("--to", help="Where the heads go (JSON); default the terminal.")] = None,
    live: LiveFolder = LIVE,
    journal: _Url = None,
    json: Json = False,
) -> None:
    """The newest entry of every writer: keep it where who can write the journal cannot, and verify against it later.

    Example: holdgood journal head --to /elsewhere/head.json
    """
    from holdgood.core.records.envelope import write
    from holdgood.workflow.live.folder import journal_at
    from holdgood.workflow.live.heads import heads_of

    found = heads_of(journal_at(live, journal))
    if to is not None:
        write(to, found)
    if json:
        draw.as_json(found.payload())
        return
    draw.rows_text(["writer", "entries", "hash"], [[h.writer, str(h.number), h.hash[:16]] for h in found.heads])
    if to is not None:
        draw.out.print(f"written: {to}")


@app.command("forget")
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
    by: By = None,
    live: LiveFolder = LIVE,
    journal: _Url = None,
    json: Json = False,
) -> None:
    """Delete predictions, their labels and overrides for good: facts, answers, keys and salts. A tombstone says who, why and which.

    The chain still verifies, also against heads kept before. Who put what live, alarms and decisions are kept. Backups that exist
    already forget it when they are brought up to date.

    Example: holdgood journal forget --subject 4711 --why "request of 3 March" --yes

    Example: holdgood journal forget --due --why retention --yes
    """
    from holdgood.workflow.live.folder import journal_at
    from holdgood.workflow.live.forget import places_to_forget

    if sum((subject is not None, older_than is not None, due)) != 1:
        raise DeclarationError(
            "forget what?", "one of --subject, --older-than and --due", "holdgood journal forget --help"
        )
    book = journal_at(live, journal)
    places = places_to_forget(book, live, subject=subject, older_than=older_than)
    if yes and places:
        book.forget_many(places, "live", who=by or user(), why=why)
    if json:
        draw.as_json({"entries": len(places), "deleted": bool(yes and places)})
    elif yes or not places:
        draw.out.print(f"{len(places):,} entr{'y' if len(places) == 1 else 'ies'} deleted")
    else:
        draw.out.print(f"{len(places):,} would be deleted for good; nothing was. To delete: --yes", style="yellow")


@app.command("label")
def label(
    file: Annotated[
        str,
        typer.Argument(help="Rows with id and value; also known_time, final, censored, model, why (csv, parquet …)."),
    ],
    model: _Of = None,
    id: Annotated[str, typer.Option("--id", help="The column with the id of the prediction.")] = "id",
    value: Annotated[str, typer.Option("--value", help="The column with what came out.")] = "value",
    by: By = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if a row could not be taken.")] = False,
    live: LiveFolder = LIVE,
    journal: _Url = None,
    json: Json = False,
) -> None:
    """Write down what came out, late and in part: labels by the ids of predictions. A row that cannot be taken is told with the reason.

    A file given twice is written once; another value of the same id corrects the earlier one, which stays on the record.

    Example: holdgood journal label outcomes.csv --id booking --value late
    """
    from holdgood.workflow.live.folder import journal_at
    from holdgood.workflow.live.labels import take_labels

    _taken(
        take_labels(journal_at(live, journal), file, model, id=id, value=value, by=by or user()), "label", json, strict
    )


@app.command("override")
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
    journal: _Url = None,
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
        draw.as_json({"written": taken.written, "there_already": taken.there, "not_taken": faults})
    else:
        there = f", {taken.there:,} there already" if taken.there else ""
        draw.out.print(f"{counted(taken.written, what)} written{there}", style="bold")
        for fault in taken.faults[:_MOST]:
            draw.err.print(f"not taken: row {fault.row}: {fault.said}", style="yellow")
        if len(taken.faults) > _MOST:
            draw.err.print(f"… and {len(taken.faults) - _MOST:,} more; --json has all", style="yellow")
    if strict and taken.faults:
        raise typer.Exit(1)


@app.command("benefit")
def benefit(model: _Model = None, live: LiveFolder = LIVE, journal: _Url = None, json: Json = False) -> None:
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


@app.command("backup")
def backup(
    to: Annotated[Path, typer.Argument(help="The backup: a file, made or brought up to date.")],
    live: LiveFolder = LIVE,
    journal: _Url = None,
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


@app.command("restore")
def restore(
    source: Annotated[Path, typer.Argument(help="A backup, as holdgood journal backup wrote it.")],
    head: _HeadFile = None,
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

    target = Journal(journal) if journal else Live.create(live).journal
    new = bring_back(target, source, heads_in(head) if head else None)
    if json:
        draw.as_json({"new_entries": new, "journal": target.name})
    else:
        draw.out.print(f"{new:,} entries brought back into {target.name}; it verifies")
