"""The table of all methods: pooled items of all seeds, paired intervals, and each seed's number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.adapter.evaluation.updates import measure_updates
from muscle_metrics.flips.rates import relative_change
from tests.benchmarks.replica.methods import CONTROL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muscle_metrics.adapter.evaluation.updates import Change, MeasuredUpdate

__all__ = ["markdown_table", "pool"]

Scores = dict[str, np.ndarray]


def pool(seeds: Sequence[Scores]) -> Scores:
    """Scores of the methods that every seed has, of all items in a row."""
    names = [name for name in seeds[0] if all(name in scores for scores in seeds)]
    return {name: np.concatenate([scores[name] for scores in seeds]) for name in names}


def markdown_table(seeds: Sequence[Scores], *, old: str = "v1", new: str = "v2") -> str:
    """Markdown: accuracy, negative flips, and their change against v2 and against the control."""
    pooled = pool(seeds)
    v1 = pooled.pop(old)
    measured = measure_updates(old=v1, updates=pooled, baselines=(new, CONTROL))
    by_seed = {
        update.name: _spread([_relative(scores, update.name, old, new) for scores in seeds])
        for update in measured
    }
    lines = [
        f"{len(v1)} test items of {len(seeds)} seeds; {old} scores {v1.mean():.2%}.",
        "",
        "| method | accuracy | change | NFR | against v2, % | by seed | against the control, % |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [_row(update, by_seed[update.name], new) for update in measured]
    return "\n".join(lines)


def _relative(scores: Mapping[str, np.ndarray], name: str, old: str, new: str) -> float:
    flips = [float((scores[model] < scores[old] - 1e-9).mean()) for model in (new, name)]
    return 100 * relative_change(*flips)


def _spread(values: Sequence[float]) -> str:
    return " ".join(f"{value:+.0f}" for value in values)


def _row(update: MeasuredUpdate, by_seed: str, new: str) -> str:
    against_new = update.against.get(new)
    cells = [
        update.name,
        f"{update.accuracy:.2%}",
        "" if against_new is None else _points(against_new),
        f"{update.negative_flip_rate:.2%}",
        "" if against_new is None else _percent(against_new),
        "" if against_new is None else by_seed,
        _percent(update.against[CONTROL]) if CONTROL in update.against else "",
    ]
    return f"| {' | '.join(cells)} |"


def _points(change: Change) -> str:
    low, high = change.accuracy_interval
    return f"{100 * change.accuracy:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"


def _percent(change: Change) -> str:
    low, high = change.nfr_interval
    if math.isnan(low):
        # The same flips, or too few of them to tell.
        return "0" if change.nfr == 0 else ""
    return f"{100 * change.nfr:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
