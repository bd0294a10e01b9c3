"""What the code says is in the reference: commands, options, fields, checks, records, exported names."""

import subprocess
import sys

import holdgood
from holdgood.core import plugins, records
from holdgood.core.declaration import Declaration


def test_generated_pages_are_up_to_date(generate, root):
    for name, make in generate.PAGES.items():
        assert (root / "docs" / name).read_text(encoding="utf-8") == make(), (
            f"docs/{name} is stale: python docs/generate.py"
        )


def test_check_says_nothing_where_nothing_is_stale(root):
    done = subprocess.run([sys.executable, root / "docs" / "generate.py", "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_stale_page_is_named_and_exits_with_one(generate, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generate, "HERE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    assert generate.main() == 1
    assert "stale: docs/reference/cli.md" in capsys.readouterr().out
    assert not list(tmp_path.rglob("*.md"))
    (tmp_path / "reference").mkdir()
    monkeypatch.setattr(sys, "argv", ["generate.py"])
    assert generate.main() == 0
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    assert generate.main() == 0


def test_every_command_argument_and_option_is_documented(generate, pages):
    from typer.main import get_command

    from holdgood.cli.app import app

    page = pages["docs/reference/cli.md"]
    group = get_command(app)
    assert len(group.commands) >= 14
    for name, command in generate._commands(group):
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        for parameter in command.params:
            assert parameter.help or parameter.name == "seed", f"{name}: {parameter.name} has no help"
            for word in parameter.opts:
                shown = word if word.startswith("-") else word.upper()
                assert f"`{shown}" in section or f"{shown}" in section.split("|")[0], (
                    f"{name}: {word} is not documented"
                )


def test_every_exit_code_of_the_errors_is_documented(pages):
    from holdgood.core.errors import HoldgoodError

    def below(kind):
        return {kind.exit_code}.union(*(below(k) for k in kind.__subclasses__()))

    for page in ("README.md", "docs/reference/cli.md"):
        line = " ".join(pages[page].split()).split("Exit codes: ")[1][:400]
        for code in below(HoldgoodError):
            assert f"{code} " in line, f"{page}: exit code {code}"


def test_every_field_of_the_declaration_is_documented_with_a_meaning(generate, pages):
    page = pages["docs/reference/declaration.md"]
    fields = list(generate.declared_fields())
    assert {p.split(".")[0].removesuffix("[]") for p, _, _ in fields} == set(Declaration.model_fields)
    for path, field, _ in fields:
        name = path.removesuffix("[]").removesuffix(".NAME").split(".")[-1]
        assert f"| `{name}` |" in page, path
        assert (field.description or "").strip(), f"{path} has no description"


def test_every_check_repair_model_connector_and_detector_is_documented(generate, pages):
    page = pages["docs/reference/checks.md"]
    for group in ("checks", "repairs", "models", "connectors", "detectors"):
        own = generate.own(f"holdgood.{group}")
        assert set(own) == {n for n in plugins.names(f"holdgood.{group}") if n in own}
        assert own
        for name in own:
            assert f"### {name}\n" in page or f"| `{name}` |" in page, f"{group}: {name}"
    for code, check in generate.own("holdgood.checks").items():
        assert check.title in page.split(f"### {code}\n")[1].split("###")[0]


def test_every_record_is_documented(pages):
    page = pages["docs/reference/records.md"]
    for name in records.__all__:
        model = getattr(records, name)
        if name not in ("Record", "Part"):
            section = page.split(f"\n### {name}\n")[1].split("\n### ")[0]
            assert all(f"| `{field}` |" in section for field in model.model_fields), name


def test_every_exported_name_is_on_the_python_page(pages):
    for name in holdgood.__all__:
        assert f"`hg.{name}`" in pages["docs/reference/python.md"], name
