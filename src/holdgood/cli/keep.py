"""Commands that keep a live folder elsewhere, whole, and bring it back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdgood.cli import draw
from holdgood.cli.journal import HeadFile
from holdgood.cli.tables import Json
from holdgood.core.text import counted

if TYPE_CHECKING:
    # only named in annotations: --help must not wait for pydantic
    from holdgood.workflow.live.keeping import Kept


def backup(
    live: Annotated[Path, typer.Argument(help="The live folder.")],
    to: Annotated[Path, typer.Argument(help="The backup: a folder, made or brought up to date.")],
    json: Json = False,
) -> None:
    """Keep a live folder elsewhere, whole, while it is in use: journal, bundles, settings, key, tokens (hashes) and heads. Verified when done.

    The journal is taken of one moment, from PostgreSQL as well. What is not in it is said. Who can read the backup can read what the journal
    holds of people, and the key that deletions are sealed with: it is made for your eyes only.

    Example: holdgood backup live /elsewhere/live-backup
    """
    from holdgood.workflow.live.folder import Live
    from holdgood.workflow.live.keeping import keep

    _told(keep(Live.open(live), to), json, "kept in")


def restore(
    source: Annotated[Path, typer.Argument(help="A backup, as holdgood backup wrote it.")],
    to: Annotated[Path, typer.Argument(help="The live folder: a new one.")],
    head: HeadFile = None,
    unfinished: Annotated[
        bool,
        typer.Option(
            "--unfinished", help="Also from a backup whose last update was cut off, where nothing else is left."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Bring a live folder back from a backup, which is verified first, with --head against heads kept outside. Nothing is overwritten.

    The journal goes where live.toml (or HOLDGOOD_JOURNAL) says; a database that has outlived the folder, and gone on since, is left as it is.

    Example: holdgood restore /elsewhere/live-backup live --head /elsewhere/head.json
    """
    from holdgood.workflow.live.heads import heads_in
    from holdgood.workflow.live.keeping import bring_back

    _told(bring_back(source, to, heads_in(head) if head else None, unfinished=unfinished), json, "brought back to")


def _told(kept: Kept, json: bool, how: str) -> None:
    if json:
        draw.as_json(
            {
                "folder": str(kept.folder),
                "journal": kept.journal,
                "new_entries": kept.entries,
                "bundles": kept.bundles,
                "without": list(kept.without),
                "notes": list(kept.notes),
            }
        )
        return
    new = f"{kept.entries:,} new entr{'y' if kept.entries == 1 else 'ies'}"
    draw.out.print(f"{how} {kept.folder}: {new}, {counted(kept.bundles, 'bundle')}; it verifies", style="bold")
    for sentence in kept.without:
        draw.err.print(f"not in it: {sentence}", style="yellow")
    for note in kept.notes:
        draw.err.print(f"note: {note}", style="yellow")
