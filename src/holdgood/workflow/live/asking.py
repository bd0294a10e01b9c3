"""A server of a live folder as a child process, asked over HTTP as anybody would ask it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from holdgood.core.errors import EnvironmentFault, HoldgoodError

_COMMAND = (sys.executable, "-m", "holdgood.cli.app", "serve")
_ENDS_WITHIN_S = 20.0
_ANSWERS_WITHIN_S = 120.0


class Server:
    """``holdgood serve LIVE`` on a free port of this machine, with a token of its own."""

    def __init__(self, address: str, token: str) -> None:
        self.address, self._token = address, token

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What it answers. HoldgoodError with its own words where it refuses, EnvironmentFault where it is gone."""
        told = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        connection = HTTPConnection(self.address.removeprefix("http://"), timeout=_ANSWERS_WITHIN_S)
        try:
            connection.request("POST", path, json.dumps(body), told)
            reply = connection.getresponse()
            status, said = reply.status, reply.read()
        except OSError as error:
            raise EnvironmentFault(
                f"the server is gone: {error}", "one that answers", "run the same command again"
            ) from None
        finally:
            connection.close()
        if status >= 300:
            words = said.decode("utf-8", "replace")[:500]
            raise HoldgoodError(f"the server refused {path} ({status}): {words}", "an answer", "see its log")
        return dict(json.loads(said))

    def predict(self, model: str, rows: Sequence[Mapping[str, Any]], ids: Sequence[str]) -> list[dict[str, Any]]:
        """One answer a row. The same id again is answered as before."""
        return list(self.post(f"/models/{model}/predict", {"rows": list(rows), "ids": list(ids)})["answers"])

    def tell(self, model: str, labels: Sequence[Mapping[str, Any]]) -> int:
        """Outcomes, by the id of the prediction; how many were taken."""
        return int(self.post(f"/models/{model}/feedback", {"labels": list(labels)})["taken"])

    def follow(self) -> None:
        """Look now at what should be live, instead of within seconds."""
        self.post("/admin/reload", {})


@contextmanager
def served(live: Path, tables: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Start a server, and end it however the block ends. ``tables``: files of the joined tables; ``log``: where its log lines go."""
    made = subprocess.run(
        [*_COMMAND, "token", "new", str(live), "--role", "admin", "--name", "demo", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        raise EnvironmentFault(
            made.stderr.strip() or "no token", "holdgood with the extra 'serve'", "pip install 'holdgood[serve]'"
        )
    token = str(json.loads(made.stdout)["token"])
    given = [part for name, file in tables.items() for part in ("--table", f"{name}={file}")]
    with log.open("a", encoding="utf-8") as errors:
        child = subprocess.Popen(
            [*_COMMAND, "run", str(live), "--port", "0", "--rate", "0", *given],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield Server(_address(child, log), token)
        finally:
            child.terminate()
            try:
                child.wait(_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdout is not None:
                child.stdout.close()


def _address(child: subprocess.Popen[str], log: Path) -> str:
    """Where it says that it serves."""
    for line in child.stdout or ():
        found = next((word for word in line.split() if word.startswith("http://")), None)
        if found:
            return found.rstrip("/")
    raise EnvironmentFault("the server ended before it served", "a server", f"see {log.name} in {log.parent.name}")
