"""LightGBM's road for one row at a time: the library's settings are parsed once, not a call. Same numbers, half the time.

Used where the library offers it (C interface of version 4); elsewhere the row goes the common way.
"""

from __future__ import annotations

import ctypes
import threading
from array import array
from collections.abc import Sequence

import lightgbm
import numpy as np

_NORMAL, _FLOAT64 = 0, 1


class SingleRow:
    """Answers for one row of a fixed width. The library works in a space of its own, so one row is answered at a time."""

    def __init__(self, native: lightgbm.Booster, columns: int) -> None:
        self._native = native  # its handle must outlive this
        self._lock = threading.Lock()
        self._outputs = native.num_model_per_iteration()
        self._out, self._length = (ctypes.c_double * self._outputs)(), ctypes.c_int64()
        self._out_at, self._length_at = ctypes.addressof(self._out), ctypes.addressof(self._length)
        self._setup = self._begin(columns)

    def _begin(self, columns: int) -> ctypes.c_void_p | None:
        library, handle = getattr(lightgbm.basic, "_LIB", None), getattr(self._native, "_handle", None)
        begin = getattr(library, "LGBM_BoosterPredictForMatSingleRowFastInit", None)
        if begin is None or handle is None or library is None:
            return None
        self._ask = library["LGBM_BoosterPredictForMatSingleRowFast"]  # an object of our own: others are told no types
        self._ask.argtypes = [ctypes.c_void_p] * 4
        self._end = library.LGBM_FastConfigFree
        setup = ctypes.c_void_p()
        failed = begin(
            handle, ctypes.c_int(_NORMAL), ctypes.c_int(0), ctypes.c_int(-1), ctypes.c_int(_FLOAT64),
            ctypes.c_int32(columns), ctypes.c_char_p(b"num_threads=1"), ctypes.byref(setup),
        )  # fmt: skip
        return None if failed else setup

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """``values``: float64, C-contiguous, (1, columns); gives (1,), or (1, k) where the model has several outputs."""
        said = None if self._setup is None else self._said(values.ctypes.data)
        return self._commonly(values) if said is None else np.array(said if self._outputs == 1 else [said])

    def of(self, row: Sequence[float]) -> np.ndarray:
        """The same for the cells of a row, as many as there are columns."""
        cells = array("d", row)
        said = None if self._setup is None else self._said(cells.buffer_info()[0])
        return self._commonly(np.array([row])) if said is None else np.array(said if self._outputs == 1 else [said])

    def _said(self, address: int) -> list[float] | None:
        with self._lock:
            failed = self._ask(self._setup, address, self._length_at, self._out_at)
            said: list[float] = self._out[:]
            return None if failed or self._length.value != self._outputs else said

    def _commonly(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(self._native.predict(values, num_threads=1), dtype=np.float64)

    def __del__(self) -> None:
        if getattr(self, "_setup", None) is not None:
            self._end(self._setup)
