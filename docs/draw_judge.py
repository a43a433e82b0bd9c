"""Draw judge.svg: the change of accuracy by judges that err, alone and corrected by 380 labels.

python docs/draw_judge.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from muscle_metrics.statistics.assisted import AssistedMean, Cell

TARGET = Path(__file__).with_name("judge.svg")
ITEMS, LABELS = 4000, 380
# Items that differ: right before and after, and how many; 240 broke and 200 got fixed.
KINDS = {(True, False): 240, (False, True): 200, (True, True): 1056, (False, False): 704}
DIFFERING = sum(KINDS.values())
# Shares of right and of wrong answers that a judge calls right, of OLD and of NEW.
JUDGES = {
    "right in 95 %": ((0.95, 0.05), (0.95, 0.05)),
    "right in 85 %": ((0.85, 0.15), (0.85, 0.15)),
    "lenient on NEW": ((0.9, 0.1), (0.95, 0.33)),
    "tosses a coin": ((0.5, 0.5), (0.5, 0.5)),
}
TRUTH, START, END = -0.01, -0.05, 0.07


def expected(judge: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Expected numbers of items that differ, by kind and by the verdicts on both answers."""
    table = np.zeros((len(KINDS), 4))
    for row, (kind, items) in enumerate(KINDS.items()):
        old, new = (says[0] if right else says[1] for says, right in zip(judge, kind, strict=True))
        table[row] = items * np.outer([1 - old, old], [1 - new, new]).ravel()
    return table


def corrected(judge: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    """Interval of the loss of accuracy from labels that show what is expected."""
    table = expected(judge)
    labelled = np.rint(table * LABELS / DIFFERING).astype(int)
    cells = tuple(
        Cell(0, round(size), int(lost), int(gained), int(right + wrong))
        for size, (lost, gained, right, wrong) in zip(table.sum(axis=0), labelled.T, strict=True)
    )
    return AssistedMean(cells, kept=ITEMS - DIFFERING, low=-1.0).interval()


def draw() -> str:
    """Text of the picture."""
    left, scale, top, height = 190, 4600, 52, 44

    def place(value: float) -> str:
        return f"{left + (value - START) * scale:.1f}"

    one_word = ((1.0, 1.0), (1.0, 1.0))
    lines = []
    for row, (name, judge) in enumerate({"380 labels alone": one_word, **JUDGES}.items()):
        least, most = corrected(judge)
        y = top + height * row
        lines.append(f'<text x="{left - 16}" y="{y + 18}" text-anchor="end">{name}</text>')
        lines.append(
            f'<rect x="{place(-most)}" y="{y + 4}" width="{(most - least) * scale:.1f}" '
            f'height="18" rx="3" fill="#d9822b"/>'
        )
        if name in JUDGES:
            of_cells = expected(judge).sum(axis=0)
            alone = (of_cells[1] - of_cells[2]) / ITEMS
            lines.append(
                f'<path d="M{place(alone)} {y + 3}l8 10l-8 10l-8 -10z" fill="#2f6fb5" '
                f'stroke="#fff"/>'
            )
    bottom = top + height * (len(JUDGES) + 1)
    lines.append(
        f'<path d="M{place(TRUTH)} {top - 12}V{bottom}" stroke="currentColor" '
        f'stroke-dasharray="5 4"/>'
    )
    lines.append(f'<text x="{place(TRUTH)}" y="{top - 20}" text-anchor="middle">truth</text>')
    lines += [
        f'<text x="{place(value)}" y="{bottom + 18}" text-anchor="middle">{100 * value:+.0f}</text>'
        for value in (-0.04, -0.02, 0.0, 0.02, 0.04, 0.06)
    ]
    lines.append(
        f'<text x="{place(END)}" y="{bottom + 40}" text-anchor="end">points of accuracy; bars: '
        f"95 % intervals by labels, diamonds: the judge alone</text>"
    )
    style = (
        "svg{color:#1f2328;background:#fff;font:14px system-ui,sans-serif}text{fill:currentColor}"
        "@media(prefers-color-scheme:dark){svg{color:#e6e6e6;background:#131416}}"
    )
    body = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 {bottom + 54}" role="img" '
        f'aria-label="Change of accuracy by judges that err, alone and corrected by labels">\n'
        f"<style>{style}</style>\n{body}\n</svg>\n"
    )


if __name__ == "__main__":
    TARGET.write_text(draw(), encoding="utf-8")
