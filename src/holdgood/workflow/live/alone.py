"""One pass of a kind at a time over a live folder, whoever starts it, and over a model where machines share a journal."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from holdgood.core.errors import EnvironmentFault
from holdgood.workflow.live.folder import Live


@contextmanager
def alone(live: Live, kind: str, doing: str, model: str) -> Iterator[Live]:
    """Hold the folder's lock of this ``kind``, and where the journal is on a server that of the ``model`` there, which other machines see too.

    Both end with the process, however it ends (the second with its connection). EnvironmentFault where another one has either. What comes is
    the folder to work with: before each write into its journal it asks whether the lock is still held, and raises EnvironmentFault where
    the server has let it go (a restart, a connection that was dropped): by then another machine may be at work.
    """
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
        with live.journal.session() as session:
            name = f"{kind} {model}"
            if not session.hold(name):
                raise EnvironmentFault(
                    f"{model} is being {doing} by another process, on this machine or on another that shares {live.journal.name}",
                    "one pass at a time",
                    "wait for it",
                )

            def still() -> None:
                if not session.holds(name):
                    raise EnvironmentFault(
                        f"{model} was being {doing}, but {live.journal.name} has let go of the lock that kept other machines from it",
                        "a connection that lasts as long as the work",
                        "give the command again: nothing was written after the loss, and what is in the journal is gone on with",
                    )

            yield replace(live, journal=live.journal.asking(still))
