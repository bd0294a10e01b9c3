"""Write the reference pages that repeat what the code says: the command line, the declaration, checks and repairs, records.

Run ``python docs/generate.py`` after a change; ``python docs/generate.py --check`` (and tests/docs) say which page is stale.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer.main import get_command

from holdgood.cli.app import EPILOG, app
from holdgood.core import declaration, declared_live, plugins, records
from holdgood.core.declaration import Declaration

HERE = Path(__file__).resolve().parent
NOTE = "<!-- written by docs/generate.py: change the code, then run it again -->"


def main() -> int:
    """Write all pages, or with --check say which are stale; 1 if any is."""
    check = "--check" in sys.argv[1:]
    stale = [name for name, make in PAGES.items() if _read(HERE / name) != make()]
    for name in stale:
        if not check:
            (HERE / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"{'stale' if check else 'written'}: docs/{name}")
    return 1 if check and stale else 0


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


# ------------------------------------------------------------------------------------------------ command line


def cli() -> str:
    """Every command with its arguments and options."""
    group: Any = get_command(app)
    lines = ["# Command line", "", NOTE, "", str(group.help), ""]
    lines += ["| Command | What it does |", "|---|---|"]
    every = dict(_commands(group))
    lines += [f"| [`{n}`](#{n.replace(' ', '-')}) | {_cell(_first(c.help))} |" for n, c in every.items()]
    lines += ["", f"`holdgood --version` prints the version. `-h` and `--help` work everywhere.\n\n{EPILOG}."]
    lines += ["", "`HOLDGOOD_DEBUG=1` adds the stack trace to an unexpected fault.", ""]
    for name, command in every.items():
        lines += [f"## {name}", "", str(command.help), "", "```text", f"{_usage(name, command)}", "```", ""]
        hints = get_type_hints(command.callback)
        arguments = [p for p in command.params if not p.opts[0].startswith("-")]
        options = [p for p in command.params if p.opts[0].startswith("-")]
        if arguments:
            lines += ["| Argument | Meaning | Default |", "|---|---|---|"]
            lines += [f"| `{p.name.upper()}` | {_cell(p.help or '')} | {_given(p)} |" for p in arguments]
            lines += [""]
        if options:
            lines += ["| Option | Meaning | Default |", "|---|---|---|"]
            lines += [f"| {_names(p, hints)} | {_cell(p.help or '')} | {_given(p)} |" for p in options]
            lines += [""]
    return "\n".join(lines)


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its whole name, those of a group among them."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield before + name, command


def _usage(name: str, command: Any) -> str:
    words = [f"holdgood {name} [OPTIONS]"]
    for p in command.params:
        if not p.opts[0].startswith("-"):
            word = p.name.upper() + ("..." if p.nargs == -1 else "")
            words.append(word if p.required else f"[{word}]")
    return " ".join(words)


def _names(option: Any, hints: dict[str, Any]) -> str:
    value = "" if option.is_flag else f" {_value(hints.get(option.name, str))}"
    return ", ".join(f"`{o}{value}`" for o in sorted(option.opts, key=len, reverse=True)) + (
        " (repeat)" if option.multiple else ""
    )


def _value(hint: Any) -> str:
    inner = next((a for a in get_args(hint) if a is not type(None)), hint) if get_args(hint) else hint
    return {Path: "PATH", int: "N", float: "X"}.get(inner, "TEXT")


def _given(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if parameter.default in (None, False, ()):
        return ""
    return "this folder" if parameter.default == Path() else f"`{parameter.default}`"


# ------------------------------------------------------------------------------------------------- declaration


def declared_fields(model: type[BaseModel] = Declaration, at: str = "") -> Iterator[tuple[str, FieldInfo, type | None]]:
    """Every field of the declaration: dotted path, field, and the section that it holds, if it does."""
    for name, field in model.model_fields.items():
        section, way = _section(field.annotation)
        path = f"{at}{name}{way}"
        yield path, field, section
        if section is not None:
            yield from declared_fields(section, path + ".")


def _section(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """The section inside a field's type, and how to write the way to it: ``.NAME`` for a mapping, ``[]`` for a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return next((found for a in inside if (found := _section(a))[0] is not None), (None, ""))
    if origin in (dict, list) and isinstance(inside[-1], type) and issubclass(inside[-1], BaseModel):
        return inside[-1], ".NAME" if origin is dict else "[]"
    return None, ""


def declaration_page() -> str:
    """Every section and field with type, default and meaning."""
    lines = ["# Declaration", "", NOTE, "", _doc(declaration), ""]
    lines += [
        "`holdgood init TABLE…` writes a first file with its guesses as comments, and a JSON schema beside it for editors."
    ]
    lines += ["An unknown name is an error with a suggestion. The smallest useful file is a table and a target:", ""]
    lines += ["```toml", "[task]", 'target = "late"', "", "[tables.orders]", 'source = "orders.parquet"', "```", ""]
    lines += [
        "From Python the same objects are `holdgood.Declaration`, `holdgood.Costs` and their kin, or a plain mapping.",
        "",
    ]
    lines += _section_lines("Top level", Declaration)
    for path, _, section in declared_fields():
        if section is not None:
            lines += _section_lines(_heading(path), section)
    return "\n".join(lines)


def live_page() -> str:
    """Every section and field of live.toml."""
    lines = ["# Live settings", "", NOTE, "", _doc(declared_live), ""]
    lines += [
        "`holdgood promote` makes a live folder with a first `live.toml`. An unknown name is an error with a suggestion.",
        "",
    ]
    lines += _section_lines("Top level", declared_live.LiveSpec)
    for path, _, section in declared_fields(declared_live.LiveSpec):
        if section is not None:
            lines += _section_lines(_heading(path), section)
    return "\n".join(lines)


def _heading(path: str) -> str:
    return f"[[{path[:-2]}]]" if path.endswith("[]") else f"[{path}]"


def _section_lines(title: str, model: type[BaseModel]) -> list[str]:
    doc = _doc(model)
    lines = [f"## `{title}`" if title.startswith("[") else f"## {title}", "", doc, ""]
    lines += ["| Name | Type | Default | Meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        lines.append(f"| `{name}` | {_type(field)} | {_default(field)} | {_cell(meaning(field))} |")
    return [*lines, ""]


def meaning(field: FieldInfo) -> str:
    """What a field is for, with its bounds."""
    said = field.description or ""
    signs = (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
    bounds = [f"{word} {getattr(rule, sign)}" for rule in field.metadata for sign, word in signs if hasattr(rule, sign)]
    return (said + (f" ({', '.join(bounds)})" if bounds else "")).replace("``", "`")


def _type(field: FieldInfo) -> str:
    return _cell(f"`{_spelled(field.annotation)}`")


def _spelled(annotation: Any) -> str:
    section, way = _section(annotation)
    if section is not None:
        return {"": "section", ".NAME": "sections by name", "[]": "list of sections"}[way]
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(repr(a) if not isinstance(a, str) else f'"{a}"' for a in inside)
    if origin in (Union, types.UnionType):
        return " or ".join(_spelled(a) for a in inside if a is not type(None))
    if origin is list:
        return f"list of {_spelled(inside[0])}"
    if origin is tuple:
        return f"list of {_spelled(inside[0])}" if len(inside) == 2 and inside[1] is ... else "list"
    if origin is dict:
        return f"table of {_spelled(inside[1])}"
    names = {str: "text", float: "number", int: "whole number", bool: "true or false", Any: "anything"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or isinstance(value, BaseModel) or value in ([], {}, ""):
        return ""
    if value != value:  # NaN: nothing was measured
        return ""
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value!r}`".replace("'", '"')


# ------------------------------------------------------------------------------------------- checks and repairs


def own(group: str) -> dict[str, Any]:
    """Our own parts of a group by name; a guest's installed beside us have pages of their own."""
    found = plugins.load_all(group)
    return {n: p for n, p in sorted(found.items()) if _module(p).startswith("holdgood.")}


def _module(part: Any) -> str:
    return (part if isinstance(part, type) else type(part)).__module__


def checks() -> str:
    """Every registered check, repair, model family, connector and detector."""
    lines = ["# Checks and repairs", "", NOTE, ""]
    lines += [
        "Every check ends as exactly one of *issue*, *tip*, *passed*, *not applicable*, *skipped*, *ignored*: silence is never ambiguous."
    ]
    lines += [
        "A check of the *tables* pass looks at no target. A check of the *target* pass sees development rows only.",
        "",
    ]
    lines += [
        "To ignore one, say who and why:",
        "",
        "```toml",
        "[[audit.ignore]]",
        'code = "AUD003"',
        'who = "R. Meier"',
    ]
    lines += ['why = "one plant only, on purpose"', "```", ""]
    found = own("holdgood.checks")
    lines += ["| Code | Title | Pass |", "|---|---|---|"]
    lines += [f"| [`{c}`](#{c.lower()}) | {_cell(p.title)} | {p.scope} |" for c, p in found.items()]
    lines += ["", "## Checks", ""]
    for code, check in found.items():
        proposes = list(
            dict.fromkeys(re.findall(r'repair="([a-z-]+)"', inspect.getsource(sys.modules[_module(check)])))
        )
        lines += [f"### {code}", "", f"**{check.title}** · {check.scope} pass", "", _doc(type(check)), ""]
        method = _doc(check.run)
        lines += [method, ""] if method else []
        if proposes:
            lines += ["Proposes: " + ", ".join(f"[`{r}`](#{r})" for r in proposes) + ".", ""]
    lines += [
        "## Repairs",
        "",
        "A repair is declared, looks at no target, learns nothing, and counts every cell that it changes:",
        "",
    ]
    lines += ["```toml", "[[repairs]]", 'repair = "sentinel-to-missing"', 'table = "orders"', 'columns = ["weight_kg"]']
    lines += ["parameters = { values = [-999] }", 'why = "AUD007: the scale writes -999 when it is off"', "```", ""]
    for name, repair in own("holdgood.repairs").items():
        lines += [f"### {name}", "", f"**{repair.title}**", "", _doc(type(repair)), "", _doc(repair.apply), ""]
    lines += ["## Model families", "", "| Family | Rung | Kinds | What it is |", "|---|---|---|---|"]
    families = sorted(own("holdgood.models").items(), key=lambda item: item[1].rung)
    lines += [f"| `{n}` | {f.rung} | {', '.join(f.kinds)} | {_cell(_first(_doc(f)))} |" for n, f in families]
    lines += ["", "## Connectors", "", "| Connector | Answers to | What it reads |", "|---|---|---|"]
    for name, connector in own("holdgood.connectors").items():
        answers = [f"`{s}`" for s in connector.suffixes] + [f"`{s}://`" for s in connector.schemes]
        lines.append(f"| `{name}` | {' '.join(answers)} | {_cell(_flat(_doc(type(connector))))} |")
    lines += ["", "## Detectors", "", "| Code | Title | What it watches |", "|---|---|---|"]
    lines += [
        f"| `{c}` | {_cell(d.title)} | {_cell(_flat(_doc(type(d))))} |" for c, d in own("holdgood.detectors").items()
    ]
    return "\n".join([*lines, ""])


# ------------------------------------------------------------------------------------------------------ records


def records_page() -> str:
    """Every record and its parts, with their fields."""
    lines = [
        "# Records",
        "",
        NOTE,
        "",
        "Rooms hand each other frozen, typed records. On disk each travels in an envelope:",
        "",
    ]
    lines += [
        "```json",
        '{"kind": "split", "schema": 1, "created_utc": "…", "producer": {"…": "…"}, "payload": {"…": "…"}}',
        "```",
        "",
    ]
    lines += ["NaN is `null` on disk. A record of an older schema is upgraded when it is read; a newer one is refused."]
    lines += [
        "From Python a run gives them: `run.audit`, `run.split`, `run.leaderboard`, `run.holdout`, `run.fairness`, `run.verdict` …",
        "",
    ]
    models = [getattr(records, n) for n in records.__all__ if n not in ("Record", "Part")]
    whole = [m for m in models if issubclass(m, records.Record)]
    lines += ["## Records", ""]
    for model in whole:
        lines += _record_lines(model, f" · kind `{model.kind}` · schema {model.schema_number}")
    lines += ["## Parts of records", ""]
    for model in models:
        if model not in whole:
            lines += _record_lines(model, "")
    return "\n".join(lines)


def _record_lines(model: Any, remark: str) -> list[str]:
    lines = [f"### {model.__name__}", "", _doc(model) + remark, "", "| Field | Type | Default |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        lines.append(f"| `{name}` | {_cell(f'`{_shape(field.annotation)}`')} | {_default(field)} |")
    return [*lines, ""]


def _shape(annotation: Any) -> str:
    """A record's type in words; other records by their name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation.__name__
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(_shape(a) for a in inside if a is not type(None))
    if origin is tuple:
        return f"list of {_shape(inside[0])}"
    if origin is dict:
        return f"table of {_shape(inside[1])}"
    if origin is not None and hasattr(annotation, "__metadata__"):
        return _shape(inside[0])
    return _spelled(annotation)


# -------------------------------------------------------------------------------------------------------- words


def _doc(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").replace("``", "`")


def _flat(text: str) -> str:
    return " ".join(text.split())


def _first(text: str | None) -> str:
    return (text or "").strip().split("\n\n")[0].replace("\n", " ")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


PAGES: dict[str, Callable[[], str]] = {
    "reference/cli.md": cli,
    "reference/declaration.md": declaration_page,
    "reference/live.md": live_page,
    "reference/checks.md": checks,
    "reference/records.md": records_page,
}

if __name__ == "__main__":
    sys.exit(main())
