"""Draw noise.svg: the same noise floor below three updates, computed and not sampled.

python docs/draw_noise.py
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

TARGET = Path(__file__).with_name("noise.svg")
LIMIT = 0.12
# Chance of a right answer: half of the prompts are certain, the others waver.
OLD = [1.0] * 30 + [0.7] * 50 + [0.0] * 20


class Parts(NamedTuple):
    """What a negative flip rate is made of."""

    floor: float
    net: float
    change: float


UPDATES = {
    "the same model, run twice": OLD,
    "10 % broken, 10 % fixed": [0.0] * 10 + OLD[10:90] + [1.0] * 10,
    "10 % broken, none fixed": [0.0] * 10 + OLD[10:],
}
COLOURS = {"floor": "#8a94a6", "net": "#d9822b", "change": "#b3261e"}
NAMES = {"floor": "noise floor", "net": "half the net loss", "change": "half the squared change"}


def split(old: list[float], new: list[float]) -> Parts:
    """Split the expected negative flip rate of prompts that are right with these chances."""
    pairs, prompts = list(zip(old, new, strict=True)), len(old)
    return Parts(
        floor=sum(p * (1 - p) + q * (1 - q) for p, q in pairs) / prompts / 2,
        net=(sum(old) - sum(new)) / prompts / 2,
        change=sum((p - q) ** 2 for p, q in pairs) / prompts / 2,
    )


def draw() -> str:
    """Text of the picture."""
    left, scale, top = 200, 1900, 44
    lines = []
    for row, (name, new) in enumerate(UPDATES.items()):
        y, x = top + 48 * row, float(left)
        lines.append(f'<text x="{left - 12}" y="{y + 20}" text-anchor="end">{name}</text>')
        parts = split(OLD, new)._asdict()
        for part, share in parts.items():
            lines.append(
                f'<rect x="{x:.1f}" y="{y}" width="{share * scale:.1f}" height="30" '
                f'fill="{COLOURS[part]}"/>'
            )
            x += share * scale
        total = sum(parts.values())
        lines.append(f'<text x="{x + 8:.1f}" y="{y + 20}">{total:.1%}</text>')
    limit, bottom = left + LIMIT * scale, top + 48 * len(UPDATES)
    lines.append(
        f'<path d="M{limit:.1f} {top - 12}V{bottom - 6}" stroke="currentColor" '
        f'stroke-dasharray="5 4"/>'
    )
    lines.append(f'<text x="{limit:.1f}" y="{top - 18}" text-anchor="middle">limit 12 %</text>')
    for place, (part, name) in enumerate(NAMES.items()):
        x = left + 150 * place
        lines.append(
            f'<rect x="{x}" y="{bottom + 6}" width="12" height="12" fill="{COLOURS[part]}"/>'
        )
        lines.append(f'<text x="{x + 18}" y="{bottom + 17}">{name}</text>')
    style = (
        "svg{color:#1f2328;background:#fff;font:14px system-ui,sans-serif}text{fill:currentColor}"
        "@media(prefers-color-scheme:dark){svg{color:#e6e6e6;background:#131416}}"
    )
    body = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {bottom + 32}" role="img" '
        f'aria-label="Negative flip rate of three updates, split into its parts">\n'
        f"<style>{style}</style>\n{body}\n</svg>\n"
    )


if __name__ == "__main__":
    TARGET.write_text(draw(), encoding="utf-8")
