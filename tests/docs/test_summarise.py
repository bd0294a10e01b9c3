"""docs/benchmarks.md is filled from the lines that benchmarks leave; nothing else on the page changes."""

import json

from scipy.stats import binomtest


def page_of(summarise):
    return summarise.PAGE.read_text(encoding="utf-8")


def write(folder, name, rows):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows) + '{"cut o')


def test_without_results_the_page_stays(summarise, tmp_path):
    assert summarise.summarised(page_of(summarise), tmp_path) == page_of(summarise)


def test_the_last_line_of_each_set_counts_and_losses_are_shown(summarise, tmp_path):
    row = {"set": "a", "metric": "roc_auc", "holdgood": 0.9, "lightgbm_default": 0.91, "at_least_as_good": False}
    row |= {"wall_s": 61.2, "cpu_s": 100.5, "chosen": "linear"}
    write(
        tmp_path,
        "smoke",
        [row | {"holdgood": 0.5}, row | {"set": "b", "at_least_as_good": True}, row, {"summary": True}],
    )
    text = summarise.summarised(page_of(summarise), tmp_path)
    assert "| a | roc_auc | 0.9 | 0.91 | **no** | 61.2 | 100 | linear |" in text
    assert "| a | roc_auc | 0.5 |" not in text
    assert "on 1 of 2 sets" in text
    assert "Slowest fit 61.2 s" in text
    assert summarise.summarised(text, tmp_path) == text
    assert text.split("## What people wait for")[1] == page_of(summarise).split("## What people wait for")[1]


def test_costs_and_the_demo(summarise, tmp_path):
    write(tmp_path, "cost", [{"what": "import holdgood", "cpu_s": 0.1234, "aim_s": 0.5, "peak_mb_so_far": 31}])
    whole = {"step": "all", "wall_s": 140.0, "cpu_s": 210.0, "peak_mb": 1500, "metric": "log_loss", "value": 0.44}
    write(
        tmp_path, "demo", [{"step": "01-read", "wall_s": 1.5}, whole | {"low": 0.39, "high": 0.49, "chosen": "linear"}]
    )
    text = summarise.summarised(page_of(summarise), tmp_path)
    assert "| import holdgood | 0.123 | 0.5 | 31 |" in text
    assert "| 01-read | 1.5 |" in text
    assert "| **all** | **140** |" in text
    assert "Holdout log_loss 0.44 (95%: 0.39 to 0.49)" in text
    assert "peak 1,500 MB" in text


def test_the_interval_of_a_share_is_wilsons(summarise):
    for k, n in ((0, 5), (3, 24), (20, 24), (24, 24)):
        expected = binomtest(k, n).proportion_ci(method="wilson")
        low, high = summarise.wilson(k, n)
        assert abs(low - expected.low) < 1e-6
        assert abs(high - expected.high) < 1e-6
