"""The key with which deletions are sealed: a file of the live folder, or wherever ``live.toml`` says; never in the database."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from holdgood.core.errors import DataError, EnvironmentFault
from holdgood.journal import Journal
from holdgood.journal.tombstones import Seal

_BYTES = 32


def seal_in(file: Path) -> Seal | None:
    """The key in a file, None where there is no such file. DataError where it holds none, EnvironmentFault where it cannot be read."""
    try:
        said = json.loads(file.read_text(encoding="ascii"))
        seal = Seal(bytes.fromhex(said["key"]), {str(w): int(n) for w, n in said["before"].items()})
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EnvironmentFault(
            f"cannot read the key {file}: {error.strerror}", "a user who may read it", "run this as the one who deletes"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file} holds no key", "a file that holdgood made", "bring it back from a backup") from error
    if len(seal.key) < _BYTES:
        raise DataError(f"the key in {file} is too short", f"{_BYTES} bytes", "bring it back from a backup")
    return seal


def sealed_from_now(file: Path, journal: Journal) -> Seal:
    """The key in a file; made where there is none, together with where every chain stands, since what is older has no seal."""
    there = seal_in(file)
    if there is not None:
        return there
    before = {writer: head.number for writer, head in journal.heads().items()}
    text = json.dumps({"key": secrets.token_hex(_BYTES), "before": before})
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(fresh, file)  # of two that make one at the same time, the first one's is kept
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    except OSError as error:
        raise EnvironmentFault(
            f"cannot write the key {file}: {error.strerror}", "a folder that can be written", "see to it; nothing was deleted"
        ) from error  # fmt: skip
    made = seal_in(file)
    assert made is not None
    return made
