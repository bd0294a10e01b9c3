"""A folder that is no bundle, named for what it is: not there, a live folder, or a project."""

from __future__ import annotations

import shlex
from pathlib import Path

from holdgood.bundle import layout
from holdgood.core.declaration import FILE_NAME
from holdgood.core.errors import BundleError

_EXPECTED = "a bundle, or a run folder that holds one"


def holds_bundle(path: Path) -> bool:
    """Whether a folder is a bundle, or a run folder with one."""
    return any((path / inside / layout.MANIFEST).exists() for inside in ("", "bundle"))


def need_bundle(given: Path | str) -> None:
    """Raise BundleError where a path is none of a bundle or a run folder with one, but something that is easily meant instead.

    What lies in a bundle is not looked at: loading and verifying do that.
    """
    path = Path(given)
    told = shlex.quote(str(given))
    if not path.exists():
        raise BundleError(
            f"no bundle at {given}: there is no such folder", _EXPECTED, "check the path, and where you are"
        )
    if holds_bundle(path):
        return
    if (path / "bundles").is_dir():
        kept = sorted(p.name for p in (path / "bundles").iterdir() if not p.name.startswith("."))
        raise BundleError(
            f"{given} is a live folder, no bundle",
            _EXPECTED,
            f"name one of those that it keeps: {told}/bundles/{kept[0] if len(kept) == 1 else 'DIGEST'} "
            f"(holdgood journal live-on --live {told} says which is live)",
        )
    if (path / FILE_NAME).exists():
        raise BundleError(
            f"{given} is a project, no bundle",
            _EXPECTED,
            f"name one of its runs, {told}/runs/NNNN; holdgood promote RUN --live live --why REASON makes a live folder",
        )


def need_served(given: Path | str) -> None:
    """The same for what is to be served, where a folder may also be meant to become a live folder. Raises BundleError."""
    need_bundle(given)
    if not holds_bundle(Path(given)):
        raise BundleError(
            f"{given} is no bundle, and no live folder yet: nothing was promoted there",
            f"{_EXPECTED}, or a live folder",
            f"holdgood promote RUN --live {shlex.quote(str(given))} --why REASON makes it one",
        )
