"""Axes of charts: where the ticks stand."""

from __future__ import annotations

import math
from typing import NamedTuple

from muscle_metrics.reports.html.wording import place

__all__ = ["Scale", "Tick", "scale_from_zero"]

STEPS = (1, 2, 2.5, 5, 10)
MOST_TICKS = 5


class Tick(NamedTuple):
    """A label of an axis, and where it stands.

    Examples
    --------
    >>> Tick("5%", "50.000%").text
    '5%'
    """

    text: str
    at: str


class Scale(NamedTuple):
    """An axis from 0 to its last tick.

    Examples
    --------
    >>> Scale(0.1, []).at(0.05)
    '50.000%'
    """

    end: float
    ticks: list[Tick]

    def at(self, value: float) -> str:
        """Where a value stands, from the left."""
        return place(value / self.end)


def scale_from_zero(largest: float, *, unit: str = "%") -> Scale:
    """Axis of round numbers from 0 to a little beyond the largest value.

    Examples
    --------
    >>> [tick.text for tick in scale_from_zero(0.17).ticks]
    ['0%', '5%', '10%', '15%', '20%']
    >>> [tick.text for tick in scale_from_zero(0.4, unit="").ticks]
    ['0', '0.1', '0.2', '0.3', '0.4']
    """
    factor = 100 if unit == "%" else 1
    most = max(largest, 1e-6) * factor
    power = 10 ** math.floor(math.log10(most / MOST_TICKS))
    step = next(s * power for s in STEPS if s * power * MOST_TICKS >= most * (1 - 1e-9))
    ticks = math.ceil(most / step - 1e-9)
    end = step * ticks
    marks = [Tick(f"{step * i:.6g}{unit}", place(step * i / end)) for i in range(ticks + 1)]
    return Scale(end / factor, marks)
