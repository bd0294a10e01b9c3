"""Damage to text and its mending: one cell at a time, by frozen rules, so that a new row is treated as the old ones were.

The audit counts with these functions what the cleaning mends with them.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

LOST = "\ufffd"
"""What stands where a decoder lost a character."""
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ODD_SPACE = re.compile("[\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\t\r\n\x0b\x0c\x85]")
_ENTITY = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,30}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_TWICE_DECODED = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]")
_BOOKED = re.compile(
    r"\(([^()\d+\-\u2212]*)([\d.,][^()+\-\u2212]*)\)|([^\d+\-\u2212]*)([\d.,][^()+\-\u2212]*)[\-\u2212]"
)
_SOUND = re.compile(r"(?:[!-%'-~]+(?: [!-%'-~]+)*)?")
_QUOTES = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201a": "'",
        "\u2032": "'",
        "\u00b4": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
    }
)
# Cyrillic and Greek letters that look like Latin ones
_ALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a7\u03bf",
    "aeopcyxiABEKMHOPCTXIABEHIKMNOPTXo",
)
_LATIN = re.compile("[A-Za-z]")
_FOREIGN = re.compile("[\u0391-\u03ff\u0400-\u04ff]")
_MOST_DIGITS = 12
_WORDS = re.compile(r"[^\W\d_]+")


def counted(n: int, noun: str) -> str:
    """A count with its noun.

    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def times(n: int) -> str:
    """How often.

    >>> times(1), times(3)
    ('once', '3 times')
    """
    return "once" if n == 1 else f"{n:,} times"


def percent(level: float, digits: int = 0) -> str:
    """The level of an interval, with as many more digits as tell it from 100%, which no interval has.

    >>> percent(0.95), percent(0.95, 1), percent(0.99967, 1), percent(0.999999)
    ('95%', '95.0%', '99.97%', '99.9999%')
    """
    while level < 1 and digits < _MOST_DIGITS and f"{level:.{digits}%}".startswith("100"):
        digits += 1
    return f"{level:.{digits}%}"


def signed(text: str) -> str:
    """An amount as accountants write what is below zero, with its sign where others write it; any other text as it is.

    >>> signed("(467.94)"), signed("($1,200)"), signed("467,94-"), signed("\u22125"), signed("(2) 5-7")
    ('-467.94', '$-1,200', '-467,94', '-5', '(2) 5-7')
    """
    bare = text.strip()
    if bare.startswith("\u2212"):
        return "-" + bare[1:]
    hit = _BOOKED.fullmatch(bare)
    if hit is None:
        return text
    before, amount = (hit[1], hit[2]) if hit[2] is not None else (hit[3], hit[4])
    return f"{before}-{amount}"


def one_line(text: str) -> str:
    r"""A text in one line of a terminal: ends of lines, control characters and halves of surrogate pairs are shown, and do nothing.

    >>> print(one_line("a\nb\x1b[2J"))
    a\nb\x1b[2J
    """
    return _BREAKS.sub(lambda found: repr(found[0])[1:-1], text)


def _edges(text: str) -> str:
    return text.strip()


def _spaces(text: str) -> str:
    return re.sub(r"  +", " ", text)


def _odd_spaces(text: str) -> str:
    return _ODD_SPACE.sub(" ", text)


def _invisible(text: str) -> str:
    return _CONTROL.sub("", _INVISIBLE.sub("", text))


def _entities(text: str) -> str:
    return html.unescape(text) if _ENTITY.search(text) else text


def _decoded(text: str) -> str:
    """Undo UTF-8 that was read as Windows-1252 (or Latin-1), piece by piece, at most twice over."""
    for _ in range(2):
        if not _TWICE_DECODED.search(text):
            break
        again = _PIECE.sub(lambda m: _once(m.group()), text)
        if again == text:
            break
        text = again
    return text


_PIECE = re.compile("[\u00c2-\u00f4\u0080-\u00bf\u0152-\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]{2,}")


def _once(piece: str) -> str:
    raw = bytearray()
    for character in piece:
        try:
            raw += character.encode("cp1252")
        except UnicodeEncodeError:
            if ord(character) > 255:
                return piece
            raw.append(ord(character))
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError:
        return piece
    return piece if LOST in decoded else decoded


def _composed(text: str) -> str:
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def _look_alikes(text: str) -> str:
    """Latin letters for their look-alikes, in words that are partly Latin."""
    if not _FOREIGN.search(text) or not _LATIN.search(text):
        return text
    return _WORDS.sub(
        lambda m: m.group().translate(_ALIKE) if _LATIN.search(m.group()) else m.group(),
        text,
    )


def _quotes(text: str) -> str:
    return text.translate(_QUOTES)


RULES: Mapping[str, Callable[[str], str]] = {
    "mojibake": _decoded,
    "entities": _entities,
    "invisible": _invisible,
    "composed": _composed,
    "look-alikes": _look_alikes,
    "quotes": _quotes,
    "odd-spaces": _odd_spaces,
    "spaces": _spaces,
    "edges": _edges,
}
"""What can be mended, by name, in the order in which it is done."""


def mend(text: str, rules: Sequence[str] = tuple(RULES)) -> str:
    """The text with the damage of the given kinds mended; mending twice is mending once.

    >>> mend(" SÃ£o\u00a0Paulo &amp; co "), mend("a  b ", ["edges"])
    ('São Paulo & co', 'a  b')
    """
    if _SOUND.fullmatch(text):
        return text
    for _ in range(4):  # an entity may hide a space, and mojibake an entity
        before = text
        for name, rule in RULES.items():
            if name in rules:
                text = rule(text)
        if text == before:
            break
    return text


def plain(text: str) -> str:
    """Lower case, single spaces, no accents.

    >>> plain("  São  PAULO ")
    'sao paulo'
    """
    if text.isascii():
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(ch for ch in decomposed if not unicodedata.combining(ch))
    return " ".join(bare.casefold().split())
