"""Draw labels.svg: how wide the interval of NFR is by 200 labels, drawn in three ways.

python docs/draw_labels.py
"""

from __future__ import annotations

from pathlib import Path

from muscle_metrics.statistics.strata import Stratum, stratified_mean_interval

TARGET = Path(__file__).with_name("labels.svg")
# 5000 items, of which 2000 have answers that differ, and 250 broke: NFR is 5 %.
WAYS = {
    "200 of all 5000 items": [Stratum(5000, 10, kept=190)],
    "188 of the 2000 that differ": [Stratum(2000, 24, kept=164), Stratum(3000, kept=3000)],
    "the same, sorted by a judge": [
        Stratum(600, 1, kept=38),
        Stratum(1100, 4, kept=101),
        Stratum(300, 29, kept=15),
        Stratum(3000, kept=3000),
    ],
}
RATE, END = 0.05, 0.1


def draw() -> str:
    """Text of the picture."""
    left, scale, top = 230, 4600, 40
    lines = []
    for row, (name, strata) in enumerate(WAYS.items()):
        low, high = stratified_mean_interval(strata)
        y = top + 44 * row
        estimate = sum(one.size * one.mean for one in strata) / 5000
        lines.append(f'<text x="{left - 12}" y="{y + 18}" text-anchor="end">{name}</text>')
        lines.append(
            f'<rect x="{left + low * scale:.1f}" y="{y + 4}" width="{(high - low) * scale:.1f}" '
            f'height="18" rx="3" fill="#d9822b"/>'
        )
        lines.append(
            f'<circle cx="{left + estimate * scale:.1f}" cy="{y + 13}" r="4" fill="#fff"/>'
        )
        lines.append(
            f'<text x="{left + high * scale + 8:.1f}" y="{y + 18}">{low:.1%} to {high:.1%}</text>'
        )
    bottom = top + 44 * len(WAYS)
    truth = left + RATE * scale
    lines.append(
        f'<path d="M{truth:.1f} {top - 12}V{bottom}" stroke="currentColor" stroke-dasharray="5 4"/>'
    )
    lines.append(f'<text x="{truth:.1f}" y="{top - 18}" text-anchor="middle">NFR 5 %</text>')
    for share in (0.0, END / 2, END):
        x = left + share * scale
        lines.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{share:.0%}</text>')
    style = (
        "svg{color:#1f2328;background:#fff;font:14px system-ui,sans-serif}text{fill:currentColor}"
        "@media(prefers-color-scheme:dark){svg{color:#e6e6e6;background:#131416}}"
    )
    body = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 {bottom + 32}" role="img" '
        f'aria-label="95 % intervals of a negative flip rate by 200 labels, drawn in three ways">\n'
        f"<style>{style}</style>\n{body}\n</svg>\n"
    )


if __name__ == "__main__":
    TARGET.write_text(draw(), encoding="utf-8")
