"""Load: rebuild the parts of a bundle by their registered names. Nothing in a bundle is ever executed or unpickled."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from holdgood.bundle import layout
from holdgood.bundle.verify import parsed, read_bounded, read_manifest, verify
from holdgood.core import plugins
from holdgood.core.errors import BundleError, DeclarationError, TamperedError
from holdgood.core.protocols import Parts, Persistable
from holdgood.core.records import Bundle, PartEntry
from holdgood.core.task import Task

_DAMAGED = "the bundle is damaged or was not written by holdgood"
_OBJECTS = "do not use this bundle: objects can run code"
# Exactly what NumPy writes for plain arrays in C order, version 1.0; read here so that nothing in it is evaluated.
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(?P<length>..)\{'descr': '(?P<descr>[<>|][biufSU]\d{1,9})', 'fortran_order': False, "
    rb"'shape': \((?P<shape>(?:\d{1,15},(?: \d{1,15}(?:, \d{1,15})*)?)?)\), \} *\n",
    re.DOTALL,
)

_ADDRESSABLE = 2**62


@dataclass(frozen=True)
class LoadedBundle:
    """A bundle in memory: ``records`` are envelopes by name (see ``core.records.envelope.unwrap``), ``extra`` is
    what was given to save.
    """

    manifest: Bundle
    parts: dict[str, Persistable]
    records: dict[str, dict[str, Any]]
    task: Task
    extra: dict[str, Any] = field(default_factory=dict)


def load(folder: Path, *, verify_first: bool = True) -> LoadedBundle:
    """Read a bundle. ``verify_first=False`` only where it was verified just before and cannot have changed since.

    Raises what ``verify`` raises, BundleError for parts that do not fit together or that no plugin here can rebuild,
    and MissingExtra where a library is not installed.
    """
    folder = Path(folder)
    bundle = verify(folder) if verify_first else read_manifest(folder)
    content = _Content(folder, bundle, check=verify_first)
    try:
        task = Task.model_validate(content.json(layout.TASK))
    except ValidationError as error:
        raise BundleError(f"{layout.TASK} holds no task", "kind, classes, metric and target", _DAMAGED) from error
    if task.model_dump(mode="json") != bundle.task:
        raise TamperedError(
            f"{layout.TASK} and the manifest name different tasks", "the same task in both", "do not use this bundle"
        )
    records = {}
    for path in content.below(f"{layout.RECORDS}/"):
        envelope = content.json(path)
        if not isinstance(envelope, dict):
            raise BundleError(f"{path} holds no record", "an envelope", _DAMAGED)
        records[path.removeprefix(f"{layout.RECORDS}/").removesuffix(".json")] = envelope
    extra = content.json(layout.EXTRA) if layout.EXTRA in content.paths else {}
    if not isinstance(extra, dict):
        raise BundleError(f"{layout.EXTRA} holds no mapping", "names and values", _DAMAGED)
    parts = {entry.name: _rebuild(entry, content) for entry in bundle.parts}
    return LoadedBundle(bundle, parts, records, task, extra)


class _Content:
    """The files of a manifest; with ``check`` the very bytes that are used are hashed again as they are read."""

    def __init__(self, folder: Path, bundle: Bundle, *, check: bool) -> None:
        self.folder, self.check = folder, check
        self.paths = {e.path: e for e in bundle.files}

    def below(self, prefix: str) -> list[str]:
        return sorted(p for p in self.paths if p.startswith(prefix))

    def bytes(self, path: str) -> bytes:
        entry = self.paths[path]
        content = read_bounded(self.folder, path, entry.size)
        if self.check and hashlib.sha256(content).hexdigest() != entry.sha256:
            raise TamperedError(
                f"{path} changed while it was read", "the file of the manifest", "do not use this bundle"
            )
        return content

    def json(self, path: str) -> Any:
        content = self.bytes(path)
        if len(content) > layout.MAX_JSON_BYTES:
            raise BundleError(
                f"{path} of {len(content):,} bytes", f"at most {layout.MAX_JSON_BYTES:,} bytes of JSON", _DAMAGED
            )
        return parsed(content, path)


def _rebuild(entry: PartEntry, content: _Content) -> Persistable:
    described = content.json(f"{entry.folder}/{layout.PART}")
    if (
        not isinstance(described, dict)
        or described.get("part") != entry.part
        or not isinstance(described.get("json"), dict)
    ):
        raise BundleError(
            f"part {entry.name!r} does not describe itself as {entry.part!r}",
            "its registered name and its JSON",
            _DAMAGED,
        )
    arrays, files = f"{entry.folder}/{layout.ARRAYS}/", f"{entry.folder}/{layout.FILES}/"
    pieces = Parts(
        described["json"],
        {p.removeprefix(arrays).removesuffix(".npy"): read_npy(content.bytes(p), p) for p in content.below(arrays)},
        {p.removeprefix(files): content.bytes(p) for p in content.below(files)},
    )
    try:
        rebuilt: Persistable = plugins.load("holdgood.parts", entry.part).from_parts(pieces)
    except DeclarationError as error:
        raise BundleError(
            f"part {entry.name!r} cannot be rebuilt: {error.came}",
            "a part that is installed here",
            "install the plugin that it was made with",
        ) from error
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(
            f"part {entry.name!r} ({entry.part}) does not fit together: {error!r}", "what this part wrote", _DAMAGED
        ) from error
    return rebuilt


def read_npy(content: bytes, where: str) -> np.ndarray:
    """An array from the bytes of an .npy file of version 1.0: plain numbers, booleans or fixed-width text, exactly as
    long as it says.

    The header is checked before any value is looked at; objects (pickles) are refused.
    """
    header = _HEADER.match(content)
    if header is None:
        raise BundleError(f"{where} is no plain .npy file", "numbers, booleans or fixed-width text", _OBJECTS)
    try:
        dtype = np.dtype(header["descr"].decode())
    except TypeError as error:
        raise BundleError(f"{where} holds values of an unknown type", "numbers, booleans or text", _OBJECTS) from error
    shape = tuple(int(side) for side in re.findall(rb"\d+", header["shape"]))
    if dtype.itemsize == 0 or math.prod(side or 1 for side in shape) * dtype.itemsize > _ADDRESSABLE:
        # values without bytes: a few bytes would ask for any amount of memory
        raise BundleError(f"{where} says {shape} of {dtype.str}", "values of at least a byte, that fit", _DAMAGED)
    start = header.end()
    length = int.from_bytes(header["length"], "little")
    if start != 10 + length or math.prod(shape) * dtype.itemsize != len(content) - start:
        raise BundleError(
            f"{where} says {shape} of {dtype} and has {len(content) - start:,} bytes",
            "as many bytes as its shape",
            _DAMAGED,
        )
    if math.prod(shape) == 0:
        return np.zeros(shape, dtype)
    return np.frombuffer(content, dtype=dtype, offset=start).reshape(shape).copy()
