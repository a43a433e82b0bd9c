"""Forms of answers, counted: how many of each run say nothing, and in which form items broke."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from muscle_metrics.answers.forms import BREAKS, FORMS, SAME_FORM, break_of, looks_of
from muscle_metrics.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.facts import Facts

__all__ = ["AnswerForms", "count_forms", "form_lines"]


@dataclass(frozen=True, slots=True)
class AnswerForms:
    r"""How many answers have each form.

    Parameters
    ----------
    runs : tuple of mapping of str to int
        Answers of the old and of the new run by the name of their form, as `FORMS` lists them.
    broken : mapping of str to int
        Items that broke, by the change of form from the old answer to the new one, as `BREAKS`
        lists them. Empty where no threshold says which items are right.
    others : mapping of str to int
        The same for all other items.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> answers = {"old": ["A", "B"], "new": ["```\nA\n```", "B"], "references": ["A", "B"]}
    >>> forms = count_forms(compare(**answers))
    >>> forms.broken
    {'into_code_fence': 1}
    >>> print(*forms.lines(), sep="; ")
    of 1 broken item, 1 moved into a code fence (as did 0 of 1 other)
    """

    runs: tuple[Mapping[str, int], Mapping[str, int]]
    broken: Mapping[str, int] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """Say in which form items broke, and how many answers of each run say nothing."""
        if set(self.broken) - {SAME_FORM}:
            rest = sum(self.others.values())
            parts = [
                f"{self.broken[one.name]} {one.did}"
                + ("" if one.name == SAME_FORM else self._others(one.name, rest))
                for one in BREAKS
                if one.name in self.broken
            ]
            number = counted(sum(self.broken.values()), "broken item")
            yield f"of {number}, {', '.join(parts)}"
        old, new = self.runs
        faults = [
            f"{form.title} {old.get(form.name, 0)} in old, {new.get(form.name, 0)} in new"
            for form in FORMS
            if form.is_fault and (form.name in old or form.name in new)
        ]
        if faults:
            yield f"answers that say nothing, or not all: {'; '.join(faults)}"

    def described(self) -> dict[str, Any]:
        """Describe the counts as plain data: every form, and every change of form."""
        old, new = self.runs
        return {
            "old": {form.name: old.get(form.name, 0) for form in FORMS},
            "new": {form.name: new.get(form.name, 0) for form in FORMS},
            "broken": {one.name: self.broken.get(one.name, 0) for one in BREAKS},
            "others": {one.name: self.others.get(one.name, 0) for one in BREAKS},
        }

    def _others(self, name: str, rest: int) -> str:
        return f" (as did {self.others.get(name, 0)} of {counted(rest, 'other')})" if rest else ""


def count_forms(comparison: Comparison) -> AnswerForms | None:
    """Count the forms of both runs' answers.

    Parameters
    ----------
    comparison : Comparison
        Old against new, with its items in memory.

    Returns
    -------
    AnswerForms or None
        None where a run recorded no answers, but verdicts or scores alone.
    """
    old, new = comparison.table.old, comparison.table.new
    correctness = comparison.correctness
    # Where no answers are recorded, scores are shown in their place.
    is_known = correctness is not None and correctness.changed is not None
    if not is_known and not (_has_texts(old) and _has_texts(new)):
        return None
    looks = looks_of(old), looks_of(new)
    if correctness is None:
        return AnswerForms(
            (Counter(one.form for one in looks[0]), Counter(one.form for one in looks[1]))
        )
    broke = (correctness.old_right & ~correctness.new_right).tolist()
    # Few combinations are distinct, however many items there are.
    found = Counter(zip(*looks, broke, strict=True))
    runs: tuple[Counter[str], Counter[str]] = Counter(), Counter()
    changes: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for (before, after, is_broken), items in found.items():
        runs[0][before.form] += items
        runs[1][after.form] += items
        changes[is_broken][break_of(before, after)] += items
    return AnswerForms(runs, dict(changes[True]), dict(changes[False]))


def _has_texts(shown: Sequence[Any]) -> bool:
    return any(isinstance(answer, str) for answer in shown)


def form_lines(comparison: Facts | None) -> list[str]:
    """Lines of `AnswerForms`; none without answers, or where nothing was compared."""
    forms = None if comparison is None else comparison.answer_forms
    return [] if forms is None else list(forms.lines())
