"""One named way to read answers, and the references that judge them."""

from __future__ import annotations

import inspect
import operator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import UsageError
from muscle_metrics.words.suggestion import nearest_name

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
    mismatch : callable, optional
        Takes an answer, a reference and the options; gives the one reason why they differ, or "".
    unanswered : bool
        Whether an answer in which nothing is found counts as none given, and not as a wrong one.
    within : tuple of callable, optional
        How answers, and how references, are read where the letters of the options of an item are
        known. Each takes the bound function, these letters and the text.
    """

    name: str
    does: str
    prediction: Callable[..., Any]
    reference: Callable[..., Any]
    same: Callable[..., bool] = operator.eq
    options: Mapping[str, Any] = field(default_factory=dict)
    mismatch: Callable[..., str] | None = None
    unanswered: bool = False
    within: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    @property
    def defaults(self) -> dict[str, Any]:
        """Every option that it takes, with its default."""
        functions = ((self.prediction, 1), (self.reference, 1), (self.same, 2))
        named = {
            one.name: one.default
            for function, texts in functions
            for one in _parameters(function)[texts:]
            if one.kind in (one.KEYWORD_ONLY, one.POSITIONAL_OR_KEYWORD)
        }
        return {**named, **self.options}

    @property
    def takes_choices(self) -> bool:
        """Whether it reads by the options of each item; options that a user names come first."""
        return self.within is not None and "choices" not in self.options

    def of_item(self, letters: str) -> Reader:
        """Read as one item has it, whose options have these letters."""
        if self.within is None or not self.takes_choices:
            return self
        of_answers, of_references = self.within
        return replace(
            self,
            prediction=partial(of_answers, self.prediction, letters),
            reference=partial(of_references, self.reference, letters),
        )

    def bind(self, options: Mapping[str, Any]) -> Reader:
        """Bind options to its functions, each to those that it takes.

        Raises
        ------
        UsageError
            If it has no such option, or an option cannot have this value.
        """
        known = self.defaults
        for name in options:
            if name not in known:
                near = nearest_name(name, known)
                raise UsageError(
                    f"expected an option of the answer reader {self.name!r}, which has "
                    f"{', '.join(sorted(known)) or 'none'}, got {name!r} for --answer (answer=): "
                    f"{f'did you mean {near!r}?' if near else 'leave it out'}"
                )
        wanted = {**self.options, **options}
        bound = replace(
            self,
            prediction=_bound(self.prediction, wanted),
            reference=_bound(self.reference, wanted),
            same=_bound(self.same, wanted),
            mismatch=self.mismatch and _bound(self.mismatch, wanted),
            options=wanted,
        )
        # A value that the option cannot have is refused before any answer is read.
        bound.prediction("")
        bound.reference("")
        return bound


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except ValueError:  # a function written in C may tell none
        return []


def _bound(function: Callable[..., Any], options: Mapping[str, Any]) -> Callable[..., Any]:
    parameters = _parameters(function)
    takes_all = any(one.kind is one.VAR_KEYWORD for one in parameters)
    names = options.keys() if takes_all else {one.name for one in parameters} & options.keys()
    return partial(function, **{name: options[name] for name in names}) if names else function
