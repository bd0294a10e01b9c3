"""Style and vendored files: contrast in both themes by the WCAG formula, the library as published."""

import hashlib
import re
from importlib.resources import files

import pytest

ROOM = files("holdgood.reports")
CSS = (ROOM / "assets" / "report.css").read_text(encoding="utf-8")
BLOCKS = re.findall(r"--paper:[^}]+", CSS)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def tones(block):
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))


def test_the_two_dark_blocks_agree():
    assert len(BLOCKS) == 3
    assert tones(BLOCKS[1]) == tones(BLOCKS[2])
    assert set(tones(BLOCKS[0])) == set(tones(BLOCKS[1]))


@pytest.mark.parametrize("block", BLOCKS[:2], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "raised"])
def test_words_and_marks_have_contrast(block, ground):
    tone = tones(block)
    for name in ("ink", "muted", "accent", "second", "bad"):
        assert contrast(tone[name], tone[ground]) >= 4.5, name
    assert contrast(tone["quiet"], tone[ground]) >= 3
    assert contrast(tone["on-accent"], tone["accent"]) >= 4.5
    assert contrast(tone["paper"], tone["second"]) >= 4.5


def test_the_vendored_library_is_the_published_file():
    said = re.search(r"`([0-9a-f]{64})`", (ROOM / "vendor" / "README.md").read_text(encoding="utf-8")).group(1)
    content = (ROOM / "vendor" / "echarts.common.min.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() == said
    for name in ("LICENSE", "NOTICE", "LICENSE-d3", "LICENSE-zrender"):
        assert (ROOM / "vendor" / name).is_file()


def test_scripts_cannot_close_their_own_tag():
    for path in ("vendor/echarts.common.min.js", "assets/report.js"):
        text = ROOM.joinpath(path).read_text(encoding="utf-8").lower()
        assert "</script" not in text
        assert "<!--" not in text
