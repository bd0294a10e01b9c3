"""A bundle as a version of a registered model on an MLflow server: the folder as it is, nothing that runs code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdgood.core.errors import DeclarationError

CHAMPION = "champion"
_FOLDER = "bundle"
_DIGEST = "holdgood.digest"
_SENT = "holdgood.bundle"


def register(
    client: Any, mlflow_run: str, name: str, bundle: Path, tags: Mapping[str, str], *, champion: bool
) -> tuple[str, bool]:
    """Register the bundle as a version of ``name``, made where it is not there; its version, and whether it was there already.

    The files go to the run that they belong to, where they are not there yet, and the version points at them. ``tags`` hold the bundle's
    digest under ``holdgood.digest``: the same bundle is not registered twice. ``champion``: this version gets the alias of that name.
    """
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(
            name, description="A holdgood bundle: verify it with holdgood verify before use."
        )
    found = [v for v in client.search_model_versions(f"name = '{name}'") if v.tags.get(_DIGEST) == tags[_DIGEST]]
    if found:
        version = str(max(int(v.version) for v in found))
    else:
        there = client.get_run(mlflow_run)
        if there.data.tags.get(_SENT) != tags[_DIGEST]:
            send(client, mlflow_run, bundle, tags[_DIGEST])
        where = f"{there.info.artifact_uri}/{_FOLDER}"
        version = str(client.create_model_version(name, where, mlflow_run, tags=dict(tags)).version)
    if champion:
        client.set_registered_model_alias(name, CHAMPION, version)
    return version, bool(found)


def send(client: Any, mlflow_run: str, bundle: Path, digest: str) -> None:
    """The bundle's files to a run. The mark comes last: what was cut off on the way is not taken for a whole bundle."""
    client.log_artifacts(mlflow_run, str(bundle), _FOLDER)
    client.set_tag(mlflow_run, _SENT, digest)


def checked_name(name: str) -> str:
    """A name that a registry takes and a filter can hold; DeclarationError otherwise."""
    if not name.strip() or any(c in name for c in "/:'\"%`\\") or not name.isprintable():
        raise DeclarationError(
            f"{name!r} is no name of a registered model",
            "letters, digits, blanks, points, dashes and underscores",
            "choose another name: --register NAME",
        )
    return name
