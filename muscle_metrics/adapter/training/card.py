"""The model card of a compatible adapter: what it is for, and the table of before and after."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from muscle_metrics.words.escape import markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.adapter.config import CompatibilityConfig
    from muscle_metrics.adapter.evaluation.selection import Standing

__all__ = ["write_card"]


def write_card(
    *,
    old: str,
    new: str,
    start: Standing,
    best: Standing,
    config: CompatibilityConfig,
    notes: Sequence[str],
) -> str:
    """Write a card in Markdown.

    Parameters
    ----------
    old, new : str
        Names of the base models.
    start, best : Standing
        The new model as it was, and the epoch that was kept, on the validation items.
    config : CompatibilityConfig
    notes : sequence of str
        What was seen and decided.

    Returns
    -------
    str

    Examples
    --------
    >>> from muscle_metrics.adapter.config import CompatibilityConfig
    >>> from muscle_metrics.adapter.evaluation.selection import measure_standing
    >>> start = measure_standing(old=[1, 1], new=[0, 1], epoch=0)
    >>> config = CompatibilityConfig()
    >>> card = write_card(old="v1", new="v2", start=start, best=start, config=config, notes=[])
    >>> print(card.splitlines()[12])
    | negative flips | 50.00% | 50.00% |
    """
    rows = [
        ("accuracy", start.accuracy, best.accuracy),
        ("negative flips", start.negative_flip_rate, best.negative_flip_rate),
        ("positive flips", start.positive_flip_rate, best.positive_flip_rate),
    ]
    lines = [
        "---",
        "library_name: peft",
        # A text in JSON is a text in YAML.
        f"base_model: {json.dumps(new)}",
        "tags: [compatibility, muscle-metrics]",
        "---",
        "# Compatibility adapter",
        "",
        f"It fits {markdown(new)} to its task and keeps the right answers of {markdown(old)}.",
        "",
        f"| on {start.items} validation items | before | after |",
        "|---|---|---|",
        *(f"| {name} | {before:.2%} | {after:.2%} |" for name, before, after in rows),
        "",
        f"Before is the new model as it was, after is epoch {best.epoch:g}, which was chosen on "
        "these items; rates on other items will be less favourable. Flips are counted against the "
        "old model: a negative flip is an item that it got right and this model gets wrong.",
        "",
        f"Strategy {config.strategy}, temperature {config.temperature:g}, seed {config.seed}.",
        "",
        *(f"- {markdown(note)}" for note in notes),
    ]
    return "\n".join(lines) + "\n"
