"""One named way to read answers, and the references that judge them."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Reader"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What counts of an answer, and what of a reference.

    Parameters
    ----------
    name : str
        Name in options and signatures, such as "number".
    does : str
        One line for help and documentation.
    prediction : callable
        Takes an answer and the options; gives what counts of it in one spelling, or None where it
        holds no such answer.
    reference : callable
        Takes a reference and the options; gives what counts of it, or None where it cannot be read,
        or is more than what is read: 3/2 is no number 2. What it gives reads as itself.
    same : callable
        Whether what was read of an answer is what was read of a reference; takes the options too.
    options : mapping
        Bound options.
    """

    name: str
    does: str
    prediction: Callable[..., Any]
    reference: Callable[..., Any]
    same: Callable[..., bool] = operator.eq
    options: Mapping[str, Any] = field(default_factory=dict)
