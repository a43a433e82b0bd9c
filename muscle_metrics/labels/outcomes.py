"""What the labels of a sheet say, counted by stratum, and beside a judge by its cells too."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from muscle_metrics.evidence.labels import LabelSample, Outcomes
from muscle_metrics.labels.design import CHECKED
from muscle_metrics.labels.judge import judge_errors

if TYPE_CHECKING:
    from muscle_metrics.labels.design import Design
    from muscle_metrics.labels.items import LabelItems
    from muscle_metrics.labels.judge import JudgeErrors, Verdicts
    from muscle_metrics.labels.sheet import Label, Sheet

__all__ = ["errors_of", "quadrant_of", "sample_of"]


def sample_of(
    items: LabelItems, design: Design, sheet: Sheet, verdicts: Verdicts | None = None
) -> LabelSample:
    """Count the labels of a sheet by stratum, and by the cells of a judge."""
    pairs = list(zip(sheet.rows, map(quadrant_of, sheet.labels), strict=True))
    counts = Counter((row.stratum, quadrant) for row, quadrant in pairs)

    def outcomes(level: int, size: int) -> Outcomes:
        return Outcomes(size, **{name: n for (one, name), n in counts.items() if one == level})

    strata = tuple(outcomes(level, size) for level, size in enumerate(design.sizes))
    equal = items.total - len(design.levels)
    sample = LabelSample(strata, outcomes(CHECKED, equal))
    if verdicts is None:
        return sample
    of_items = verdicts.cells
    sizes = Counter(zip(design.levels, of_items[items.differs].tolist(), strict=True))
    found = Counter((row.stratum, int(of_items[row.position]), name) for row, name in pairs)
    cells = tuple(
        (
            cell[0],
            Outcomes(size, **{name: n for (*one, name), n in found.items() if tuple(one) == cell}),
        )
        for cell, size in sorted(sizes.items())
    )
    return LabelSample(strata, sample.equal, cells=cells)


def errors_of(design: Design, sheet: Sheet, verdicts: Verdicts) -> JudgeErrors:
    """Compare a judge with the labels of items that differ."""
    known = [
        (row, (label.old, label.new))
        for row, label in zip(sheet.rows, sheet.labels, strict=True)
        if row.stratum != CHECKED and label.old is not None and label.new is not None
    ]
    labelled = Counter(row.stratum for row, _ in known)
    return judge_errors(
        verdicts,
        [row.position for row, _ in known],
        [right for _, right in known],
        [design.sizes[row.stratum] / labelled[row.stratum] for row, _ in known],
    )


def quadrant_of(label: Label) -> str:
    """Quadrant of an item by its labels, or "unlabelled"."""
    if label.old is None or label.new is None:
        return "unlabelled"
    if label.old:
        return "both_right" if label.new else "negative"
    return "positive" if label.new else "both_wrong"
