"""Draw the pictures of docs/atlas.md from the counts of the package.

python docs/draw_atlas.py
"""

from __future__ import annotations

import math
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.atlas.table import comparable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FOLDER = Path(__file__).with_name("images")
WIDTH, LEFT, RIGHT = 760, 250, 730
ROW = 24
DOT = '<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" class="{kind}"/>'
STYLE = (
    "svg{color:#1f2328;background:#fff;font:13px system-ui,sans-serif}text{fill:currentColor}"
    ".grid{stroke:#8a94a6;stroke-opacity:.35}.middle{stroke:currentColor;stroke-width:2}"
    ".to{stroke:#c2410c}.half{fill:#8a94a6;fill-opacity:.3}.version{fill:#1d6fb8;fill-opacity:.6}"
    ".other{fill:#c2410c;fill-opacity:.6}"
    "@media(prefers-color-scheme:dark){svg{color:#e6e6e6;background:#131416}"
    ".version{fill:#6bb0ee}.other{fill:#f0894f}}"
)
TASKS = {
    "zeroeval-gsm": "GSM8K, reasoning",
    "zeroeval-math-l5": "MATH level 5",
    "zeroeval-crux": "CRUX, reasoning",
    "bfcl-v1": "BFCL, tool calls",
    "mmlu-pro": "MMLU-Pro",
    "lcb-execution": "LiveCodeBench execution",
    "lcb-execution-cot": "LiveCodeBench exec., reasoning",
    "alpacaeval-v1": "AlpacaEval 1, judged",
    "alpacaeval-v2": "AlpacaEval 2, judged",
    "lcb-repair": "LiveCodeBench repair",
    "mathvista": "MathVista",
}
KINDS = {
    "another version": ("version",),
    "same weights, another host": ("host", "quantised"),
    "same model, some days later": ("rerun+harness",),
    "same model, asked again": ("rerun",),
}
# Name of an update, its anchor, and its distance from the dot, to the right and down.
NAMED = {
    ("llmdrift-prime", "gpt-4-0613"): ("GPT-4 on primes, March to June 2023", "start", 10, 4),
    ("mmlu-pro", "Meta-Llama-3-70B"): ("Llama 2 to 3, 70B, MMLU-Pro", "middle", 40, -60),
    ("mmlu-pro", "Meta-Llama-3_1-70B"): ("Llama 3 to 3.1, 70B, MMLU-Pro", "end", -60, 4),
    ("zeroeval-gsm", "claude-3-5-sonnet-20241022"): (
        "Claude 3.5 Sonnet, June to October, GSM8K", "start", 10, 4
    ),
}  # fmt: skip


class Axis(NamedTuple):
    """A horizontal axis: where a value is, and which values are labelled."""

    place: Callable[[float], float]
    ticks: Sequence[float]
    unit: str


def log_axis(low: float, high: float, ticks: Sequence[float]) -> Axis:
    """Axis of shares, in percent."""
    scale = (RIGHT - LEFT) / math.log(high / low)
    return Axis(lambda share: LEFT + scale * math.log(max(share, low) / low), ticks, "%")


def by_task() -> str:
    """Negative flip rates of version updates, a row for each task."""
    groups = {
        f"{title} ({len(found)})": [one.counts.negative_flip_rate for one in found]
        for task, title in TASKS.items()
        if (found := comparable("version", like=task))
    }
    ordered = dict(sorted(groups.items(), key=lambda group: median(group[1])))
    axis = log_axis(0.004, 0.5, [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5])
    return strips(ordered, axis, "Negative flip rate of version updates, by task", "version")


def by_kind() -> str:
    """Relative negative flip rates, a row for what differs between the runs."""
    groups = {}
    for title, kinds in KINDS.items():
        found = comparable(*kinds)
        values = [one.counts.relative_negative_flip_rate for one in found]
        groups[f"{title} ({len(values)})"] = values
    scale = (RIGHT - LEFT) / 1.4
    axis = Axis(lambda value: LEFT + scale * value, [0, 0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4], "")
    return strips(groups, axis, "Relative negative flip rate, by what differs", "version")


def strips(groups: dict[str, list[float]], axis: Axis, title: str, kind: str) -> str:
    """Rows of dots, with the middle half as a bar and the median as a line."""
    top, lines = 34, []
    bottom = top + ROW * len(groups)
    for tick in axis.ticks:
        x = axis.place(tick)
        label = f"{tick:.1%}".replace(".0%", "%") if axis.unit else f"{tick:g}"
        lines.append(f'<path d="M{x:.1f} {top}V{bottom}" class="grid"/>')
        lines.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{label}</text>')
    for row, (name, values) in enumerate(groups.items()):
        y = top + ROW * row + ROW / 2
        first, middle, third = map(axis.place, quantiles(values, n=4, method="inclusive"))
        lines.append(f'<text x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{name}</text>')
        lines.append(
            f'<rect x="{first:.1f}" y="{y - 8:.1f}" width="{third - first:.1f}" height="16" '
            f'class="half"/>'
        )
        lines += [DOT.format(x=axis.place(value), y=y, kind=kind) for value in sorted(values)]
        lines.append(f'<path d="M{middle:.1f} {y - 9:.1f}V{y + 9:.1f}" class="middle"/>')
    return svg(lines, title, bottom + 26)


def gain_against_nfr() -> str:
    """Negative flip rates of version updates over what they gained."""
    left, top, bottom = 60, 34, 330
    updates = comparable("version")
    across, down = (RIGHT - left) / 96, (bottom - top) / math.log(0.6 / 0.004)

    def x_of(gain: float) -> float:
        return left + across * (gain + 55)

    def y_of(rate: float) -> float:
        return bottom - down * math.log(rate / 0.004)

    lines = []
    for gain in range(-50, 50, 10):
        lines.append(f'<path d="M{x_of(gain):.1f} {top}V{bottom}" class="grid"/>')
        lines.append(
            f'<text x="{x_of(gain):.1f}" y="{bottom + 16}" text-anchor="middle">{gain:+d}</text>'
        )
    for rate in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5):
        label = f"{rate:.1%}".replace(".0%", "%")
        y = y_of(rate)
        lines.append(f'<path d="M{left} {y:.1f}H{RIGHT}" class="grid"/>')
        lines.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for update in updates:
        x, y = x_of(100 * update.counts.accuracy_change), y_of(update.counts.negative_flip_rate)
        named = NAMED.get((update.task.task, update.new))
        lines.append(DOT.format(x=x, y=y, kind="other" if named else "version"))
        if named:
            name, anchor, right, below = named
            at, line = x + right, y + below
            # A line from the dot to the side of the text, or to its foot.
            end, foot = (at, line + 5) if anchor == "middle" else (at - right / 8, line - 4)
            lines.append(f'<path d="M{x:.1f} {y:.1f}L{end:.1f} {foot:.1f}" class="to"/>')
            lines.append(f'<text x="{at:.1f}" y="{line:.1f}" text-anchor="{anchor}">{name}</text>')
    lines.append(
        f'<text x="{RIGHT}" y="{bottom + 34}" text-anchor="end">points of accuracy gained</text>'
    )
    title = f"Negative flip rate of {len(updates)} version updates, by their gain"
    return svg(lines, title, bottom + 44)


def svg(lines: Sequence[str], title: str, height: float) -> str:
    """A picture with a title, for light and dark pages."""
    body = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        f'aria-label="{title}">\n<style>{STYLE}</style>\n'
        f'<text x="16" y="20" font-weight="bold">{title}</text>\n{body}\n</svg>\n'
    )


PICTURES = {
    "atlas-tasks.svg": by_task,
    "atlas-gain.svg": gain_against_nfr,
    "atlas-reruns.svg": by_kind,
}


if __name__ == "__main__":
    for name, draw in PICTURES.items():
        (FOLDER / name).write_text(draw(), encoding="utf-8")
