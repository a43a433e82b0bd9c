"""How a score field is read: values that mean "no score", such as -1 or NaN, and lists."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from muscle_metrics.errors import UsageError, check_choice

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NO_SENTINELS", "ListScore", "MissingScore", "Sentinels", "number_of_text"]

MissingScore: TypeAlias = "str | float | Sequence[str | float] | None"
"""One text or number, or several of them."""

ListScore: TypeAlias = Literal["all", "share"]
"""Whether a list of true and false scores 1 where all are true, or their share of it."""

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


_FLAG = "(?:[Tt]rue|[Ff]alse)"
_FLAGS = re.compile(rf"\[\s*{_FLAG}(?:\s*,\s*{_FLAG})*\s*\]")


@dataclass(frozen=True, slots=True)
class Sentinels:
    """The declared values, which match a score by its text or by its number.

    Parameters
    ----------
    texts : tuple of str
        Texts that mean no score.
    numbers : tuple of float
        Numbers that mean no score; nan matches every nan.
    lists : {"all", "share"}, optional
        What the score of a list of true and false is; by default it has none.

    Examples
    --------
    >>> declared = Sentinels.of("-1")
    >>> declared.matches(-1.0), declared.matches(True), declared.matches("-1.0")
    (True, False, True)
    """

    texts: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()
    lists: ListScore | None = None

    @classmethod
    def of(cls, values: MissingScore, lists: ListScore | None = None) -> Sentinels:
        """Declare values: each a number, or a text that also stands for the number it spells.

        Raises
        ------
        UsageError
            If a value is neither text nor a number.
        """
        if lists is not None:
            check_choice("list_score", lists, get_args(ListScore))
        if values is None:
            return cls(lists=lists)
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
            lists=lists,
        )

    def __bool__(self) -> bool:
        return bool(self.texts or self.numbers or self.lists)

    def matches(self, value: object) -> bool:
        """Whether a value is declared missing, as a text or as the number that it is or spells."""
        if isinstance(value, str):
            return value in self.texts or self.matches(number_of_text(value))
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return any(value == one or (value != value and math.isnan(one)) for one in self.numbers)

    def of_list(self, value: object) -> float | None:
        """Score of a list of true and false; None for any other value, and an empty list.

        Examples
        --------
        >>> Sentinels(lists="share").of_list([True, False]), Sentinels().of_list([True])
        (0.5, None)
        """
        # Files without lists spell them, as in "[True, False]".
        if isinstance(value, str) and _FLAGS.fullmatch(value):
            value = [word.lower() == "true" for word in re.findall(r"[A-Za-z]+", value)]
        if self.lists is None or not isinstance(value, list) or not value:
            return None
        if not all(isinstance(one, bool) for one in value):
            return None
        share = sum(value) / len(value)
        return share if self.lists == "share" else float(share == 1)


NO_SENTINELS = Sentinels()
