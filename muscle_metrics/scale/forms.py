"""Forms of joined answers: plain texts are counted by SQL, and Python looks at the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muscle_metrics.answers.forms import SAME_FORM, break_of, looks_of
from muscle_metrics.comparison.answer_forms import AnswerForms
from muscle_metrics.scale.database import reading
from muscle_metrics.scale.encoding import decode_value
from muscle_metrics.scale.form_marks import OTHER_FORM

if TYPE_CHECKING:
    from collections.abc import Callable

    from muscle_metrics.scale.counting import Tally
    from muscle_metrics.scale.joining import Joining

__all__ = ["FormCounts", "count_other_forms", "forms_of"]

_PLAIN = "text"
_CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class FormCounts:
    """Forms of some items' answers, counted; `a + b` counts the items of both."""

    old: Counter[str]
    new: Counter[str]
    broken: Counter[str]
    others: Counter[str]

    def __add__(self, other: FormCounts) -> FormCounts:
        return FormCounts(
            self.old + other.old,
            self.new + other.new,
            self.broken + other.broken,
            self.others + other.others,
        )


def count_other_forms(database: Any, joining: Joining) -> FormCounts:
    """Look at the answers of the items that carry the mark."""
    counts = FormCounts(Counter(), Counter(), Counter(), Counter())
    query = f"""
        SELECT old, new, old_right AND NOT new_right FROM ({joining.items})
        WHERE {joining.kept} AND {OTHER_FORM}
    """
    with reading():
        result = database.execute(query)
        while rows := result.fetchmany(_CHUNK):
            old, new = (looks_of(decode_value(row[run]) for row in rows) for run in (0, 1))
            for before, after, row in zip(old, new, rows, strict=True):
                counts.old[before.form] += 1
                counts.new[after.form] += 1
                (counts.broken if row[2] else counts.others)[break_of(before, after)] += 1
    return counts


def forms_of(
    joining: Joining, found: Tally, look: Callable[[], FormCounts], *, is_graded: bool
) -> AnswerForms | None:
    """Forms of all answers, as memory counts them; None where a run records no answers."""
    left_out = joining.left_out
    answered = [found.count(f"{run}_answered", without=left_out) for run in ("old", "new")]
    if not (joining.has_answers and all(answered)):
        return None
    without = {*left_out, OTHER_FORM}
    plain = found.count(without=without)
    broken = found.count("old_right", without={*without, "new_right"})
    same = Counter({SAME_FORM: broken}), Counter({SAME_FORM: plain - broken})
    counts = FormCounts(Counter({_PLAIN: plain}), Counter({_PLAIN: plain}), *same)
    if found.count(OTHER_FORM, without=left_out):
        counts += look()
    # Sums leave out what is 0.
    counts += FormCounts(Counter(), Counter(), Counter(), Counter())
    runs = dict(counts.old), dict(counts.new)
    if is_graded:
        return AnswerForms(runs)
    return AnswerForms(runs, dict(counts.broken), dict(counts.others))
