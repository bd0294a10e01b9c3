"""A folder that is no bundle, named for what it is: not there, a live folder, or a project."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from holdgood.bundle import layout
from holdgood.core.declaration import FILE_NAME
from holdgood.core.errors import BundleError

_RUN, _SHOWN = "run.json", 40
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
    if (path / _RUN).exists():
        raise BundleError(f"run {given} has no bundle: {_ended(path)}", _EXPECTED, _another(path))
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


def _ended(run: Path) -> str:
    """How a run without a bundle ended, in words."""
    try:
        status = json.loads((run / _RUN).read_text(encoding="utf-8"))["status"]
    except (OSError, ValueError, KeyError, TypeError):
        return "it is not finished"
    return "it has failed" if status == "failed" else f"it is not finished (status {str(status)[:_SHOWN]})"


def _another(run: Path) -> str:
    """What to do instead: the newest run beside it that has a bundle, or to run."""
    others = sorted(p for p in run.parent.glob("[0-9]*") if (p / "bundle" / layout.MANIFEST).exists())
    project = shlex.quote(str(run.parent.parent))
    if others:
        return f"name one that has, the newest is {shlex.quote(str(others[-1]))}; holdgood runs -p {project} lists them"
    return f"mend what stopped it, then holdgood run -p {project}; no run there has a bundle yet"


def need_served(given: Path | str) -> None:
    """The same for what is to be served, where a folder may also be meant to become a live folder. Raises BundleError."""
    need_bundle(given)
    if not holds_bundle(Path(given)):
        raise BundleError(
            f"{given} is no bundle, and no live folder yet: nothing was promoted there",
            f"{_EXPECTED}, or a live folder",
            f"holdgood promote RUN --live {shlex.quote(str(given))} --why REASON makes it one",
        )
