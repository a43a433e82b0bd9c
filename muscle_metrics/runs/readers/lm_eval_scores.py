"""Scores of a row of lm-evaluation-harness: only those of this very item."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import InputError
from muscle_metrics.runs.columns import find
from muscle_metrics.runs.values import score_of
from muscle_metrics.words.place import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["LOWER_IS_BETTER", "OF_ONE_ITEM", "scores_of"]

_FIELDS = frozenset(
    {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"}
    | {"doc_hash", "prompt_hash", "target_hash"}
)
# Fields of a row that --predict_only writes in place of a score.
_NO_SCORES = frozenset({"bypass"})
# What the harness takes the mean of before it makes one number of a corpus of it: log-likelihoods,
# alone or with their number of words or bytes. Of one item it makes this.
OF_ONE_ITEM: Mapping[str, Callable[[float], float]] = {
    "perplexity": lambda mean: math.exp(-mean),
    "word_perplexity": lambda mean: math.exp(-mean),
    "byte_perplexity": lambda mean: math.exp(-mean),
    "bits_per_byte": lambda mean: -mean / math.log(2),
}
# As the harness registers them; for a samples file without its results beside it.
LOWER_IS_BETTER = frozenset({*OF_ONE_ITEM, "brier_score", "ter"})


def scores_of(row: Mapping[str, Any]) -> dict[str, float]:
    """Every metric that has a score for this very item; NaN and null are none.

    Raises
    ------
    InputError
        If a score is neither a number nor what the harness collects for a corpus.

    Examples
    --------
    >>> row = {"metrics": ["acc", "bleu", "bypass"], "acc": 1.0, "bleu": ["a", "b"], "bypass": 999}
    >>> scores_of(row)
    {'acc': 1.0}
    """
    names = row.get("metrics")
    if names is None:
        names = [name for name in row if name not in _FIELDS]
    elif not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"expected a list of names in the field 'metrics', got {describe(names)}: evaluate the "
            f"task again"
        )
    scores = {}
    for name in names:
        value = row[name] if name in row else find(row, name, "metric")
        if name not in OF_ONE_ITEM and type(value) is float and math.isfinite(value):
            scores[name] = value
        elif name not in _NO_SCORES and (score := _score_of(value, name)) is not None:
            scores[name] = score
    return scores


def _score_of(value: Any, name: str) -> float | None:
    if hasattr(value, "item"):
        value = value.item()
    if name in OF_ONE_ITEM and value is not None:
        return _score_of_one_item(value, name)
    if isinstance(value, (list, tuple, dict, str)):
        # What a corpus metric collects of every item, such as reference and prediction of bleu.
        return None
    return None if isinstance(value, float) and math.isnan(value) else score_of(value, name)


def _score_of_one_item(value: object, name: str) -> float | None:
    pair = value if isinstance(value, (list, tuple)) else (value, 1)
    likelihood, size = (score_of(part, name) or 0.0 for part in pair) if len(pair) == 2 else (0, 0)
    try:
        return OF_ONE_ITEM[name](likelihood / size)
    except (OverflowError, ZeroDivisionError):
        return None
