"""One tree of errors; each says what came, what was expected and what to do.

HoldgoodError                 exit code 1
├── DeclarationError          2   holdgood.toml, or the same as Python objects
├── DataError                 3   a table cannot be used as it is
│   ├── AbsentTables              tables that a model joins were not given
│   ├── ReadError                 a source cannot be read
│   ├── TargetError               the target is missing, constant or unusable
│   ├── SplitError                rows cannot be divided as asked
│   └── DuplicateError            the journal holds this prediction already
├── BundleError               4   a bundle is incomplete, foreign or of the wrong version
│   └── TamperedError             its hashes do not match what is on disk
├── MissingExtra              5   an optional library is not installed
├── EnvironmentFault          6   disk full, no permission, out of memory, a worker died
│   ├── Busy                      too much is waiting already; the same later may pass
│   └── Overtaken                 somebody else wrote in between; look again and decide anew
└── Interrupted             130   Ctrl-C; what was finished is kept

NotApplicable                 a check says that it has nothing to look at (not an error)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

from holdgood.core.text import one_line


class HoldgoodError(Exception):
    """Root of the tree. Prints as three lines: what came, what was expected, what to do."""

    exit_code: ClassVar[int] = 1

    def __init__(self, came: str, expected: str = "", do: str = "") -> None:
        self.came, self.expected, self.do = came, expected, do
        lines = [one_line(came)]
        if expected:
            lines.append(f"  expected: {one_line(expected)}")
        if do:
            lines.append(f"  do this:  {one_line(do)}")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[HoldgoodError], tuple[str, str, str]]:
        """Travel between processes with all three lines."""
        return type(self), (self.came, self.expected, self.do)


class DeclarationError(HoldgoodError):
    """The declaration cannot be read or contradicts itself."""

    exit_code = 2


class DataError(HoldgoodError, ValueError):
    """A table cannot be used as it is. Also a ValueError: what scikit-learn and others catch where data do not fit."""

    exit_code = 3


class AbsentTables(DataError):
    """Tables that a model joins were not given."""


class ReadError(DataError):
    """A source cannot be read."""


class TargetError(DataError):
    """The target is missing, constant, or cannot be used for the declared task."""


class SplitError(DataError):
    """Rows cannot be divided as asked."""


class DuplicateError(DataError):
    """The journal holds a prediction of this model, id and place already; nothing of what came with it was written."""


class BundleError(HoldgoodError):
    """A bundle is incomplete, foreign or of the wrong version."""

    exit_code = 4


class TamperedError(BundleError):
    """The hashes in a bundle do not match what is on disk."""


class MissingExtra(HoldgoodError):
    """An optional library is not installed.

    >>> print(MissingExtra.named("excel", "openpyxl", "reading an Excel file"))
    reading an Excel file needs the library 'openpyxl', which is not installed
      expected: holdgood with the extra 'excel'
      do this:  pip install 'holdgood[excel]'
    """

    exit_code = 5

    @classmethod
    def named(cls, extra: str, library: str, purpose: str) -> MissingExtra:
        """Build the message from the extra's name, the library and what it was wanted for."""
        return cls(
            f"{purpose} needs the library {library!r}, which is not installed",
            f"holdgood with the extra {extra!r}",
            f"pip install 'holdgood[{extra}]'",
        )


class EnvironmentFault(HoldgoodError):
    """The machine refused: disk full, no permission, out of memory, a worker died."""

    exit_code = 6


class Busy(EnvironmentFault):
    """More is waiting than can be kept in memory; the same, asked again a little later, may pass."""


class Overtaken(EnvironmentFault):
    """Somebody else wrote between the look and the write; nothing was written, and what was decided must be decided anew."""


class Interrupted(HoldgoodError):
    """The user pressed Ctrl-C; everything finished so far is on disk."""

    exit_code = 130


class NotApplicable(Exception):  # an outcome, not an error
    """Raised by a check that has nothing to look at; the reason is shown, never counted as passed."""


class HoldgoodWarning(UserWarning):
    """A warning of ours; the test-suite turns it into an error so that none is emitted by accident."""


_LONGEST_WORD = 100
"""Letters of a word that is compared with others: what comes from outside may be long, and comparing takes the square of it."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Suggest the nearest known words, or an empty string.

    >>> did_you_mean("taget", ["target", "time"])
    "did you mean 'target'?"
    >>> did_you_mean("zzz", ["target"])
    ''
    """
    if len(str(word)) > _LONGEST_WORD:
        return ""
    words = [w for w in map(str, known) if len(w) <= _LONGEST_WORD]
    near = difflib.get_close_matches(str(word), words, n=2, cutoff=0.6)
    return f"did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
