"""Draw the line (docs/assets/line.svg): the rooms in order, the wall, and what travels between them."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

TO = Path(__file__).resolve().parent / "assets" / "line.svg"
WIDTH, BOX, GAP, TOP = 124, 54, 16, 46

LEFT = [
    ("connectors", "tables in"),
    ("audit", "counts, no target"),
    ("cleaning", "declared repairs"),
    ("splitting", "the wall is built"),
]
RIGHT = [
    ("audit", "leaks, late facts"),
    ("features", "as known then"),
    ("training", "the ladder"),
    ("evaluation", "sealed holdout"),
]
BELOW = [
    ("fairness", "by group"),
    ("governance", "gates, verdict"),
    ("bundle", "hashed, verified"),
    ("predict", "to the bit"),
]
STYLE = """
  .box { fill: #f3f7f7; stroke: #0f766e; stroke-width: 1.4 } .name { font: 600 15px system-ui, sans-serif; fill: #0b3b38 }
  .what { font: 12px system-ui, sans-serif; fill: #47615f } .way { stroke: #0f766e; stroke-width: 1.6; fill: none }
  .wall { stroke: #b45309; stroke-width: 5 } .side { font: 13px system-ui, sans-serif; fill: #8a4306 }
  @media (prefers-color-scheme: dark) { .box { fill: #12302e; stroke: #5eead4 } .name { fill: #d9fffa } .what { fill: #a8cfca }
    .way { stroke: #5eead4 } .wall { stroke: #f59e0b } .side { fill: #fbbf68 } }
"""


def main() -> None:
    """Write the picture."""
    step = WIDTH + GAP
    wall = len(LEFT) * step + 14
    second = wall + 20
    whole = second + len(RIGHT) * step
    parts = [_box(8 + i * step, TOP, *room) for i, room in enumerate(LEFT)]
    parts += [_arrow(8 + i * step + WIDTH, TOP + BOX / 2) for i in range(len(LEFT) - 1)]
    parts += [_box(second + i * step, TOP, *room) for i, room in enumerate(RIGHT)]
    parts += [_arrow(second + i * step + WIDTH, TOP + BOX / 2) for i in range(len(RIGHT) - 1)]
    lower = TOP + BOX + 44
    x = [second + (len(RIGHT) - 1 - i) * step for i in range(len(BELOW))]
    parts += [_box(at, lower, *room) for at, room in zip(x, BELOW, strict=True)]
    parts += [_path(f"M{at - 1} {lower + BOX / 2} h-{GAP - 5}") for at in x[:-1]]
    middle = x[0] + WIDTH / 2
    parts.append(_path(f"M{middle} {TOP + BOX} v37"))
    parts.append(_path(f"M{second - 16 - GAP} {TOP + BOX / 2} h{GAP + 10}"))
    parts.append(f'<line class="wall" x1="{wall}" x2="{wall}" y1="10" y2="{lower + BOX + 6}"/>')
    parts.append(
        f'<text class="side" x="{wall - 12}" y="24" text-anchor="end">nothing learns, nobody looks at the target</text>'
    )
    parts.append(f'<text class="side" x="{wall + 12}" y="24">what learns is refitted inside every fold</text>')
    back = 8 + WIDTH / 2
    end = x[-1]
    parts.append(_path(f"M{end - 1} {lower + BOX / 2} H{back} V{TOP + BOX + 7}", dashed=True))
    parts.append(
        f'<text class="what" x="{back + 12}" y="{lower + BOX / 2 + 18}">monitoring and retraining close the loop as data, never as an import</text>'
    )
    title = "The line: connectors, audit, cleaning, splitting; the wall; audit, features, training, evaluation, fairness, governance, bundle, predict"
    marker = '<marker id="tip" markerWidth="8" markerHeight="8" refX="6" refY="4" orient="auto"><path class="way" d="M1 1 L6 4 L1 7"/></marker>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {lower + BOX + 14}" role="img" aria-label="{escape(title)}">'
    TO.parent.mkdir(exist_ok=True)
    TO.write_text(
        "\n".join(
            [svg, f"<title>{escape(title)}</title><style>{STYLE}</style><defs>{marker}</defs>", *parts, "</svg>", ""]
        )
    )


def _box(x: float, y: float, name: str, what: str) -> str:
    middle = x + WIDTH / 2
    return (
        f'<rect class="box" x="{x}" y="{y}" width="{WIDTH}" height="{BOX}" rx="7"/>'
        f'<text class="name" x="{middle}" y="{y + 23}" text-anchor="middle">{escape(name)}</text>'
        f'<text class="what" x="{middle}" y="{y + 42}" text-anchor="middle">{escape(what)}</text>'
    )


def _arrow(x: float, y: float) -> str:
    return _path(f"M{x + 1} {y} h{GAP - 5}")


def _path(d: str, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="5 5"' if dashed else ""
    return f'<path class="way" d="{d}" marker-end="url(#tip)"{dash}/>'


if __name__ == "__main__":
    main()
