"""The parts of a verdict that every report publishes: no secrets, and the first negative flips."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.comparison.items import Item, answer_text
from muscle_metrics.comparison.listed import hide_text_secrets, shown_answers, texts_of
from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.gate.verdict import hide_verdict_secrets
from muscle_metrics.words.escape import brief, shorten, terminal
from muscle_metrics.words.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.listed import ItemTexts
    from muscle_metrics.gate.verdict import Verdict
    from muscle_metrics.scale import CountedComparison

__all__ = ["FirstFlips", "first_flips", "flip_lines", "flip_texts", "other_texts", "publish"]

# A text may be megabytes long: the runs hold all of it.
TEXT_LIMIT = 200


class FirstFlips(NamedTuple):
    """The first negative flips, the number of all, and how many secrets were hidden in them.

    `texts` are those of the items, in their order; `problem` says why a log gave none. `prompts`
    are what runs recorded, None where they did not.
    """

    items: list[Item]
    total: int
    secrets: int = 0
    texts: Sequence[ItemTexts] = ()
    problem: str | None = None
    prompts: Sequence[str | None] = ()

    @property
    def questions(self) -> list[str | None]:
        """What was asked, for every item: the question of its log, or else its prompt."""
        pairs = zip(self.texts, self.prompts, strict=True)
        return [prompt if texts.question is None else texts.question for texts, prompt in pairs]

    @property
    def pairs(self) -> list[tuple[Item, ItemTexts]]:
        """Every item with its texts."""
        return list(zip(self.items, self.texts, strict=True))

    @property
    def title(self) -> str:
        """The number of listed flips, and of all."""
        hidden = f"; secrets hidden: {self.secrets}" if self.secrets else ""
        if len(self.items) == self.total:
            return f"negative flips: all {self.total}{hidden}"
        return f"negative flips: the first {len(self.items)} of {self.total}{hidden}"


def first_flips(
    comparison: Comparison | CountedComparison | None, most: int, pinned: Collection[str] = ()
) -> FirstFlips:
    """Negative flips in the natural order of ids, pinned ones first.

    Keys and passwords are hidden, because reports are published.

    Parameters
    ----------
    comparison : Comparison, CountedComparison or None
        None where the runs could not be compared.
    most : int
        How many to list.
    pinned : collection of str
        Ids that come first.

    Returns
    -------
    FirstFlips
        Empty where scores are graded and no threshold says which are right.
    """
    if comparison is None or not comparison.is_judged:
        return FirstFlips([], 0)
    asked = zip(comparison.flips(Quadrant.NEGATIVE), _prompts(comparison), strict=True)
    flips = sorted(asked, key=lambda pair: pair[0].id not in pinned)[:most]
    shown = [hide_secrets(tuple(item)) for item, _ in flips]
    prompts = [hide_secrets(prompt) for _, prompt in flips]
    listed = texts_of(comparison, [item for item, _ in flips])
    texts = [hide_text_secrets(one) for one in listed.items]
    return FirstFlips(
        [Item._make(part.value) for part in shown],
        comparison.counts.negative,
        sum(part.number for part in (*shown, *texts, *prompts)),
        [part.value for part in texts],
        listed.problem,
        [part.value for part in prompts],
    )


def _prompts(comparison: Comparison | CountedComparison) -> Iterable[str | None]:
    """Prompts of all negative flips, in their order; an engine keeps none."""
    held = comparison.in_memory
    if held is None or held.table.asked is None:
        return (None for _ in comparison.flips(Quadrant.NEGATIVE))
    return [held.table.asked[row] for row in np.flatnonzero(held.values("negative")).tolist()]


def flip_lines(flips: FirstFlips) -> list[str]:
    r"""Write a title and one line per flip, for a terminal or a log.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A"], new=["B"], references=["A"])
    >>> print("\n".join(flip_lines(first_flips(comparison, 5))))
    negative flips: all 1
      0: right A, now B, reference A
    """
    if not flips.items:
        return []
    notes = [f"  {terminal(flips.problem)}"] if flips.problem else []
    return [flips.title, *notes, *(_line(item, texts) for item, texts in flips.pairs)]


def flip_texts(item: Item, texts: ItemTexts) -> tuple[str, str, str]:
    """Right answer, wrong answer and reference of a flip, cut to fit a report."""
    absent = ("not recorded", "no answer", "not recorded")
    old, new, reference = (
        nothing if answer is None else shorten(answer_text(answer), TEXT_LIMIT)
        for answer, nothing in zip(shown_answers(item, texts), absent, strict=True)
    )
    return old, new, reference


def other_texts(texts: ItemTexts) -> list[tuple[str, str]]:
    """Names and texts of a flip that its log alone holds, cut to fit a report."""
    named = (
        ("document", texts.number),
        ("question", texts.question),
        ("old response", texts.old_response),
        ("new response", texts.new_response),
        ("mismatch", texts.new_mismatch),
    )
    return [(name, shorten(text, TEXT_LIMIT)) for name, text in named if text is not None]


def publish(
    verdict: Verdict, comparison: Comparison | CountedComparison | None, examples: int
) -> tuple[Verdict, FirstFlips]:
    """Verdict and first negative flips as a report may publish them: without secrets."""
    # Pins are found by their ids, before a secret in an id is hidden.
    flips = first_flips(comparison, examples, verdict.broken_pins)
    return hide_verdict_secrets(verdict), flips


def _line(item: Item, texts: ItemTexts) -> str:
    where = f" ({brief(item.slice, TEXT_LIMIT)})" if item.slice else ""
    old, new, reference = flip_texts(item, texts)
    text = f"{brief(item.name, TEXT_LIMIT)}{where}: right {old}, now {new}, reference {reference}"
    if texts.question is not None:
        text += f"; question {shorten(texts.question, TEXT_LIMIT)}"
    if texts.new_mismatch is not None:
        text += f"; mismatch {shorten(texts.new_mismatch, TEXT_LIMIT)}"
    # Without the indent an id such as "PASS" would look like a verdict.
    return f"  {terminal(text)}"
