"""For all tests: a real PostgreSQL server of our own, and what a test file defines travels to workers by value.

By name it would be looked up as ``tests.…`` there, and some libraries install a package of that name.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import cloudpickle
import pytest


@pytest.fixture(autouse=True, scope="module")
def _by_value(request):
    cloudpickle.register_pickle_by_value(request.module)
    yield
    cloudpickle.unregister_pickle_by_value(request.module)


_OTHER_USERS = ("postgres", "nobody")


def _binary(name: str) -> str | None:
    places = (
        sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
        if Path("/usr/lib/postgresql").exists()
        else []
    )
    return shutil.which(name) or (str(places[0]) if places else None)


def _no_server(reason: str):
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI needs a PostgreSQL server: {reason}")
    pytest.skip(f"no PostgreSQL server: {reason}")


def _as_other(user: str | None, command: list[str]) -> list[str]:
    if user is None:
        return command
    if shutil.which("runuser"):
        return ["runuser", "-u", user, "--", *command]
    return ["su", user, "-s", "/bin/sh", "-c", " ".join(f"'{c}'" for c in command)]


@pytest.fixture(scope="session")
def postgres():
    """URL of an empty database on a running server; password ``s3cret/x`` is in PGPASSWORD form only."""
    initdb, pg_ctl = _binary("initdb"), _binary("pg_ctl")
    if not initdb or not pg_ctl:
        _no_server("initdb and pg_ctl were not found")
    user = None
    if os.geteuid() == 0:
        users = [u for u in _OTHER_USERS if subprocess.run(["id", u], capture_output=True).returncode == 0]
        if not users:
            _no_server("it does not run as root, and there is no other user")
        user = users[0]
    # A short path of its own: a unix socket's path may have 107 characters, and pytest's folders are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if user:
        shutil.chown(folder, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "pw").write_text("s3cret/x")
    if user:
        shutil.chown(folder / "pw", user)
    data = folder / "data"
    make = [
        initdb,
        "-D",
        str(data),
        "-U",
        "ann",
        "-A",
        "scram-sha-256",
        f"--pwfile={folder / 'pw'}",
        "-E",
        "UTF8",
        "--locale=C",
        "-N",
    ]
    made = subprocess.run(_as_other(user, make), capture_output=True, text=True, cwd=folder)
    settings = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c timezone=Asia/Tokyo"
    start = [pg_ctl, "-D", str(data), "-o", settings, "-l", str(folder / "log"), "-w", "-t", "30", "start"]
    try:
        if made.returncode:
            _no_server(made.stderr.strip()[-300:])
        # Not captured: the server keeps the pipes open, and reading them would never end.
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if subprocess.run(_as_other(user, start), cwd=folder, **quiet).returncode:
            _no_server((folder / "log").read_text()[-300:])
        yield f"postgresql://ann:s3cret%2Fx@127.0.0.1:{port}/postgres"
        subprocess.run(_as_other(user, [pg_ctl, "-D", str(data), "-m", "immediate", "stop"]), cwd=folder, **quiet)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
