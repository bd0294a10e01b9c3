"""One object for all workers: written to disk once, its arrays mapped into every worker instead of copied."""

from __future__ import annotations

import pickle  # nosec B403 # arrays between this process and its own workers, see value()
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np

from holdgood.core.errors import EnvironmentFault

_KEPT = 2
_loaded: OrderedDict[str, Any] = OrderedDict()


@dataclass(frozen=True)
class Shared:
    """A ticket for an object: ``value()`` gives it back, in this process or in a worker. Arrays come back read-only."""

    stem: str
    spans: tuple[tuple[int, int], ...]

    def value(self) -> Any:
        """The object; loaded once a process and kept."""
        if self.stem in _loaded:
            _loaded.move_to_end(self.stem)
            return _loaded[self.stem]
        # These files are written by this very program into a private folder that dies with the pool; they are no model files.
        raw = np.memmap(f"{self.stem}.bin", dtype=np.uint8, mode="r")
        buffers = [raw[start:end] for start, end in self.spans]
        value = pickle.loads(Path(f"{self.stem}.pkl").read_bytes(), buffers=buffers)  # nosec B301 # noqa: S301
        _loaded[self.stem] = value
        while len(_loaded) > _KEPT:
            _loaded.popitem(last=False)
        return value

    def fresh(self) -> Any:
        """The object read anew, with arrays of its own: it outlives the folder."""
        raw = np.fromfile(f"{self.stem}.bin", dtype=np.uint8)
        buffers = [raw[start:end] for start, end in self.spans]
        return pickle.loads(Path(f"{self.stem}.pkl").read_bytes(), buffers=buffers)  # nosec B301 # noqa: S301

    def remove(self) -> None:
        """Delete its files."""
        for ending in ("bin", "pkl"):
            Path(f"{self.stem}.{ending}").unlink(missing_ok=True)


def put(value: Any, folder: Path, name: str) -> Shared:
    """Write an object for workers to map. Functions and classes of scripts and notebooks travel by value."""
    buffers: list[pickle.PickleBuffer] = []
    head = cloudpickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    stem = str(folder / name)
    spans = []
    try:
        Path(f"{stem}.pkl").write_bytes(head)
        with open(f"{stem}.bin", "wb") as file:
            for buffer in buffers:
                file.write(b"\0" * (-file.tell() % 64))  # aligned, as NumPy likes it
                start = file.tell()
                file.write(buffer.raw())
                spans.append((start, file.tell()))
            if file.tell() == 0:
                file.write(b"\0")  # an empty file cannot be mapped
    except OSError as error:
        raise EnvironmentFault(
            f"cannot hand the data to the workers: {error.strerror or error}",
            f"room for {len(head) + sum(len(b.raw()) for b in buffers):,} bytes in {folder.parent}",
            "free some space, or point TMPDIR to a larger disk",
        ) from error
    return Shared(stem, tuple(spans))
