"""Files that are written beside their source: where they lie, and that they never replace what they were made from."""

from __future__ import annotations

from pathlib import Path

from holdgood.connectors.place import file_of
from holdgood.connectors.sqlite import path_of
from holdgood.core import plugins
from holdgood.core.errors import DeclarationError
from holdgood.core.protocols import Connector
from holdgood.core.urls import is_url


def beside(source: str, table: str, suffix: str) -> Path:
    """A path beside a file, its known suffix replaced; for a database the table's name in the current folder.

    Never made from a URL, which may hold a password.
    """
    if is_url(source):
        return Path(("".join(c if c.isalnum() or c in "-_" else "_" for c in table) or "table") + suffix)
    path = Path(file_of(source)[0]).expanduser()
    connectors: dict[str, Connector] = plugins.load_all("holdgood.connectors")
    known = [s for c in connectors.values() for s in c.suffixes if path.name.lower().endswith(s)]
    longest = max(known, key=len, default="")
    return path.with_name(path.name[: len(path.name) - len(longest)] + suffix)


def not_the_source(path: Path, source: str, base: Path | None = None) -> None:
    """DeclarationError where a file would be written over what it is made from, be it a table's file or an SQLite database.

    ``base``: where a relative source starts; default here.
    """
    file, _ = file_of(source, base)
    if is_url(source):
        if source.partition("://")[0].lower() != "sqlite":
            return
        file = path_of(source)
    read_from = (base or Path()) / Path(file).expanduser()
    # the same place, or another name (a link, another case) of the same file
    if path.resolve() == read_from.resolve() or (path.exists() and read_from.exists() and path.samefile(read_from)):
        raise DeclarationError(
            f"{path} would be written over its own source", "another file", "name one with --to or --report"
        )
