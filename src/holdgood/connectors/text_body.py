"""The text of a file as UTF-8, read piece by piece: what is large never lies in memory whole."""

from __future__ import annotations

import codecs
import gzip
import io
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from holdgood.connectors.encoding import MARKS, broken, codec_of, not_in, refuse_binary, to_utf8, unmarked_wide
from holdgood.connectors.place import damaged_gzip, opening, read_bytes
from holdgood.connectors.store import disk
from holdgood.core.table import Note

WHOLE = 64_000_000
"""Files of up to so many bytes are read at once."""

_CHUNK = 16_000_000
_LOOK = 65536


class Body:
    """UTF-8 text without a mark: ``size`` in bytes, and any part of it."""

    def __init__(self, file: IO[bytes], start: int = 0) -> None:
        self._file, self._start = file, start
        self.size = file.seek(0, io.SEEK_END) - start

    @classmethod
    def of(cls, text: bytes) -> Body:
        """Text that is in memory already."""
        return cls(io.BytesIO(text))

    def read(self, at: int, length: int) -> bytes:
        """At most ``length`` bytes from a place on."""
        self._file.seek(self._start + at)
        return self._file.read(length)

    def close(self) -> None:
        """Close the file behind it."""
        self._file.close()


def body_of(path: Path, asked: str | None) -> tuple[Body, list[Note]]:
    """The text of a file, unpacked and decoded, and what was assumed about it. ReadError as in ``to_utf8``."""
    with opening(path):
        file = path.open("rb")
        try:
            packed = file.read(2) == b"\x1f\x8b"
            small = path.stat().st_size <= (WHOLE // 8 if packed else WHOLE)
            if not small:
                plain = _unpacked(file, path.name) if packed else file
                return _large(plain, asked, path.name)
        except BaseException:
            file.close()
            raise
        file.close()
    text, notes = to_utf8(read_bytes(path), asked, path.name)
    return Body.of(text), notes


def _unpacked(file: IO[bytes], name: str) -> IO[bytes]:
    file.seek(0)
    plain = _temporary()
    try:
        with gzip.GzipFile(fileobj=file) as source:
            while chunk := source.read(_CHUNK):
                with disk():
                    plain.write(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged_gzip(name, error) from None
    finally:
        file.close()
    return plain


def _temporary() -> IO[bytes]:
    with disk():
        return tempfile.TemporaryFile(prefix="holdgood-")


def _large(file: IO[bytes], asked: str | None, name: str) -> tuple[Body, list[Note]]:
    """The rules of ``to_utf8``, with one pass to see what the bytes are and, where they are not UTF-8, one to write them anew."""
    file.seek(0)
    head = file.read(_LOOK)
    if asked is not None:
        codec = codec_of(asked, name)
        fault = _fault(file, 0, codec)
        if fault is not None:
            raise not_in(asked, name, fault)
        return _anew(file, 0, codec, "strict"), []
    for mark, codec in MARKS:
        if head.startswith(mark):
            if codec == "utf-8":
                return _as_utf8(file, len(mark), name)
            if _fault(file, len(mark), codec) is not None:
                raise broken(name, codec)
            return _anew(file, len(mark), codec, "strict"), []
    guess = unmarked_wide(head)
    if guess:
        if _fault(file, 0, guess) is not None:
            raise broken(name, guess)
        return _anew(file, 0, guess, "strict"), [
            Note("encoding", f"{name} has no encoding mark; read as {guess.upper()}")
        ]
    refuse_binary(head, name)
    return _as_utf8(file, 0, name)


def _as_utf8(file: IO[bytes], start: int, name: str) -> tuple[Body, list[Note]]:
    line = _fault(file, start, "utf-8")
    if line is None:
        return Body(file, start), []
    faults = beyond = 0
    for text in _decoded(file, start, "utf-8", "replace"):
        damaged = text.count("\ufffd")
        faults += damaged
        beyond += len(text) - len(text.encode("ascii", "ignore")) - damaged
    if beyond > faults:
        message = f"{name} is UTF-8 but for {faults:,} damaged characters (first in line {line}), shown as \ufffd"
        return _anew(file, start, "utf-8", "replace"), [Note("encoding", message, faults)]
    codec, called = ("cp1252", "Windows-1252") if _fault(file, start, "cp1252") is None else ("latin-1", "Latin-1")
    count = sum(len(t) - len(t.encode("ascii", "ignore")) for t in _decoded(file, start, codec, "strict"))
    message = (
        f"{name} is not UTF-8 (first in line {line}); read as {called}: check accents, or declare the option encoding"
    )
    return _anew(file, start, codec, "strict"), [Note("encoding", message, count)]


def _decoded(file: IO[bytes], start: int, codec: str, errors: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(codec)(errors)
    file.seek(start)
    while chunk := file.read(_CHUNK):
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def _fault(file: IO[bytes], start: int, codec: str) -> int | None:
    """The line (from 1) with the first bytes that mean nothing in an encoding; None where there are none."""
    try:
        for _ in _decoded(file, start, codec, "strict"):
            pass
    except UnicodeError:
        return _line_of_fault(file, start, codec)
    return None


def _line_of_fault(file: IO[bytes], start: int, codec: str) -> int:
    line = 1
    try:
        for text in _decoded(file, start, codec, "strict"):
            line += text.count("\n")
    except UnicodeError as error:
        line += bytes(getattr(error, "object", b""))[: getattr(error, "start", 0)].count(b"\n")
    return line


def _anew(file: IO[bytes], start: int, codec: str, errors: str) -> Body:
    """The text written as UTF-8 to a temporary file; the first file is closed."""
    plain = _temporary()
    first = True
    for text in _decoded(file, start, codec, errors):
        with disk():
            plain.write((text.removeprefix("\ufeff") if first else text).encode("utf-8", "replace"))
        first = False
    file.close()
    return Body(plain)
