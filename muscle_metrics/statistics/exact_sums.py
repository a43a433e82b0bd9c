"""Sums of floats without rounding: any order and any partition give the same bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from muscle_metrics.errors import InputError

__all__ = ["ExactSum"]

# Every float is a whole number of units of 2**-1074, the smallest one above zero.
UNIT_EXPONENT = 1074
MANTISSA_BITS = 53


@dataclass(frozen=True, slots=True)
class ExactSum:
    """A sum of floats, as a whole number of `units` of 2**-1074.

    `math.fsum` is exact for one list, but a sum of its results is rounded twice. An `ExactSum` is
    not: shards may be summed separately and merged in any order.

    Examples
    --------
    >>> shards = ExactSum.of([1e16, 1.0]) + ExactSum.of([-1e16])
    >>> float(shards)
    1.0
    """

    units: int = 0

    @classmethod
    def of(cls, values: npt.ArrayLike) -> ExactSum:
        """Sum finite values; nan and infinities raise `InputError`."""
        column = np.asarray(values, dtype=np.float64)
        if not np.isfinite(column).all():
            raise InputError("expected finite numbers to sum, got nan or inf: drop these values")
        fractions, exponents = np.frexp(column)
        mantissas = np.ldexp(fractions, MANTISSA_BITS).astype(np.int64)
        # Sixteen bits are sorted by radix, in linear time.
        order = np.argsort(exponents.astype(np.int16), kind="stable")
        mantissas, exponents = mantissas[order], exponents[order]
        starts = np.flatnonzero(np.diff(exponents, prepend=exponents[:1] - 1))
        if not len(column):
            return cls()
        # Sum halves of mantissas: a thousand whole ones overflow int64.
        highs = np.add.reduceat(mantissas >> 32, starts).tolist()
        lows = np.add.reduceat(mantissas & 0xFFFFFFFF, starts).tolist()
        return cls(sum(map(_in_units, highs, lows, exponents[starts].tolist())))

    def __add__(self, other: ExactSum) -> ExactSum:
        return ExactSum(self.units + other.units)

    def __float__(self) -> float:
        return self.units / (1 << UNIT_EXPONENT)


def _in_units(high: int, low: int, exponent: int) -> int:
    places = exponent + UNIT_EXPONENT - MANTISSA_BITS
    # Subnormal numbers lose only zero bits in the right shift.
    return ((high << 32) + low) << max(places, 0) >> max(-places, 0)
