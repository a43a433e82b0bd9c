"""One line with the options that numbers depend on, and a hash of their input."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from muscle_metrics._version import __version__
from muscle_metrics.flips.thresholds import threshold_sign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = [
    "join_facts",
    "name_directions",
    "name_metrics",
    "name_recipe",
    "signature_line",
]

DIGEST_LENGTH = 12


def name_recipe(metric: str, key: Callable[[Any], Any] | None, **others: str) -> dict[str, str]:
    """Name the options that numbers depend on.

    Examples
    --------
    >>> name_recipe("exact_match", str.lower, missing="error")["key"]
    'str.lower'
    """
    name = "none" if key is None else getattr(key, "__qualname__", type(key).__name__)
    return {"metric": metric, "key": name, "interval": "wilson 0.95", **others}


def name_metrics(
    metrics: Iterable[str],
    threshold: float | None = None,
    *,
    strict: bool = False,
    higher_is_better: bool = True,
) -> str:
    """Name the metrics, and the threshold that makes scores of the first one right or wrong.

    Examples
    --------
    >>> name_metrics(["ter", "rouge1"], 50, higher_is_better=False)
    'ter <= 50, rouge1'
    """
    names = list(dict.fromkeys(metrics))
    if threshold is not None:
        sign = threshold_sign(strict=strict, higher_is_better=higher_is_better)
        names[:1] = [f"{names[0]} {sign} {threshold!r}"]
    return ", ".join(names)


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
    ids: Sequence[str],
    columns: Iterable[npt.NDArray[Any] | None],
    dropped: Mapping[str, int],
) -> str:
    """Join version, options, sizes and a hash of ids, correctness and scores into one line.

    Equal lines mean equal counts, whatever the order or format of the files.

    Examples
    --------
    >>> signature_line({"metric": "acc"}, ids=["1"], columns=[], dropped={})
    'muscle-metrics ...; metric acc; items 1; input ...'
    """
    digest = hashlib.sha256(json.dumps(list(ids)).encode())
    for column in columns:
        digest.update(b"unknown" if column is None else np.ascontiguousarray(column).tobytes())
    return join_facts(recipe, len(ids), dropped, input=digest.hexdigest()[:DIGEST_LENGTH])


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
