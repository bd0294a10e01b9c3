"""What is measured: our server, a bare FastAPI route that only parses the same body, MLflow's and BentoML's servers. Each pinned to one core."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from own_cores import own_cores
from venvs import QUIET, python_of

BARE = """
import sys, uvicorn
from fastapi import FastAPI, Request
app = FastAPI()
@app.post("/predict")
async def predict(request: Request):
    return {"names": len(await request.json())}
@app.get("/healthz")
async def healthz():
    return {"ok": True}
uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False, log_level="warning")
"""
MLFLOW = """
import sys, json, lightgbm, mlflow, numpy, pandas
from mlflow.models import infer_signature
text, columns, folder = sys.argv[1:4]
frame = pandas.DataFrame(numpy.zeros((1, int(columns))), columns=[f"f{i}" for i in range(int(columns))])
booster = lightgbm.Booster(model_file=text)
mlflow.lightgbm.save_model(booster, folder, signature=infer_signature(frame, booster.predict(frame.to_numpy())))
"""
BENTO = """
import bentoml, lightgbm, numpy, os
@bentoml.service(workers=1)
class Boosted:
    def __init__(self):
        self.booster = lightgbm.Booster(model_file=os.environ["BOOSTER"])
    @bentoml.api(route="/predict")
    def predict(self, rows: list[list[float]]) -> list[float]:
        return self.booster.predict(numpy.array(rows), num_threads=1).tolist()
"""


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Subject:
    """A server process (with its children) on one core."""

    def __init__(
        self,
        command: list[str],
        port: int,
        core: int,
        *,
        at: Path,
        ready: str = "/healthz",
        environment: dict[str, str] | None = None,
    ) -> None:
        self.port = port
        with (at / "subject.log").open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=at, stdout=log, stderr=log, start_new_session=True, env={**os.environ, **QUIET, "OMP_NUM_THREADS": "1", **(environment or {})},
                preexec_fn=lambda: own_cores({core}),
            )  # fmt: skip
        for _ in range(1200):
            if self.process.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}", timeout=5)
                return
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise RuntimeError((at / "subject.log").read_text()[-2000:])

    def cpu(self) -> float:
        """CPU seconds so far, children included."""
        one = psutil.Process(self.process.pid)
        return sum(sum(p.cpu_times()[:2]) for p in [one, *one.children(recursive=True)])

    def resident(self) -> float:
        """Megabytes."""
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)

    def end(self, how: int = signal.SIGTERM) -> None:
        """End it and all that it began."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, how)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self) -> Subject:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def ours(bundle: Path, at: Path, core: int) -> tuple[Subject, str]:
    """Validation, tokens and journal on; nothing is switched off but the rate limit."""
    command = [sys.executable, "-m", "holdgood.cli.app", "serve"]
    made = subprocess.run(
        [*command, "token", "new", "--role", "predict", "--name", "bench"],
        cwd=at,
        capture_output=True,
        text=True,
        check=True,
    )
    port = free_port()
    return Subject(
        [*command, str(bundle), "--port", str(port), "--rate", "0", "--max-body", "8000000"], port, core, at=at
    ), made.stdout.strip()


def bare(at: Path, core: int) -> Subject:
    """The same uvicorn, the same loop, a route that parses the body."""
    (at / "bare.py").write_text(BARE)
    port = free_port()
    return Subject([sys.executable, "bare.py", str(port)], port, core, at=at)


def mlflow(model: Path, columns: int, at: Path, core: int) -> Subject:
    """``mlflow models serve`` with the same booster over encoded rows: it encodes nothing, checks types, journals nothing."""
    python = python_of("mlflow-serve")
    if not (at / "mlflow-model").exists():
        (at / "mlflow_save.py").write_text(MLFLOW)
        subprocess.run(
            [str(python), "mlflow_save.py", str(model), str(columns), "mlflow-model"],
            cwd=at,
            check=True,
            env={**os.environ, **QUIET},
        )
    port = free_port()
    command = [
        str(python),
        "-m",
        "mlflow",
        "models",
        "serve",
        "-m",
        "mlflow-model",
        "--env-manager",
        "local",
        "-p",
        str(port),
        "--workers",
        "1",
    ]
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    return Subject(command, port, core, at=at, ready="/ping", environment={"PATH": path})


def bentoml(model: Path, at: Path, core: int) -> Subject:
    """``bentoml serve`` with the same booster over encoded rows."""
    python = python_of("bentoml-serve")
    (at / "bento_service.py").write_text(BENTO)
    port = free_port()
    command = [str(python), "-m", "bentoml", "serve", "bento_service:Boosted", "--port", str(port)]
    home = {"BENTOML_HOME": str(at / "bentoml"), "BENTOML_DO_NOT_TRACK": "True", "BOOSTER": str(model)}
    return Subject(command, port, core, at=at, ready="/readyz", environment=home)


def encoded_bodies(matrix: np.ndarray, peer: str) -> list[bytes]:
    """Rows as a peer wants them; missing is null."""
    rows = [[None if v != v else v for v in row] for row in matrix.tolist()]
    if peer == "mlflow":
        names = [f"f{i}" for i in range(matrix.shape[1])]
        return [json.dumps({"dataframe_split": {"columns": names, "data": [row]}}).encode() for row in rows]
    return [json.dumps({"rows": [[0.0 if v is None else v for v in row]]}).encode() for row in rows]
