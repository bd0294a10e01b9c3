"""What is deployed is held to rules: no root, no default password, a named base, a health check that exists, secrets from files."""

import configparser
import re
import shlex
import shutil
import subprocess
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from holdgood.cli.app import app
from holdgood.core.errors import EnvironmentFault

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NAMED = re.compile(r"^docker\.io/library/[a-z]+:\d+\.\d+(\.\d+)?(-[a-z]+)+(@sha256:[0-9a-f]{64})?$")


def instructions():
    """Pairs of instruction and argument, lines that go on joined."""
    text = re.sub(r"^\s*#.*$", "", (DEPLOY / "Containerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip()]


def last_stage():
    found = instructions()
    begins = [i for i, (word, _) in enumerate(found) if word == "FROM"]
    return found[begins[-1] :]


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_bases_are_named_to_the_patch_and_never_latest(compose):
    bases = [argument.split()[0] for word, argument in instructions() if word == "FROM"]
    assert len(bases) == 2
    for base in [*bases, compose["services"]["journal"]["image"]]:
        assert NAMED.match(base), base


def test_the_image_runs_as_nobody_in_particular_from_a_copied_environment():
    stage = last_stage()
    users = [argument for word, argument in stage if word == "USER"]
    assert len(users) == 1
    uid, gid = users[0].split(":")
    assert int(uid) >= 10_000 and int(gid) >= 10_000
    after = [word for word, _ in stage[[w for w, _ in stage].index("USER") :]]
    assert not {"RUN", "COPY", "ADD"} & set(after), "nothing is installed as that user"
    assert not any(word == "ADD" for word, _ in instructions()), "nothing is fetched from an address"
    assert "pip" not in " ".join(a for w, a in stage if w == "RUN"), "no installer runs in what is shipped"


def test_no_secret_is_in_the_image_or_its_context():
    for word, argument in instructions():
        if word in ("ENV", "ARG", "LABEL"):
            assert not re.search(r"password|pgpass|secret|token|key", argument, re.IGNORECASE), argument
    ignored = (DEPLOY / "Containerfile.dockerignore").read_text().split()
    assert ignored.index("*") < min(i for i, line in enumerate(ignored) if line.startswith("!"))
    kept = {line[1:] for line in ignored if line.startswith("!")}
    copied = {p for w, a in instructions() if w == "COPY" and "--from" not in a for p in a.split()[:-1]}
    assert kept == copied
    assert not kept & {"deploy", "demo", ".git"}
    ours = (DEPLOY.parent / ".gitignore").read_text().splitlines()
    assert {"/deploy/live/", "/deploy/secrets/"} <= set(ours)


def test_what_the_image_copies_is_there():
    for word, argument in instructions():
        if word == "COPY" and "--from" not in argument:
            for path in argument.split()[:-1]:
                assert (DEPLOY.parent / path).exists(), path


def test_what_is_installed_are_extras_that_there_are():
    import tomllib

    declared = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = re.search(r"\[([a-z,]+)\]", " ".join(a for w, a in instructions() if w == "RUN")).group(1).split(",")
    assert set(asked) <= set(declared)


def commands(compose):
    """The command lines of holdgood that are started."""
    image = next(a for w, a in last_stage() if w == "CMD")
    unit = re.search(r"^ExecStart=\S+/holdgood (.*)$", (DEPLOY / "holdgood.service").read_text(), re.MULTILINE)
    return [yaml.safe_load(image), compose["services"]["holdgood"]["command"], shlex.split(unit.group(1))]


def test_commands_are_those_of_the_command_line(compose):
    from typer.main import get_command

    served = get_command(app).commands["serve"]
    run = served.commands["run"] if hasattr(served, "commands") else served
    known = {o for p in run.params for o in p.opts}
    for line in commands(compose):
        assert line[0] == "serve"
        assert {word for word in line if word.startswith("--")} <= known
        assert "--open" not in line, "tokens are asked for"
        if "0.0.0.0" in line:
            names = [after for word, after in pairwise(line) if word == "--allow-host"]
            assert "127.0.0.1" in names, "the health check asks by this name"


def test_the_watch_in_compose_is_the_command_and_as_confined_as_the_server(compose):
    from typer.main import get_command

    watch, server = compose["services"]["watch"], compose["services"]["holdgood"]
    known = {o for p in get_command(app).commands["watch"].params for o in p.opts}
    assert watch["command"][:2] == ["watch", "/live"]
    assert {word for word in watch["command"] if word.startswith("--")} <= known
    assert "--every" in watch["command"], "it goes on as a service"
    own = {"command", "ports", "build", "healthcheck"}
    assert {k: v for k, v in watch.items() if k not in own} == {k: v for k, v in server.items() if k not in own}
    assert "ports" not in watch


def test_a_start_without_its_journal_is_tried_again_for_as_long_as_it_takes(compose):
    """After a machine has started, the server may be there before its database, under systemd and in containers."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(DEPLOY / "holdgood.service")
    assert (unit["Service"]["Restart"], unit["Unit"]["StartLimitIntervalSec"]) == ("on-failure", "0")
    assert {compose["services"][name]["restart"] for name in ("holdgood", "watch", "journal")} == {"unless-stopped"}
    guide = (DEPLOY.parent / "docs" / "operations" / "server.md").read_text()
    assert (
        f"exit code {EnvironmentFault.exit_code}" in guide and f"every {unit['Service']['RestartSec']} seconds" in guide
    )


def test_the_health_check_asks_a_path_that_the_server_has():
    path = re.search(r"http://127\.0\.0\.1:8000(/\w+)", next(a for w, a in last_stage() if w == "HEALTHCHECK")).group(1)
    assert path == "/healthz"
    server = Path(find_spec("holdgood.serving.server").origin).read_text()
    assert f'Route("{path}", "GET"' in server


def test_the_health_check_is_kept_by_podman_too(compose):
    """Podman's own image format has no health check: the build asks for docker's, and the compose file says the check once more."""
    built = [
        line
        for file in (DEPLOY / "Containerfile", DEPLOY.parent / "docs" / "how-to" / "deploy.md")
        for line in file.read_text().splitlines()
        if "podman build" in line
    ]
    assert len(built) >= 2
    assert all("--format docker" in line and "-t holdgood:0.1.0" in line for line in built), built
    options, command = next(a for w, a in last_stage() if w == "HEALTHCHECK").split("CMD", 1)
    check = compose["services"]["holdgood"]["healthcheck"]
    assert check["test"] == ["CMD", *yaml.safe_load(command)]
    for option in shlex.split(options):
        name, value = option.removeprefix("--").split("=")
        assert str(check[name.replace("-", "_")]) == value


def test_nothing_is_compiled_anew_by_every_health_check_and_no_installer_is_shipped():
    """The base has no compiled standard library, and the user can write none."""
    stage = " ".join(a for w, a in last_stage() if w == "RUN")
    version = re.search(r"python:(\d+\.\d+)\.", last_stage()[0][1]).group(1)
    assert f"python -m compileall -q /usr/local/lib/python{version}" in stage
    build = " ".join(a for w, a in instructions()[: -len(last_stage())] if w == "RUN")
    assert build.rstrip().endswith("pip uninstall --yes setuptools pip")


def test_the_database_is_healthy_when_it_answers_by_tcp(compose):
    """While it is first made a server answers on the socket, and is then stopped."""
    assert "--host=127.0.0.1" in compose["services"]["journal"]["healthcheck"]["test"]


def test_the_steps_in_the_head_of_the_compose_file_are_in_an_order_that_works():
    lines = [
        line.lstrip("# ") for line in (DEPLOY / "compose.yaml").read_text().split("name: holdgood")[0].splitlines()
    ]
    first = next(i for i, line in enumerate(lines) if line.startswith("podman compose"))
    before = "\n".join(lines[:first])
    assert "export HOLDGOOD_HOST=" in before, "the file is refused without it"
    assert "chown 10001:10001 live secrets/journal_password" in before, "the user of the container reads the password"


def test_the_server_in_compose_is_confined_and_listens_on_loopback(compose):
    service = compose["services"]["holdgood"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["user"] == next(a for w, a in last_stage() if w == "USER")
    assert {v.split(":")[1] for v in service["volumes"]} == {"/live"}
    assert service["depends_on"]["journal"]["condition"] == "service_healthy"


def test_there_is_no_default_password_and_none_in_the_file(compose):
    text = (DEPLOY / "compose.yaml").read_text()
    for name, service in compose["services"].items():
        for key, value in service.get("environment", {}).items():
            assert not re.search(r"pass|secret", key, re.IGNORECASE) or key.endswith("_FILE"), (name, key)
            assert not re.search(r"://[^/@]*:[^/@]+@", str(value)), "no password in an address"
        assert service["secrets"] == ["journal_password"]
    assert set(compose["secrets"]["journal_password"]) == {"file"}
    assert not re.search(r"PASSWORD[^}\n]*:-", text), "a variable with a password as its default"
    assert "trust" not in compose["services"]["journal"]["environment"]["POSTGRES_INITDB_ARGS"]
    assert compose["services"]["journal"]["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/journal_password"


def test_the_database_is_reached_by_nobody_else(compose):
    journal = compose["services"]["journal"]
    assert "ports" not in journal
    assert journal["networks"] == ["inside"]
    assert compose["networks"]["inside"]["internal"] is True
    assert journal["healthcheck"]["test"][1] == "pg_isready"


def test_the_password_reaches_the_process_and_not_its_command_line(compose, tmp_path):
    """The entry point as a shell runs it, with a program in holdgood's place."""
    entry = [part.replace("$$", "$") for part in compose["services"]["holdgood"]["entrypoint"]]
    (tmp_path / "password").write_text("s3cret x\n")
    fake = tmp_path / "holdgood"
    fake.write_text('#!/bin/sh\necho "$PGPASSWORD|$*"\n')
    fake.chmod(0o755)
    script = entry[2].replace("/run/secrets/journal_password", str(tmp_path / "password"))
    said = subprocess.run(
        [entry[0], entry[1], script, entry[3], "serve", "/live", "a b"],
        capture_output=True, text=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip
    assert said.stdout == "s3cret x|serve /live a b\n"
    away = [entry[0], entry[1], script.replace("/password", "/away"), entry[3], "serve"]
    said = subprocess.run(away, capture_output=True, text=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert said.returncode != 0
    assert said.stdout == "", "nothing starts without its password"


UNIT = ("NoNewPrivileges=yes", "ProtectSystem=strict", "User=holdgood", "CapabilityBoundingSet=", "PrivateTmp=yes")


def test_the_unit_is_confined_and_holds_no_secret():
    text = (DEPLOY / "holdgood.service").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert set(UNIT) <= set(lines)
    assert not [line for line in lines if re.search(r"password", line, re.IGNORECASE)]
    assert any(line.startswith("EnvironmentFile=-/etc/holdgood/") for line in lines)


def test_the_unit_is_one_that_systemd_takes(tmp_path):
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("no systemd-analyze")
    text = (DEPLOY / "holdgood.service").read_text()
    unit = tmp_path / "holdgood.service"
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE))
    said = subprocess.run([tool, "verify", str(unit)], capture_output=True, text=True)
    assert "holdgood.service" not in said.stderr, said.stderr
