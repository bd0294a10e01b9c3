"""One pass of a kind at a time over a live folder, whoever starts it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from holdgood.core.errors import EnvironmentFault
from holdgood.workflow.live.folder import Live


@contextmanager
def alone(live: Live, kind: str, doing: str) -> Iterator[None]:
    """Hold the folder's lock of this ``kind``; ends with the process, however it ends. EnvironmentFault where another one has it."""
    file = live.path / f".{kind}.lock"
    try:
        held = file.open("w")
    except OSError as error:
        raise EnvironmentFault(
            f"cannot write {file}: {error.strerror}", "a live folder that can be written, with room on its disk", "see to it; nothing has changed"
        ) from error  # fmt: skip
    with held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise EnvironmentFault(
                f"{live.path.name} is being {doing} by another process", "one pass at a time", "wait for it"
            ) from None
        yield
