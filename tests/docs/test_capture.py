"""docs/capture.py shows what a command says, without what a minute later is no longer so."""

import pytest


def test_progress_is_left_out_and_a_result_that_begins_like_it_is_kept(capture, tmp_path):
    command = r"printf '%s\n' '  …     and 7 more (--all shows them)' '  … and 3 more'; printf '%s\n' '  … train · 20%' '  ✓ train' 'note: late' >&2"
    assert capture._output(command, tmp_path) == [
        "  …     and 7 more (--all shows them)",
        "  … and 3 more",
        "  ✓ train",
        "note: late",
    ]


def test_a_file_is_shown_whole_or_its_first_lines(capture, tmp_path):
    (tmp_path / "a.toml").write_text("version = 1\nname = 'a'\n")
    page = "<!-- show{}: a.toml -->\n```toml\nold\n```"
    shown = [capture._block(tmp_path, capture.MARK.search(page.format(first))) for first in ("", " 1")]
    assert shown[0].splitlines()[2:-1] == ["version = 1", "name = 'a'"]
    assert shown[1].splitlines()[2:-1] == ["version = 1", "# …"]


def test_the_whole_file_of_the_forecasting_demo_is_the_one_it_writes(pages, root):
    example = root / "examples" / "m3_industry" / "holdgood.toml"
    if not example.exists():
        pytest.skip("examples are not part of this distribution")
    assert f"```toml\n{example.read_text(encoding='utf-8').rstrip()}\n```" in pages["docs/tutorials/forecast.md"]
