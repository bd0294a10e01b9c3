"""Bytes to UTF-8: by the mark at the start, by what is valid, or by what the user says; what was assumed becomes a note."""

from __future__ import annotations

import codecs
import difflib
from encodings.aliases import aliases

from holdgood.core.errors import ReadError
from holdgood.core.table import Note

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MAGIC = (
    (b"PK\x03\x04", "a zip or Excel file", "give it the suffix .xlsx, or unpack it"),
    (b"PAR1", "a Parquet file", "give it the suffix .parquet"),
    (b"SQLite format 3\x00", "a SQLite database", "give it the suffix .sqlite"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls)", "save it as .xlsx"),
    (b"%PDF", "a PDF", "export the table itself"),
    (b"\x89PNG", "a picture", "export the table itself"),
    (b"<!doctype html", "a web page", "download the file itself, perhaps after signing in"),
    (b"<html", "a web page", "download the file itself, perhaps after signing in"),
)
_LOOK = 65536


def to_utf8(raw: bytes, asked: str | None, file: str) -> tuple[bytes, list[Note]]:
    """The text of a file as UTF-8 without a mark. ReadError for binary content or an encoding that does not fit."""
    if asked is not None:
        return _as_asked(raw, asked, file), []
    for mark, name in MARKS:
        if raw.startswith(mark):
            body = raw[len(mark) :]
            if name == "utf-8":
                break
            try:
                return body.decode(name).encode("utf-8"), []
            except UnicodeDecodeError:
                raise broken(file, name) from None
    else:
        body = raw
    guess = unmarked_wide(body)
    if guess:
        try:
            return body.decode(guess).encode("utf-8"), [
                Note("encoding", f"{file} has no encoding mark; read as {guess.upper()}")
            ]
        except UnicodeDecodeError:
            raise broken(file, guess) from None
    refuse_binary(body, file)
    try:
        body.decode("utf-8")
        return body, []
    except UnicodeDecodeError as error:
        return _not_utf8(body, error, file)


def _as_asked(raw: bytes, asked: str, file: str) -> bytes:
    codec = codec_of(asked, file)
    try:
        text = raw.decode(codec)
    except UnicodeError as error:
        line = raw[: getattr(error, "start", 0)].count(b"\n") + 1
        raise not_in(asked, file, line) from None
    return text.removeprefix("\ufeff").encode("utf-8", "replace")


def codec_of(asked: str, file: str) -> str:
    """The name by which Python knows an encoding; ReadError for one that it does not know."""
    try:
        codec = codecs.lookup(asked)
        "".encode(codec.name)
    except (LookupError, TypeError):
        near = difflib.get_close_matches(asked.lower(), [*aliases.keys(), *aliases.values()], n=1)
        hint = f"did you mean {near[0]!r}?" if near else 'write for example "utf-8", "cp1252" or "utf-16"'
        raise ReadError(f"unknown encoding {asked!r} for {file}", "the name of a text encoding", hint) from None
    return codec.name


def not_in(asked: str, file: str, line: int) -> ReadError:
    """The error for bytes that an encoding that was asked for does not have."""
    return ReadError(
        f"{file} is not {asked}: line {line} has bytes that mean nothing in it",
        f"text in {asked}",
        "leave the option encoding out, then it is found out",
    )


def unmarked_wide(body: bytes) -> str | None:
    """UTF-16 without a mark: nearly every second byte of Western text is zero."""
    look = body[:_LOOK]
    if len(look) < 4 or len(body) % 2:
        return None
    half = len(look) // 2
    if look[1::2].count(0) > 0.7 * half and look[0::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if look[0::2].count(0) > 0.7 * half and look[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def refuse_binary(body: bytes, file: str) -> None:
    """ReadError where the first bytes are those of another kind of file."""
    for magic, what, do in _MAGIC:
        if body.startswith(magic) or (magic[:1] == b"<" and body[:64].lstrip().lower().startswith(magic)):
            raise ReadError(f"{file} is {what}, not text", "a text file", do)
    look = body[:_LOOK]
    control = len(look) - len(look.translate(None, bytes([*range(9), *range(14, 27), *range(28, 32)])))
    if control > 0.01 * len(look) and control > 1:
        raise ReadError(
            f"{file} holds binary data ({control:,} control characters in its first {len(look):,} bytes), not text",
            "a text file",
            "check that it is what its suffix says",
        )


def _not_utf8(body: bytes, error: UnicodeDecodeError, file: str) -> tuple[bytes, list[Note]]:
    line = body[: error.start].count(b"\n") + 1
    replaced = body.decode("utf-8", "replace")
    faults = replaced.count("\ufffd")
    beyond = sum(1 for c in replaced if c > "\x7f") - faults
    if beyond > faults:
        # Mostly UTF-8 with a few damaged characters: reading it all in another encoding would garble the good ones.
        message = f"{file} is UTF-8 but for {faults:,} damaged characters (first in line {line}), shown as \ufffd"
        return replaced.encode("utf-8"), [Note("encoding", message, faults)]
    try:
        text, name = body.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        text, name = body.decode("latin-1"), "Latin-1"
    count = sum(1 for c in text if c > "\x7f")
    message = (
        f"{file} is not UTF-8 (first in line {line}); read as {name}: check accents, or declare the option encoding"
    )
    return text.encode("utf-8"), [Note("encoding", message, count)]


def broken(file: str, name: str) -> ReadError:
    """The error for a text that does not keep to the encoding that it begins in."""
    return ReadError(
        f"{file} begins as {name.upper()} but does not go on so", "text in one encoding", "export it again as UTF-8"
    )
