"""Values of a score field that a file uses for "no score", such as -1 or NaN."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NO_SENTINELS", "MissingScore", "Sentinels", "number_of_text"]

MissingScore: TypeAlias = "str | float | Sequence[str | float] | None"
"""One text or number, or several of them."""

_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def number_of_text(text: str) -> float | None:
    """Read a decimal number, or NaN in any case, from a whole text.

    Examples
    --------
    >>> number_of_text("-1"), number_of_text("NaN"), number_of_text("1_0")
    (-1.0, nan, None)
    """
    is_number = _NUMBER.fullmatch(text) or text.lower() == "nan"
    return float(text) if is_number else None


@dataclass(frozen=True, slots=True)
class Sentinels:
    """The declared values, which match a score by its text or by its number.

    Parameters
    ----------
    texts : tuple of str
        Texts that mean no score.
    numbers : tuple of float
        Numbers that mean no score; nan matches every nan.

    Examples
    --------
    >>> declared = Sentinels.of("-1")
    >>> declared.matches(-1.0), declared.matches(True), declared.matches("-1.0")
    (True, False, True)
    """

    texts: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()

    @classmethod
    def of(cls, values: MissingScore) -> Sentinels:
        """Declare values: each a number, or a text that also stands for the number it spells.

        Raises
        ------
        UsageError
            If a value is neither text nor a number.
        """
        if values is None:
            return NO_SENTINELS
        listed = [values] if isinstance(values, str | int | float) else list(values)
        for value in listed:
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise UsageError(
                    f"expected a text or a number as --missing-score (missing_score=), got "
                    f"{value!r}: pass the value that means no score, such as -1"
                )
        spelled = [number_of_text(one) if isinstance(one, str) else float(one) for one in listed]
        return cls(
            texts=tuple(one for one in listed if isinstance(one, str)),
            numbers=tuple(number for number in spelled if number is not None),
        )

    def __bool__(self) -> bool:
        return bool(self.texts or self.numbers)

    def matches(self, value: object) -> bool:
        """Whether a value is declared missing, as a text or as the number that it is or spells."""
        if isinstance(value, str):
            return value in self.texts or self.matches(number_of_text(value))
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return any(value == one or (value != value and math.isnan(one)) for one in self.numbers)


NO_SENTINELS = Sentinels()
