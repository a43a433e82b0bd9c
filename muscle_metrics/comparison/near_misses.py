"""Hints where old is right on almost nothing: then hardly anything could break.

The usual cause is a format: sentences are compared with labels, or texts that differ in case or in
white space. Each remedy is tried on the answers at hand before it is named.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from muscle_metrics.answers.reading.blocks import without_reasoning
from muscle_metrics.answers.reading.reading import Reading
from muscle_metrics.words.escape import visible
from muscle_metrics.words.numbers import counted
from muscle_metrics.words.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.flips.counts import FlipCounts

__all__ = ["find_better_reading", "near_miss_lines", "reading_to_try", "right_on_almost_nothing"]

# Guessing among fifty choices is right on 2 %: a model below that answers in another format, or
# knows nothing of the task. From 30 right items on, a rate of what broke can be estimated.
_LEAST_SHARE = 0.02
_ENOUGH_RIGHT = 30

_MOST_ITEMS = 1000
# Answers of a reasoning model may hold megabytes: extraction reads all of it.
_MOST_CHARACTERS = 2_000_000
_LONGEST_SHOWN = 60
_MOST_REFERENCES = 2

# The mildest first: of several that work equally well, the first is named.
_TRIES = (
    "strip", "casefold", "strip, casefold", "nfkc, strip, casefold", "squad", "no-fence",
    "yes-no", "letter", "number", "boxed", "last-number", "letters", "first-line, strip, casefold",
    "last-line, strip, casefold",
)  # fmt: skip
# Reasoning goes first: a reader would take its numbers and letters for answers.
_REASONING = "no-think"


class _Sample(NamedTuple):
    """Old answers and their accepted references, of all items or of some drawn ones."""

    answers: list[str]
    references: list[list[str]]
    is_all: bool

    def right(self, reading: Reading | None) -> int:
        """Count the answers that equal a reference as they are read; 0 if a reference cannot be."""
        pairs = zip(self.answers, self.references, strict=True)
        if reading is None:
            return sum(answer in accepted for answer, accepted in pairs)
        right = 0
        for answer, accepted in pairs:
            read = [reading.reference(one) for one in accepted]
            texts = [one for one in read if one is not None]
            if len(texts) < len(read):
                return 0
            right += reading.read(answer, texts).text in texts
        return right

    def of_whole(self, count: int) -> str:
        whole = f"{count} of {len(self.answers)}"
        return whole if self.is_all else f"{whole} sampled items"


def right_on_almost_nothing(counts: FlipCounts) -> bool:
    """Whether old is right on no item, or on under 2 % of them and on fewer than 30.

    Examples
    --------
    >>> from muscle_metrics import FlipCounts
    >>> right_on_almost_nothing(FlipCounts(both_right=0, negative=10, positive=0, both_wrong=990))
    True
    >>> right_on_almost_nothing(FlipCounts(both_right=2, negative=0, positive=0, both_wrong=8))
    False
    """
    return _almost_nothing(counts.old_right, counts.total)


def near_miss_lines(comparison: Facts, *, texts: bool = True) -> list[str]:
    """Warn where old is right on almost nothing, and name the option that would change it.

    Parameters
    ----------
    comparison : Comparison or CountedComparison
        Old against new. Where an engine counted, only the numbers are known.
    texts : bool
        Whether lines may quote answers and references.

    Returns
    -------
    list of str
        No line where there is nothing to warn of; else a warning, and a hint if one option makes
        enough of old right. Untrusted text in them is escaped.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> answers = [f"The answer is ({letter})." for letter in "ABC"]
    >>> comparison = compare(old=answers, new=answers, references=list("ABC"))
    >>> warning, hint = near_miss_lines(comparison, texts=False)
    >>> print(warning)
    warning: old is right on 0 of 3 items, so hardly anything could break
    >>> print(hint)
    hint: old would be right on 3 of 3 with --answer letter (answer=), ...
    """
    if not comparison.is_judged or not right_on_almost_nothing(comparison.counts):
        return []
    counts = comparison.counts
    warning = (
        f"warning: old is right on {counts.old_right} of {counted(counts.total, 'item')}, so "
        f"hardly anything could break"
    )
    held = comparison.in_memory
    if held is None:
        return [warning]
    shown = "; ".join(_pairs(held)) if texts else ""
    lines = [f"{warning}: {shown}" if shown else warning]
    return [*lines, *_hints(held)]


def _almost_nothing(right: int, total: int) -> bool:
    return right == 0 or (right < _ENOUGH_RIGHT and right < _LEAST_SHARE * total)


def _pairs(comparison: Comparison) -> Iterator[str]:
    """Two items that old got wrong."""
    table, correctness = comparison.table, comparison.correctness
    if correctness is None:
        return
    wrong = [
        row
        for row in np.flatnonzero(~correctness.old_right).tolist()
        if table.old[row] is not None and table.references[row] is not None
    ]
    first = wrong[:1]
    # The next one has another reference, if there is one.
    others = [row for row in wrong[1:] if table.references[row] != table.references[first[0]]]
    for row in [*first, *(others or wrong[1:])[:1]]:
        accepted = _accepted(table.references[row])
        reference = " or ".join(map(_brief, accepted[:_MOST_REFERENCES]))
        more = ", ..." if len(accepted) > _MOST_REFERENCES else ""
        yield f"it answered {_brief(table.old[row])} where the reference is {reference}{more}"


def reading_to_try(comparison: Comparison) -> str | None:
    """Readers that `near_miss_lines` names, as ``--answer`` takes them; None if it names none.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> answers = [f"The answer is ({letter})." for letter in "ABC"]
    >>> reading_to_try(compare(old=answers, new=answers, references=list("ABC")))
    'letter'
    """
    if comparison.correctness is None or not right_on_almost_nothing(comparison.counts):
        return None
    found = comparison.better_reading
    return None if found is None else _written(found)


def find_better_reading(comparison: Comparison) -> Reading | None:
    """Try readers on old; None where none makes enough of it right, or no texts are compared."""
    sample = _texts_compared(comparison)
    return None if sample is None else _best_reading(sample)


def _hints(comparison: Comparison) -> list[str]:
    sample = _texts_compared(comparison)
    if sample is None:
        return []
    found = comparison.better_reading
    if found is None:
        return _containing(sample)
    return [
        f"hint: old would be right on {sample.of_whole(sample.right(found))} with --answer "
        f"{_written(found)} (answer=), which compares {found.readers[-1].does}"
    ]


def _texts_compared(comparison: Comparison) -> _Sample | None:
    # Recorded scores, and scorers with a threshold, do not compare texts.
    by_texts = comparison.recipe["metric"].split(", ")[0] == "exact_match"
    return _sample(comparison) if by_texts else None


def _best_reading(sample: _Sample) -> Reading | None:
    readings = [Reading.of(name) for name in _names(sample)]
    rights = [sample.right(one) for one in readings]
    best = max(rights)
    if _almost_nothing(best, len(sample.answers)) or best <= sample.right(None):
        return None
    return readings[rights.index(best)]


def _written(reading: Reading) -> str:
    return reading.name.replace(", ", ",")


def _names(sample: _Sample) -> Iterator[str]:
    """Readers to try; behind the one that removes reasoning, if there is any."""
    thinks = any(without_reasoning(answer) != answer.strip() for answer in sample.answers if answer)
    for name in _TRIES:
        yield f"{_REASONING}, {name}" if thinks else name


def _containing(sample: _Sample) -> list[str]:
    """Say that references are parts of answers, where no key brings the two together."""
    pairs = zip(sample.answers, sample.references, strict=True)
    found = sum(any(_is_word_of(part, whole) for part in accepted) for whole, accepted in pairs)
    if _almost_nothing(found, len(sample.answers)):
        return []
    return [
        f"hint: {sample.of_whole(found)} old answers hold their reference among other words: "
        f"--metric token_f1 (metric=) grades such texts, or --answer regex:PATTERN (answer=) "
        f"extracts the answer"
    ]


def _is_word_of(part: str, whole: str) -> bool:
    part, whole = part.casefold().strip(), whole.casefold()
    start = whole.find(part) if part else -1
    while start >= 0:
        before, after = whole[start - 1 : start], whole[start + len(part) :][:1]
        if not re.match(r"\w", before) and not re.match(r"\w", after):
            return True
        start = whole.find(part, start + 1)
    return False


def _sample(comparison: Comparison) -> _Sample | None:
    """Items with texts; None where answers or references are anything else."""
    table = comparison.table
    # Evenly spaced items would mislead where answers repeat in a rhythm, as sorted ids often do.
    rows = np.random.default_rng(0).permutation(comparison.total)[:_MOST_ITEMS]
    answers: list[str] = []
    references: list[list[str]] = []
    room = _MOST_CHARACTERS
    for row in rows.tolist():
        answer, accepted = table.old[row], _accepted(table.references[row])
        if answer is None:
            # No option makes an item right that was not answered.
            answer, accepted = "", []
        if not all(isinstance(text, str) for text in (answer, *accepted)):
            return None
        room -= len(answer) + sum(map(len, accepted))
        if room < 0:
            break
        answers.append(answer)
        references.append(accepted)
    return _Sample(answers, references, len(answers) == comparison.total) if answers else None


def _accepted(reference: Any) -> list[Any]:
    if reference is None:
        return []
    return list(reference) if isinstance(reference, (list, tuple)) else [reference]


def _brief(value: Any) -> str:
    """Quote the start and the end of an answer: many end in what is compared."""
    if not isinstance(value, str):
        return visible(repr(value)[:_LONGEST_SHOWN])
    text = hide_secrets(value[:_MOST_CHARACTERS]).value
    if len(text) <= _LONGEST_SHOWN:
        return f"'{visible(text)}'"
    half = _LONGEST_SHOWN // 2 - 2
    return f"'{visible(text[:half])} ... {visible(text[-half:])}'"
