"""Draw equivalence.svg: three new models, by their change of accuracy and by their flips.

python docs/draw_equivalence.py
"""

from __future__ import annotations

from pathlib import Path

from muscle_metrics import Rate
from muscle_metrics.statistics.bounded import net_share_interval

TARGET = Path(__file__).with_name("equivalence.svg")
ITEMS, MARGIN, LIMIT, LEVEL = 4000, 0.015, 0.03, 0.9
# Of 4000 items: how many broke, and how many were fixed.
MODELS = {"8-bit copy": (22, 19), "4-bit copy": (190, 183), "next version": (8, 88)}
CHANGES, FLIPS = (-0.04, 0.04), (0.0, 0.12)
INSIDE, OUTSIDE = "#2f855a", "#c2410c"


def draw() -> str:
    """Text of the picture."""
    top, step = 74, 46
    bottom = top + step * len(MODELS)
    lines = [
        _zone(130, 400, "change of accuracy", (-MARGIN, MARGIN), CHANGES, (top, bottom)),
        _zone(470, 740, "flips either way", (0.0, LIMIT), FLIPS, (top, bottom)),
    ]
    for row, (name, (broken, fixed)) in enumerate(MODELS.items()):
        y = top + step * row + 26
        gain = net_share_interval(lost=fixed, gained=broken, total=ITEMS, confidence=LEVEL)
        flips = Rate(broken + fixed, ITEMS).interval(LEVEL, "clopper-pearson")
        lines.append(f'<text x="118" y="{y + 5}" text-anchor="end">{name}</text>')
        lines.append(_bar(130, 400, CHANGES, gain, (-MARGIN, MARGIN), y))
        lines.append(_bar(470, 740, FLIPS, flips, (0.0, LIMIT), y))
    style = (
        "svg{color:#1f2328;background:#fff;font:14px system-ui,sans-serif}text{fill:currentColor}"
        "@media(prefers-color-scheme:dark){svg{color:#e6e6e6;background:#131416}}"
    )
    body = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 {bottom + 40}" role="img" '
        f'aria-label="Bounds of the change of accuracy and of the flips of three new models, and '
        f'the zones in which they are equivalent">\n<style>{style}</style>\n{body}\n</svg>\n'
    )


def _place(left: float, right: float, axis: tuple[float, float], value: float) -> float:
    return left + (right - left) * (value - axis[0]) / (axis[1] - axis[0])


def _zone(
    left: float,
    right: float,
    title: str,
    zone: tuple[float, float],
    axis: tuple[float, float],
    rows: tuple[float, float],
) -> str:
    """Title, zone and axis of one column."""
    top, bottom = rows
    first, last = (_place(left, right, axis, value) for value in zone)
    middle = (left + right) / 2
    parts = [
        f'<text x="{middle:.1f}" y="30" text-anchor="middle" font-weight="600">{title}</text>',
        f'<rect x="{first:.1f}" y="{top}" width="{last - first:.1f}" height="{bottom - top}" '
        f'fill="{INSIDE}" fill-opacity=".16"/>',
        f'<text x="{(first + last) / 2:.1f}" y="{top - 10}" text-anchor="middle">equivalent</text>',
    ]
    for value in sorted({axis[0], *zone, 0.0, round(axis[1], 2)}):
        x = _place(left, right, axis, value)
        label = f"{100 * value:g} %"
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{label}</text>')
    return "\n".join(parts)


def _bar(
    left: float,
    right: float,
    axis: tuple[float, float],
    bounds: tuple[float, float],
    zone: tuple[float, float],
    y: float,
) -> str:
    first, last = (_place(left, right, axis, value) for value in bounds)
    is_inside = zone[0] <= bounds[0] and bounds[1] <= zone[1]
    return (
        f'<rect x="{first:.1f}" y="{y - 8}" width="{max(last - first, 3):.1f}" height="16" rx="3" '
        f'fill="{INSIDE if is_inside else OUTSIDE}"/>'
    )


if __name__ == "__main__":
    TARGET.write_text(draw(), encoding="utf-8")
