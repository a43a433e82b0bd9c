"""Accuracy and flips of each epoch against the old model, and the epoch that is kept."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from muscle_metrics.errors import InputError
from muscle_metrics.flips.changes import measure_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from muscle_metrics.adapter.config import SelectBy

__all__ = ["Standing", "choose_standing", "fewest_flips", "measure_standing"]


class _HasAccuracy(Protocol):
    @property
    def accuracy(self) -> float: ...


_Accurate = TypeVar("_Accurate", bound=_HasAccuracy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A model on the validation items, against the old model.

    Parameters
    ----------
    epoch : float
        0 is the start: the new model as it was.
    accuracy : float
        Mean score; the share of right items where scores are 0 or 1.
    negative_flip_rate, positive_flip_rate : float
        Shares of all items, in [0, 1].
    items : int
        Number of items.
    loss : float
        Loss per token, in nats; nan where it was not computed.
    kl_to_old, kl_to_new : float
        Mean divergence from each teacher per token at the temperature of the loss, in nats.
    """

    epoch: float
    accuracy: float
    negative_flip_rate: float
    positive_flip_rate: float
    items: int
    loss: float = math.nan
    kl_to_old: float = math.nan
    kl_to_new: float = math.nan

    def __str__(self) -> str:
        loss = "" if math.isnan(self.loss) else f", loss {self.loss:.4f}"
        return (
            f"epoch {self.epoch:g}: accuracy {self.accuracy:.2%}, negative flips "
            f"{self.negative_flip_rate:.2%}, positive flips {self.positive_flip_rate:.2%}{loss}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data; a value that was not computed is None."""
        values = asdict(self)
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in values.items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Standing:
        """Read the plain data of `to_dict`."""
        known: dict[str, Any] = {
            name: math.nan if value is None else value for name, value in values.items()
        }
        return cls(**known)


def measure_standing(
    *,
    old: Sequence[float],
    new: Sequence[float],
    epoch: float,
    minimum_effect: float = 0.0,
    **losses: float,
) -> Standing:
    """Measure a model against the old one by the scores of N items; higher is better.

    `losses` are `loss`, `kl_to_old` and `kl_to_new`.

    Raises
    ------
    InputError
        If there is no item, lengths differ, or a score is not finite.
    """
    if not len(old):
        raise InputError(
            "expected at least 1 validation item to judge epochs by, got none: give validation data"
        )
    changes = measure_changes(
        old=np.asarray(old, dtype=np.float64),
        new=np.asarray(new, dtype=np.float64),
        minimum_effect=minimum_effect,
        low=-math.inf,
        high=math.inf,
    )
    return Standing(
        epoch=epoch,
        accuracy=float(np.mean(np.asarray(new, dtype=np.float64))),
        negative_flip_rate=float(changes.negative_flip_rate),
        positive_flip_rate=float(changes.positive_flip_rate),
        items=len(old),
        **losses,
    )


def choose_standing(standings: Sequence[Standing], select_by: SelectBy) -> Standing:
    """Choose the epoch to keep: by `fewest_flips`, or the least loss. The start comes first."""
    if select_by == "loss":
        known = [standing for standing in standings if not math.isnan(standing.loss)]
        return min(known or standings, key=lambda standing: standing.loss)
    return fewest_flips(standings, lambda standing: standing.negative_flip_rate)


def fewest_flips(candidates: Sequence[_Accurate], rate: Callable[[_Accurate], float]) -> _Accurate:
    """Choose the least negative flips with no loss of accuracy against the first candidate.

    Of equals, the more accurate, then the earlier.
    """
    floor = candidates[0].accuracy
    return min(
        (one for one in candidates if one.accuracy >= floor),
        key=lambda one: (rate(one), -one.accuracy),
    )
