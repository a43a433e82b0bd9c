"""Draw repeats.svg: which falls of a prompt are certain, likely or noise among 600 noisy prompts.

python docs/draw_repeats.py
"""

from __future__ import annotations

from math import comb
from pathlib import Path

import numpy as np

from muscle_metrics.statistics.prompt_changes import find_falls

TARGET = Path(__file__).with_name("repeats.svg")
# Prompts of every chance alike, of which nothing changed, and 12 that broke for good.
NOISY, BROKEN = 600, 12
COLOURS = {"certain": "#b3261e", "likely": "#d9822b", "noise": "#c3c9d4"}
STEP, LEFT, TOP, GAP = 26, 70, 64, 110


def expected(repeats: int) -> dict[tuple[int, int], int]:
    """Prompts by right generations before and now, as many as are expected, rounded."""
    found = {}
    for old in range(repeats + 1):
        for new in range(repeats + 1):
            # The integral of both binomial chances over all chances of a right answer.
            ways = comb(repeats, old) * comb(repeats, new) / comb(2 * repeats, old + new)
            found[old, new] = round(NOISY * ways / (2 * repeats + 1))
    found[repeats, 0] += BROKEN
    return found


def classes(repeats: int) -> dict[tuple[int, int], str]:
    """Class of one more prompt with each fall, beside the prompts that are expected."""
    cells = expected(repeats)
    columns = [np.repeat([cell[i] for cell in cells], [*cells.values()]) for i in (0, 1)]
    found = {}
    for fall in cells:
        old, new = (np.append(column, right) for column, right in zip(columns, fall, strict=True))
        if fall[0] > fall[1]:
            falls = find_falls(old_right=old, new_right=new, total=np.full(old.shape, repeats))
            found[fall] = falls.sureness(old.size - 1)
    return found


def grid(repeats: int, left: int, top: int) -> list[str]:
    """Draw the falls of so many generations."""
    lines, side = [], STEP * (repeats + 1)
    for (old, new), name in classes(repeats).items():
        x, y = left + STEP * new, top + STEP * (repeats - old)
        lines.append(
            f'<rect x="{x}" y="{y}" width="{STEP - 2}" height="{STEP - 2}" '
            f'fill="{COLOURS[name]}"><title>{old}/{repeats} to {new}/{repeats}: {name}</title>'
            f"</rect>"
        )
    for number in range(repeats + 1):
        middle = STEP * number + STEP / 2 - 1
        lines.append(
            f'<text x="{left + middle:g}" y="{top + side + 14}" text-anchor="middle">'
            f"{number}</text>"
        )
        y = top + side - middle
        lines.append(f'<text x="{left - 8}" y="{y:g}" text-anchor="end">{number}</text>')
    lines.append(f'<text x="{left}" y="{top - 12}">{repeats} generations</text>')
    lines.append(f'<text x="{left}" y="{top + side + 34}">right now</text>')
    lines.append(
        f'<text transform="translate({left - 34} {top + side / 2:g}) rotate(-90)" '
        f'text-anchor="middle">right before</text>'
    )
    return lines


def draw() -> str:
    """Text of the picture."""
    bottom, lines, left = TOP + STEP * 11, [], LEFT
    for repeats in (3, 5, 10):
        lines += grid(repeats, left, bottom - STEP * (repeats + 1))
        left += STEP * (repeats + 1) + GAP
    for place, name in enumerate(COLOURS):
        x = LEFT + 110 * place
        lines.append(f'<rect x="{x}" y="14" width="12" height="12" fill="{COLOURS[name]}"/>')
        lines.append(f'<text x="{x + 18}" y="25">{name}</text>')
    style = (
        "svg{color:#1f2328;background:#fff;font:14px system-ui,sans-serif}text{fill:currentColor}"
        "@media(prefers-color-scheme:dark){svg{color:#e6e6e6;background:#131416}}"
    )
    body = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left - GAP + 30} {bottom + 46}" '
        f'role="img" aria-label="Which falls of a prompt are certain, likely or noise">\n'
        f"<style>{style}</style>\n{body}\n</svg>\n"
    )


if __name__ == "__main__":
    TARGET.write_text(draw(), encoding="utf-8")
