"""Items of the old run that a comparison loses, as columns of the joined items."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from muscle_metrics.runs.joining.losses import (
    CONFLICTING,
    ONLY_IN_OLD,
    OTHER_REFERENCE,
    UNANSWERED_BY_NEW,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.scale.joining import Joining

__all__ = ["LOSSES", "loss_columns"]

LOSSES: Mapping[str, str] = MappingProxyType(
    {
        "lost_absent": ONLY_IN_OLD,
        "lost_conflicting": CONFLICTING,
        "lost_silent": UNANSWERED_BY_NEW,
        "lost_rejudged": OTHER_REFERENCE,
    }
)
"""Reason of each loss by its column; an item is lost for at most one of them."""


def loss_columns(joining: Joining) -> str:
    """Write the SQL of one column per loss, from the columns of the judged items."""
    choices = joining.choices
    # Without the loss, an item that OLD left unanswered would be left out as well.
    known = "in_old AND NOT old_silent" if choices.unanswered == "drop" else "in_old"
    conditions = dict.fromkeys(LOSSES, "FALSE")
    conditions["lost_absent"] = f"only_old AND {known}"
    if choices.conflict == "drop":
        conditions["lost_conflicting"] = f"conflicting AND {known}"
    if choices.unanswered == "drop":
        others = "NOT conflicting" if choices.conflict == "drop" else "TRUE"
        conditions["lost_silent"] = f"unanswered AND {known} AND {others}"
    if choices.conflict in ("own", "last"):
        conditions["lost_rejudged"] = f"conflicting AND {joining.kept}"
    return ", ".join(f"({condition}) AS {name}" for name, condition in conditions.items())
