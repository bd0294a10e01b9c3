"""Put real outputs into the pages: run every command that a page shows in a copy of a finished demo project, and take the report's picture.

    holdgood demo demo/flights
    python docs/capture.py demo/flights                      # all pages
    python docs/capture.py demo/flights tutorials/life.md    # one of them, no picture

A page marks what it wants with ``<!-- run: COMMAND -->`` (or ``<!-- run N: COMMAND -->`` for the first N lines) above a fenced block, which is
rewritten. ``<!-- show: FILE -->`` puts a file that a command has written, ``<!-- show N: FILE -->`` its first N lines.
``<!-- project: NAME -->`` on a page takes the project of that name beside the one given (``holdgood demo --forecast`` makes ``demo/industry``,
``holdgood demo live`` makes ``demo/live``).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
MARK = re.compile(
    r"^<!-- (?P<how>run|show)(?: (?P<first>\d+))?: (?P<what>.+?) -->\n```(?P<kind>\w*)\n.*?^```$", re.M | re.S
)
PROJECT = re.compile(r"^<!-- project: (?P<name>\w+) -->$", re.M)


def pages() -> list[Path]:
    """Every page that may show an output, in the order of the documentation."""
    return [HERE.parent / "README.md", *sorted(HERE.rglob("*.md"))]


def main() -> None:
    """Rewrite the marked blocks of all pages, then take the picture."""
    source = Path(sys.argv[1] if len(sys.argv) > 1 else "demo/flights").resolve()
    if not (source / "runs").is_dir():
        sys.exit(f"no finished run under {source}: run `holdgood demo` first")
    named = tuple(sys.argv[2:])
    for page in (p for p in pages() if not named or p.as_posix().endswith(named)):
        before = page.read_text(encoding="utf-8")
        if not MARK.search(before):
            continue
        other = PROJECT.search(before)
        at = source.parent / other["name"] if other else source
        if not (at / "runs").is_dir():
            print(f"left as it is: {page.relative_to(HERE.parent)}, there is no finished run under {at.name}")
            continue
        with tempfile.TemporaryDirectory() as scratch:  # a fresh copy a page: each can be read, and followed, alone
            project = Path(scratch) / at.name
            shutil.copytree(at, project)
            after = MARK.sub(partial(_block, project), before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"rewritten: {page.relative_to(HERE.parent)}")
    if named:
        return
    picture(newest(source), HERE / "assets" / "report.png")
    forecast = source.parent / "industry"
    if (forecast / "runs").is_dir():
        picture(newest(forecast), HERE / "assets" / "forecast.png", at="#series")


def newest(project: Path) -> Path:
    """The report of the newest run that has one."""
    return sorted(project.glob("runs/*/report.html"))[-1]


def _block(project: Path, found: re.Match[str]) -> str:
    first = int(found["first"]) if found["first"] else None
    if found["how"] == "run":
        shown = [f"$ {found['what']}", *_output(found["what"], project)]
    else:
        shown = (project / found["what"]).read_text(encoding="utf-8").splitlines()
    if first is not None and len(shown) > first:
        shown = [*shown[:first], "# …" if found["kind"] == "toml" else "…"]
    head = found[0].split("\n", 1)[0]
    return "\n".join([head, f"```{found['kind']}", *(line.rstrip() for line in shown), "```"])


def _output(command: str, project: Path) -> list[str]:
    """What a person in the project's folder would see, standard error included."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S602 - the commands are those of our own pages
        command,
        shell=True,
        cwd=project,
        env={**os.environ, "PATH": path, "COLUMNS": "132", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    # how far it was at some second says nothing a minute later; what begins like it on standard output is a result ("  …     and 7 more")
    aside = "".join(line for line in done.stderr.splitlines(keepends=True) if not line.startswith("  … "))
    said = (done.stdout + aside).replace(f"{project}/", "").rstrip().splitlines()
    return [*said, f"(exit code {done.returncode})"] if done.returncode else said


def picture(report: Path, to: Path, at: str = "") -> None:
    """The first screen of a report (or from a section on) as a reader sees it, in a headless browser."""
    from playwright.sync_api import sync_playwright  # only this step needs a browser

    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1180, "height": 1240})
        page.goto(report.as_uri())
        if at:
            page.add_style_tag(content="html { scroll-behavior: auto !important; }")
            page.evaluate(f"document.querySelector('{at}').scrollIntoView()")
        page.wait_for_timeout(1500)
        page.screenshot(path=to)
        browser.close()
    print(f"taken: {to.relative_to(HERE.parent)} ({to.stat().st_size / 1024:.0f} KB)")


if __name__ == "__main__":
    main()
