"""Where each epoch stands against the old model, and which epoch is kept."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.errors import InputError
from muscle_metrics.flips.changes import measure_changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muscle_metrics.adapter.config import SelectBy

__all__ = ["Standing", "choose_standing", "measure_standing"]


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
        """Plain data; null in JSON where something was not computed."""
        values = asdict(self)
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in values.items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Standing:
        """Read what `to_dict` wrote."""
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
    """Measure a model against the old one.

    Parameters
    ----------
    old, new : sequence of float or bool, length N
        Score of each item; higher is better.
    epoch : float
    minimum_effect : float
        A score must change by more than this to count as a flip.
    **losses
        `loss`, `kl_to_old` and `kl_to_new`.

    Returns
    -------
    Standing

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
    """Choose the epoch to keep.

    Parameters
    ----------
    standings : sequence of Standing
        The start first, whose accuracy is the new model's.
    select_by : {"negative_flips", "loss"}
        The least negative flips among those at least as accurate as the start, then the highest
        accuracy, then the earliest; or the least loss.

    Returns
    -------
    Standing
    """
    if select_by == "loss":
        known = [standing for standing in standings if not math.isnan(standing.loss)]
        return min(known or standings, key=lambda standing: standing.loss)
    floor = standings[0].accuracy
    return min(
        (standing for standing in standings if standing.accuracy >= floor),
        key=lambda standing: (standing.negative_flip_rate, -standing.accuracy),
    )
