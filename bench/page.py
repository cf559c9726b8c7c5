"""The page of the benchmarks, docs/benchmarks.md: each benchmark rewrites its own section."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"

COPIER = "What Copier costs"
SPEED = "How fast a project answers"
GROWTH = "What many rows cost"
ROUTING = "What many resources cost"
ORDER = (SPEED, GROWTH, ROUTING, COPIER)

INTRODUCTION = """# Benchmarks

`make bench` writes this page and its plots. It needs PostgreSQL and `wrk`, as `apt install wrk`
installs it. `make bench BENCHES=speed` writes one section, `BENCHES=speed ARGS=--quick` only prints
a rough result of it. The names are those of the files in `bench/`, whose first lines say more.

`make bench BENCHES=faults` takes five minutes and measures no speed: it kills, freezes and fills
what a backend needs, and writes what clients were answered into pages of the projects themselves,
`docs/outages.md` and `docs/authentication.md`. It needs the programs of PostgreSQL, Redis and
HAProxy, and root, who can mount a small disk.

Other programs run on the same machine. What is compared was therefore measured in turn within one
run, and ratios say more than times.
"""

STYLE = """text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.bar { fill: #4c78a8; } .one { fill: #9d9d9d; } .goal { stroke: #d62728; stroke-width: 2; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } }"""
LEFT, ROW = 250, 30


@dataclass(frozen=True)
class Bar:
    """A bar of a plot, with its goal, if it has one; gray if it is there for comparison."""

    title: str
    value: float
    goal: float | None = None
    gray: bool = False


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, as Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plot(bars: Sequence[Bar], length: int, digits: int, goal: str) -> str:
    """Bars with marks at their goals, as SVG; the longest is as many pixels long as `length`."""
    height = ROW * len(bars) + 40
    scale = length / max(max(bar.value, bar.goal or 0) for bar in bars)
    parts = []
    for number, bar in enumerate(bars):
        top = ROW * number + 10
        end = LEFT + bar.value * scale
        parts += [
            f'<text x="{LEFT - 8}" y="{top + 15}" text-anchor="end">{bar.title}</text>',
            f'<rect class="{"one" if bar.gray else "bar"}" x="{LEFT}" y="{top}"'
            f' width="{bar.value * scale:.0f}" height="20"/>',
        ]
        if bar.goal is not None:
            mark = LEFT + bar.goal * scale
            if end - 4 < mark < end + 40:
                end = mark  # The figure stands beside the mark, and not on it.
            parts.append(
                f'<line class="goal" x1="{mark:.0f}" x2="{mark:.0f}" y1="{top - 3}"'
                f' y2="{top + 23}"/>'
            )
        parts.append(f'<text x="{end + 6:.0f}" y="{top + 15}">{bar.value:.{digits}f}</text>')
    bottom = height - 14
    parts += [
        f'<line class="goal" x1="{LEFT}" x2="{LEFT}" y1="{bottom - 11}" y2="{bottom + 3}"/>',
        f'<text x="{LEFT + 8}" y="{bottom}">{goal}</text>',
    ]
    width = LEFT + length + 60
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n'
        f"<style>\n{STYLE}\n</style>\n{body}\n</svg>\n"
    )


def write(title: str, body: str) -> None:
    """Replace one section of the page, and keep the others."""
    page = DOCS / "benchmarks.md"
    _, *found = re.split(r"^## (.+)\n", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    sections = {**dict(zip(found[::2], found[1::2], strict=True)), title: body}
    parts = [f"## {known}\n\n{sections[known].strip()}\n" for known in ORDER if known in sections]
    page.write_text("\n".join([INTRODUCTION, *parts]), encoding="utf-8")


def write_plot(name: str, svg: str) -> None:
    """Write a plot next to the page."""
    (DOCS / name).write_text(svg, encoding="utf-8")
