"""Where a source is: paths checked before they are opened, options taken from behind a question mark and checked."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from holdgood.core.errors import EnvironmentFault, ReadError, did_you_mean
from holdgood.core.urls import is_url, split_url

_DATABASES = (".db", ".sqlite", ".sqlite3")


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Turn what the machine says while a file is opened or read into an error of ours."""
    try:
        yield
    except FileNotFoundError:
        raise _missing(path) from None
    except PermissionError:
        raise EnvironmentFault(
            f"no permission to read {path}",
            "a file that this user may read",
            "ask its owner, or change its permissions",
        ) from None
    except IsADirectoryError:
        raise _folder(path) from None
    except OSError as error:
        if error.errno is None:
            raise  # a library's word about what is in the file, for the caller to put into ours
        raise EnvironmentFault(
            f"{path.name[:80]} cannot be read: {error.strerror}", "a path to a file", "check the path and the disk"
        ) from None
    except MemoryError:
        raise EnvironmentFault(
            f"{path.name} does not fit into memory",
            "more free memory",
            'name a smaller share, for example HOLDGOOD_MEMORY="500 MB", so that the rest goes to a temporary file',
        ) from None


def local_file(source: str) -> Path:
    """The path of a file that exists and is not empty; ReadError with near names from its folder otherwise."""
    path = Path(source)
    if "\x00" in source:
        raise ReadError("a path with a NUL character in it", "a path to a file", "take the character out")
    with opening(path):
        size = path.stat().st_size
        if path.is_dir():
            raise _folder(path)
    if size == 0:
        raise ReadError(f"{path.name} is empty (0 bytes)", "a file with at least a header line", "export it again")
    return path


def _missing(path: Path) -> ReadError:
    folder = path.parent
    try:
        names = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else None
    except PermissionError:
        names = []
    if names is None:
        return ReadError(
            f"no file {path}: the folder {folder} does not exist", "a path to a file", "check the folder's name"
        )
    return ReadError(
        f"no file {path.name} in {folder}", "a path to a file", did_you_mean(path.name, names) or "check the name"
    )


def _folder(path: Path) -> ReadError:
    return ReadError(f"{path} is a folder", "one file", "name the file inside it, one table a file")


def read_bytes(path: Path) -> bytes:
    """All bytes of a file, unpacked where it is a gzip file; ReadError where that is cut off or damaged."""
    with opening(path):
        raw = path.read_bytes()
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged_gzip(path.name, error) from None


def damaged_gzip(file: str, error: Exception) -> ReadError:
    """The error for a gzip file that is cut off or damaged."""
    return ReadError(f"{file} is a damaged gzip file: {error}", "a complete gzip file", "copy or download it again")


def file_of(source: str, base: Path | None = None) -> tuple[str, dict[str, Any]]:
    """A file's path and the options behind a question mark, as in ``sales.csv?skip=3&decimal=,``; a URL stays as it is,
    and so does a database, which is named by a URL.

    A file that is really called that way is meant. true, false and whole numbers are what they look like, ``names`` is a list.

    >>> file_of("sales.csv?skip=3&header=false"), file_of("why?.csv")
    (('sales.csv', {'skip': 3, 'header': False}), ('why?.csv', {}))
    """
    head, query = split_url(source)
    if is_url(source) or not query or ((base or Path()) / Path(source).expanduser()).exists():
        return source, {}
    if head.lower().endswith(_DATABASES):
        return source, {}
    return head, {k: _value(k, v) for k, v in parse_qsl(query, keep_blank_values=True)}


def _value(name: str, text: str) -> Any:
    if name == "names":
        return text.split(",")
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def checked(options: Mapping[str, Any], known: Mapping[str, tuple[type, ...]], what: str) -> dict[str, Any]:
    """Options with known names and right types; ReadError with a suggestion otherwise."""
    for key, value in options.items():
        if key not in known:
            raise ReadError(
                f"unknown option {key!r} for {what}",
                "one of: " + (", ".join(known) or "none"),
                did_you_mean(key, known) or "take the option out",
            )
        kinds = known[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            names = " or ".join(k.__name__ for k in kinds)
            raise ReadError(f"option {key!r} for {what} is {value!r}", names, f"write a value of type {names}")
    return dict(options)
