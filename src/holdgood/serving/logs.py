"""The server's log: a JSON object a line. What a request brought is never in it, only counts and names of our own."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

from holdgood.core.text import one_line


class Log:
    """Writes lines; a stream that is gone is no reason to stop answering."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._lock = threading.Lock()

    def __call__(self, event: str, level: str = "info", **told: Any) -> None:
        """One line. JSON escapes line ends and control characters, so that no line can be forged."""
        said = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, "event": event}
        line = orjson.dumps(said | told, default=lambda v: one_line(str(v)), option=orjson.OPT_NON_STR_KEYS).decode()
        try:
            with self._lock:
                self._stream.write(line + "\n")
                self._stream.flush()
        except (OSError, ValueError):
            pass

    def fault(self, event: str, error: BaseException, **told: Any) -> None:
        """An unexpected fault: its kind and where it happened. Its message may quote a row and is left out."""
        where = [
            f"{f.filename.rpartition('/holdgood/')[2]}:{f.lineno} {f.name}"
            for f in traceback.extract_tb(error.__traceback__)[-6:]
        ]
        self(event, "error", fault=type(error).__name__, where=where, **told)


class ThroughLog(logging.Handler):
    """What uvicorn logs, as a line of ours. Its tracebacks quote what a request brought and become places."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            self._log.fault("uvicorn failed", error)
        else:
            self._log("uvicorn", record.levelname.lower(), said=record.getMessage().partition("\n")[0])
