"""Every detector has its section in the runbook, and nothing else has; the how-to names all."""

import re
from pathlib import Path

from holdgood.core import plugins

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_code_has_its_section():
    codes = {n for n in plugins.names("holdgood.detectors") if re.fullmatch(r"MON\d{3}", n)}
    sections = re.split(r"^## ", (DOCS / "operations" / "runbook.md").read_text(encoding="utf-8"), flags=re.M)[1:]
    assert {s[:6] for s in sections} == codes
    for section in sections:
        for part in ("**Means.**", "**Check first.**", "**Do.**", "**Ignore when**"):
            assert part in section, (section[:6], part)


def test_the_page_names_every_detector():
    page = (DOCS / "how-to" / "watch.md").read_text(encoding="utf-8")
    assert set(re.findall(r"MON\d{3}", page)) >= set(plugins.names("holdgood.detectors"))
