"""One line with the options that numbers depend on, and a hash of their input."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from muscle_metrics._version import __version__
from muscle_metrics.answers.reading.reading import Reading
from muscle_metrics.comparison.digest import digest, sum_items
from muscle_metrics.flips.thresholds import threshold_sign
from muscle_metrics.scorers import SCORERS
from muscle_metrics.scorers.signature import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy.typing as npt

__all__ = [
    "OF_CHANGES",
    "has_threshold",
    "join_facts",
    "name_answer",
    "name_directions",
    "name_effects",
    "name_key",
    "name_metric",
    "name_recipe",
    "name_recorded",
    "signature_line",
]

OF_CHANGES = " (changed answers only)"


def name_recipe(metric: str, key: str = "none", **others: str) -> dict[str, str]:
    """Name the options that numbers depend on.

    Examples
    --------
    >>> name_recipe("exact_match", name_key(str.lower), missing="error")["key"]
    'builtins:str.lower'
    """
    return {"metric": metric, "key": key, **others}


def name_key(key: Callable[[Any], Any] | None, *, judges: bool = True) -> str:
    """Name the function that normalises answers, and say where it sees nothing but changes.

    Parameters
    ----------
    key : callable, optional
        The function.
    judges : bool
        Whether any metric sees what the function gives. Recorded scores do not.

    Examples
    --------
    >>> name_key(None), name_key(str.strip, judges=False)
    ('none', 'builtins:str.strip (changed answers only)')
    """
    own = key.key if isinstance(key, Reading) else key
    if own is None:
        return "none"
    return describe(own) + ("" if judges else OF_CHANGES)


def name_answer(
    key: Callable[[Any], Any] | None, *, judges: bool = True, by_item: bool = False
) -> dict[str, str]:
    """Name the readers of answers among the options of a recipe; empty without any.

    `by_item` says that they read by the options of each item.

    Examples
    --------
    >>> name_answer(Reading.of("strip,casefold")), name_answer(str.strip)
    ({'answer': 'strip, casefold'}, {})
    """
    if not isinstance(key, Reading):
        return {}
    named = {"answer": key.name + ("" if judges else OF_CHANGES)}
    return {**named, "choices": "of each item"} if by_item else named


def name_metric(
    metric: str,
    *,
    threshold: float | None = None,
    strict: bool = False,
    higher_is_better: bool = True,
) -> str:
    """Name a metric, with the scores that are right.

    Examples
    --------
    >>> name_metric("acc"), name_metric("ter", threshold=50, higher_is_better=False)
    ('acc', 'ter <= 50')
    """
    if threshold is None:
        return metric
    sign = threshold_sign(strict=strict, higher_is_better=higher_is_better)
    limit = threshold if isinstance(threshold, int) else float(threshold)
    return f"{metric} {sign} {limit!r}"


SAMPLES = "samples"
"""Name in a recipe of the generations that each score is a share of."""


def has_threshold(recipe: Mapping[str, str]) -> bool:
    """Whether `name_metric` wrote a threshold into a recipe, or a metric is named as if it had.

    Examples
    --------
    >>> has_threshold({"metric": "acc"}), has_threshold({"metric": "ter <= 50, chrf"})
    (False, True)
    """
    return re.search(" [<>]=? ", recipe.get("metric", "")) is not None


def name_recorded(metric: str) -> str:
    """Name a recorded score, and say so where a scorer has the same name.

    Examples
    --------
    >>> name_recorded("acc"), name_recorded("exact_match")
    ('acc', 'recorded exact_match')
    """
    # Tasks and runs that recorded scores of several names have them joined.
    names = re.split(", | -> ", metric)
    return f"recorded {metric}" if any(n in SCORERS or ":" in n for n in names) else metric


def name_effects(
    *,
    tie: float | None = None,
    minimum_effect: float = 0.0,
    score_range: tuple[float, float] = (-math.inf, math.inf),
) -> dict[str, str]:
    """Name the options of score changes that are not the usual ones.

    Examples
    --------
    >>> name_effects(tie=0.01, score_range=(0, 1))
    {'tie': '0.01', 'score range': '0.0 to 1.0'}
    """
    low, high = map(float, score_range)
    named = {
        "tie": None if tie is None else repr(float(tie)),
        "minimum effect": repr(float(minimum_effect)) if minimum_effect else None,
        "score range": None if (low, high) == (-math.inf, math.inf) else f"{low!r} to {high!r}",
    }
    return {name: text for name, text in named.items() if text is not None}


def name_directions(lower_is_better: Iterable[str]) -> dict[str, str]:
    """Name the metrics whose smaller score is better, as one more option of a recipe.

    Examples
    --------
    >>> name_directions(["ter"]), name_directions([])
    ({'lower is better': 'ter'}, {})
    """
    names = ", ".join(sorted(lower_is_better))
    return {"lower is better": names} if names else {}


def signature_line(
    recipe: Mapping[str, str],
    *,
    keys: Sequence[str],
    columns: Iterable[npt.NDArray[Any] | None],
    dropped: Mapping[str, int],
) -> str:
    """Join version, options, sizes and a hash of keys, correctness and scores into one line.

    Equal lines mean equal counts, whatever the order or format of the files.

    Examples
    --------
    >>> signature_line({"metric": "acc"}, keys=["1"], columns=[], dropped={})
    'muscle-metrics ...; metric acc; items 1; input ...'
    """
    return join_facts(recipe, len(keys), dropped, input=digest(sum_items(keys, columns)))


def join_facts(
    recipe: Mapping[str, str], items: int, dropped: Mapping[str, int], **more: str
) -> str:
    """Join version, options and sizes, and then more facts by name, into one line."""
    facts = {
        "muscle-metrics": __version__,
        **recipe,
        "items": str(items),
        **{f"dropped ({reason})": str(count) for reason, count in dropped.items() if count},
        **more,
    }
    return "; ".join(f"{name} {value}" for name, value in facts.items())
