"""What is live: from bundles that were named, or from a live folder whose promotions are followed as they come."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from holdgood.core.declared_live import LIVE_FILE, KeepSpec, read_live
from holdgood.core.errors import DataError, DeclarationError, HoldgoodError, did_you_mean
from holdgood.core.records import Standing
from holdgood.core.records.contract import OutOfContract
from holdgood.serving.exchange import Refusal, refused
from holdgood.serving.loaded import Loaded, Reference, Served, load
from holdgood.workflow.live.folder import Live, out_of_contract_at


class Source(Protocol):
    """Where the server learns what to serve."""

    def stands(self) -> tuple[Standing, ...]:
        """What should stand where now."""
        ...

    def folder(self, digest: str) -> Path:
        """Where a bundle lies."""
        ...


class NamedBundles:
    """Bundles named on the command line, ``NAME=PATH`` or ``PATH``; each is a champion."""

    def __init__(self, named: list[str]) -> None:
        self._paths: dict[str, Path] = {}
        self._stands: list[Standing] = []
        for given in named:
            name, equals, path = given.partition("=")
            loaded = load(path if equals else given, name if equals else None)
            if any(s.model == loaded.name for s in self._stands):
                raise DeclarationError(
                    f"two bundles called {loaded.name!r}",
                    "one name a model",
                    f"name one of them: OTHER={path if equals else given}",
                )
            self._paths[loaded.digest] = Path(path if equals else given)
            self._stands.append(
                Standing(
                    model=loaded.name,
                    place="champion",
                    bundle_digest=loaded.digest,
                    since="",
                    recorded_utc="",
                    action="promote",
                    by="",
                    why="",
                )
            )

    def stands(self) -> tuple[Standing, ...]:
        """As named."""
        return tuple(self._stands)

    def folder(self, digest: str) -> Path:
        """As named."""
        return self._paths[digest]


class LiveFolder:
    """The places of a live folder, read from its journal."""

    def __init__(self, live: Live) -> None:
        self.live = live

    def stands(self) -> tuple[Standing, ...]:
        """What the journal says now."""
        return tuple(self.live.standing())

    def keep(self) -> KeepSpec:
        """What its settings say of keeping now."""
        return read_live(self.live.path / LIVE_FILE).keep

    def folder(self, digest: str) -> Path:
        """The kept copy."""
        return self.live.bundle(digest)


def _key(stands: Iterable[Standing]) -> list[tuple[str, str, str, float]]:
    return [(s.model, s.place, s.bundle_digest, s.share) for s in stands]


class Models:
    """The models of a server. ``look`` brings them up to date; whoever holds a ``Served`` from before goes on with it undisturbed.

    ``held``: how the contract of each is held; None: as the live folder says in which its bundle lies, or ``warn``.
    """

    def __init__(self, source: Source, reference: Reference | None = None, held: OutOfContract | None = None) -> None:
        self._source, self._reference, self._held = source, reference or Reference(), held
        self._served: Mapping[str, Served] = {}
        self._stands: tuple[Standing, ...] | None = None
        self._stamp: object = None
        self._unread: set[str] = set()
        self.faults: tuple[str, ...] = ()
        self.since = 0.0

    def look(self, *, force: bool = False) -> bool:
        """Load what is new and take leave of what is gone; True if anything changed. Blocks: call it in a thread.

        A champion that cannot be loaded leaves its model as it was; whatever cannot is told in ``faults`` and tried again at the next look.
        Raises EnvironmentFault where the journal is away.
        """
        stands, stamp = self._source.stands(), self._reference.stamp()
        same = self._stands is not None and _key(stands) == _key(self._stands) and stamp == self._stamp
        if same and not force and not self.faults:
            return False
        if force or stamp != self._stamp:
            self._unread = {s.model for s in stands}
        served: dict[str, Served] = {}
        faults: list[str] = []
        for name in dict.fromkeys(s.model for s in stands):
            there = self._served.get(name)
            kept = {x.digest: x for _, x in there.places()} if there and name not in self._unread else {}
            try:
                served[name], more = self._made(name, [s for s in stands if s.model == name], kept)
                faults += more
                self._unread.discard(name)
            except HoldgoodError as error:
                faults.append(f"{name}: {error.came}")
                if there:
                    served[name] = there
        self._served, self._stands, self._stamp, self.faults = served, stands, stamp, tuple(faults)
        self.since = time.time()
        return True

    def _made(self, name: str, stands: list[Standing], kept: Mapping[str, Loaded]) -> tuple[Served, list[str]]:
        """A model with its places, and what is wrong with a canary or a shadow: these stay away, and hold no champion up."""
        loaded: dict[str, Loaded] = {}
        faults: list[str] = []
        for s in stands:
            try:
                loaded[s.place] = kept.get(s.bundle_digest) or self._loaded(name, s.bundle_digest)
            except HoldgoodError as error:
                if s.place == "champion":
                    raise
                faults.append(f"{name} {s.place}: {error.came}")
        if "champion" not in loaded:
            raise DataError(f"{name} has no champion", "one that answers", "promote one")
        share = next((s.share for s in stands if s.place == "canary"), 0.0)
        return Served(name, loaded["champion"], loaded.get("canary"), share, loaded.get("shadow")), faults

    def _loaded(self, name: str, digest: str) -> Loaded:
        folder = self._source.folder(digest)
        found = load(folder, name, self._reference, self._held or out_of_contract_at(folder) or "warn")
        if found.digest != digest:
            raise DataError(f"the bundle kept as {digest[:12]} is another", digest, "promote it again")
        return found

    def all(self) -> list[Served]:
        """In the order of their names."""
        return [self._served[n] for n in sorted(self._served)]

    def get(self, name: str) -> Served:
        """A model by name; an empty name means the only one. A refusal where there is none."""
        found = self._served.get(name)
        if found is not None:
            return found
        if not name and len(self._served) == 1:
            return next(iter(self._served.values()))
        if not self._served:
            raise Refusal(
                503,
                HoldgoodError("no model is live", "one that was promoted", "holdgood promote RUN"),
                ((b"retry-after", b"5"),),
            )
        known = sorted(self._served)
        if not name:
            raise refused(
                400,
                f"{len(known)} models are live and none is named",
                "one of: " + ", ".join(known),
                "ask /models/NAME/…",
            )
        raise refused(
            404, "no such model is live", "one of: " + ", ".join(known), did_you_mean(name, known) or "see /models"
        )
