"""Where a source is: paths checked before they are opened, URLs taken apart, secrets masked, options checked."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from holdgood.core.errors import EnvironmentFault, ReadError, did_you_mean

_SECRET_KEYS = ("password", "passwd", "pwd", "sslpassword", "token")


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Turn what the machine says while a file is opened or read into an error of ours."""
    try:
        yield
    except FileNotFoundError:
        raise _missing(path) from None
    except PermissionError:
        raise EnvironmentFault(
            f"no permission to read {path}", "a file that this user may read", "ask its owner, or change its permissions"
        ) from None
    except IsADirectoryError:
        raise _folder(path) from None
    except MemoryError:
        raise EnvironmentFault(
            f"{path.name} does not fit into memory", "a file smaller than the free memory", "read fewer columns, or use Parquet"
        ) from None


def local_file(source: str) -> Path:
    """The path of a file that exists and is not empty; ReadError with near names from its folder otherwise."""
    path = Path(source)
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
        return ReadError(f"no file {path}: the folder {folder} does not exist", "a path to a file", "check the folder's name")
    return ReadError(f"no file {path.name} in {folder}", "a path to a file", did_you_mean(path.name, names) or "check the name")


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
        raise ReadError(
            f"{path.name} is a damaged gzip file: {error}", "a complete gzip file", "copy or download it again"
        ) from None


def is_url(source: str) -> bool:
    """Whether a source is a URL and not a path (``C:\\data`` is a path)."""
    return re.match(r"^[A-Za-z][A-Za-z0-9+.-]+://", source) is not None


def parameters_of(url: str) -> dict[str, str]:
    """The part after ``?`` as names and values."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def without_parameters(url: str, *names: str) -> str:
    """The URL without some of its parameters."""
    parts = urlsplit(url)
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k not in names]
    query = "&".join(f"{quote(k)}={quote(v, safe='')}" for k, v in kept)
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{query}" if query else "")


def secrets_of(url: str) -> tuple[str, ...]:
    """Every text of a URL that must not be shown, as written and as unquoted."""
    found = [_user_info(url).partition(":")[2]]
    found += [v for k, v in re.findall(r"[?&]([^=&]+)=([^&#]*)", url) if k.lower() in _SECRET_KEYS]
    return tuple(dict.fromkeys(s for f in found for s in (f, unquote(f)) if s))


def mask(url: str) -> str:
    """The URL with its secrets as ``***``.

    >>> mask("postgresql://ann:s3cret@host/db?table=t&password=x")
    'postgresql://ann:***@host/db?table=t&password=***'
    """
    info = _user_info(url)
    if ":" in info:
        url = url.replace(f"://{info}@", f"://{info.partition(':')[0]}:***@", 1)
    pattern = r"([?&](?:" + "|".join(_SECRET_KEYS) + r")=)[^&#]*"
    return re.sub(pattern, r"\1***", url, flags=re.IGNORECASE)


def _user_info(url: str) -> str:
    """``user:password``. Passwords are often not escaped, so everything before the last ``@`` is taken for it."""
    rest = url.partition("://")[2]
    head = rest.partition("?")[0]
    return (head if "@" in head else rest).rpartition("@")[0]


def checked(options: Mapping[str, Any], known: Mapping[str, type | tuple[type, ...]], what: str) -> dict[str, Any]:
    """Options with known names and right types; ReadError with a suggestion otherwise."""
    for key, value in options.items():
        if key not in known:
            raise ReadError(
                f"unknown option {key!r} for {what}",
                "one of: " + (", ".join(known) or "none"),
                did_you_mean(key, known) or "take the option out",
            )
        kinds = known[key] if isinstance(known[key], tuple) else (known[key],)
        if not isinstance(value, known[key]) or (isinstance(value, bool) and bool not in kinds):
            names = " or ".join(k.__name__ for k in kinds)
            raise ReadError(f"option {key!r} for {what} is {value!r}", names, f"write a value of type {names}")
    return dict(options)
