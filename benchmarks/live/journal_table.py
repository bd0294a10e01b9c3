"""The table of benchmarks/live/journal.py; summarise.py puts it into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]


def live_journal(rows: list[Row]) -> list[str]:
    """Groups, then what is read back."""
    groups = [r for r in rows if "cpu_us" in r]
    if not groups:
        return []
    out = [
        "| Written in | Entries | CPU µs an entry | Entries/s | A bare table: CPU µs | Entries/s |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for r in groups:
        cells = (
            r["what"],
            f"{r['entries']:,}",
            r["cpu_us"],
            f"{r['entries_s']:,}",
            r["bare_cpu_us"],
            f"{r['bare_entries_s']:,}",
        )
        out.append("| " + " | ".join(map(str, cells)) + " |")
    said = {r["what"]: r for r in rows}
    if {"verify", "outcomes", "size"} <= set(said):
        v, o, s = said["verify"], said["outcomes"], said["size"]
        out += ["", f"Verify of {v['entries']:,} entries: {v['cpu_s']} CPU s."]
        out += [f"Outcomes of {o['entries']:,} predictions, half of them labelled: {o['cpu_s']} CPU s."]
        out += [f"An entry takes {s['bytes']:,} bytes on disk, of which its record's own text is {s['text_bytes']:,}."]
    first = groups[0]
    return [*out, "", f"{first['machine']}; load average at the start {first['load']}."]
