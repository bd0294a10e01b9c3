"""The one dynamic import: parts are found by entry point, our own by the same door as a guest's.

Groups: ``holdgood.connectors``, ``holdgood.checks``, ``holdgood.repairs``, ``holdgood.models``, ``holdgood.forecasters``, ``holdgood.detectors`` and
``holdgood.parts`` (what a bundle may rebuild). A name found in a file is only ever looked up here, never imported as a path.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from holdgood.core.errors import DeclarationError, MissingExtra, did_you_mean


@cache
def _points(group: str) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=group), key=lambda p: (p.name, p.value)):
        if point.name in found and found[point.name].value != point.value:
            raise DeclarationError(
                f"two plugins call themselves {point.name!r} in {group}: {found[point.name].value} and {point.value}",
                "one part a name",
                "uninstall one of the two packages",
            )
        found[point.name] = point
    return found


def names(group: str) -> tuple[str, ...]:
    """Names registered in a group, sorted."""
    return tuple(sorted(_points(group)))


def load(group: str, name: str) -> Any:
    """Load one part by its registered name.

    Raises DeclarationError for an unknown name, MissingExtra where its library is not installed.
    """
    points = _points(group)
    if name not in points:
        raise DeclarationError(
            f"no part named {name!r} in {group}",
            "one of: " + ", ".join(points),
            did_you_mean(name, points) or "check the spelling",
        )
    try:
        return points[name].load()
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{name!r} in {group} needs the library {error.name!r}, which is not installed",
            "its optional dependency",
            "run: holdgood doctor",
        ) from error


def load_all(group: str) -> dict[str, Any]:
    """Load every part of a group whose libraries are there, by name."""
    loaded: dict[str, Any] = {}
    for name in names(group):
        try:
            loaded[name] = load(group, name)
        except MissingExtra:
            continue
    return loaded


@cache
def signature(group: str) -> tuple[tuple[str, str, str], ...]:
    """What is registered in a group: name, where it lives, and the version of the package that brings it."""
    return tuple((n, p.value, p.dist.version if p.dist else "") for n, p in sorted(_points(group).items()))


def forget() -> None:
    """Look the entry points up anew (after a package was installed in this process)."""
    _points.cache_clear()
    signature.cache_clear()
