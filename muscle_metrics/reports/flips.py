"""The parts of a verdict that every report publishes: no secrets, and the first negative flips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.comparison.items import Item, answer_text
from muscle_metrics.comparison.listed import hide_text_secrets, prompted_texts, shown_answers
from muscle_metrics.comparison.worst import count_worst, described_prompt, worst_items
from muscle_metrics.gate.verdict import hide_verdict_secrets
from muscle_metrics.words.escape import shorten, terminal
from muscle_metrics.words.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.comparison.listed import ItemTexts
    from muscle_metrics.gate.verdict import Verdict

__all__ = ["FirstFlips", "first_flips", "flip_lines", "flip_texts", "other_texts", "publish"]

# A text may be megabytes long: the runs hold all of it.
TEXT_LIMIT = 200


class FirstFlips(NamedTuple):
    """The first negative flips, the number of all, and how many secrets were hidden in them.

    `texts` are those of the items, in their order; `problem` says why a log gave none. `kind` says
    whether they are all negative flips, or those among labelled items. Of repeats `prompts` has the
    change of each item's prompt as the member "prompt".
    """

    items: list[Item]
    total: int
    secrets: int = 0
    texts: Sequence[ItemTexts] = ()
    problem: str | None = None
    kind: str = "negative flips"
    prompts: Sequence[Mapping[str, Any]] = ()

    @property
    def pairs(self) -> list[tuple[Item, ItemTexts]]:
        """Every item with its texts."""
        return list(zip(self.items, self.texts, strict=True))

    @property
    def title(self) -> str:
        """The number of listed flips, and of all."""
        hidden = f"; secrets hidden: {self.secrets}" if self.secrets else ""
        if len(self.items) == self.total:
            return f"{self.kind}: all {self.total}{hidden}"
        return f"{self.kind}: the first {len(self.items)} of {self.total}{hidden}"


def first_flips(comparison: Facts | None, most: int, pinned: Collection[str] = ()) -> FirstFlips:
    """Negative flips, pinned ones first, then by the loss of the first graded score.

    Of repeats each prompt with fewer right generations is listed once, the surest first.

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
    known = comparison and (comparison.is_judged or comparison.sample or comparison.prompts)
    if comparison is None or not known:
        return FirstFlips([], 0)
    flips = worst_items(comparison)
    flips.sort(key=lambda item: item.id not in pinned)
    shown = [hide_secrets(tuple(item)) for item in flips[:most]]
    listed = prompted_texts(comparison, flips[:most])
    texts = [hide_text_secrets(one) for one in listed.items]
    items = [Item._make(part.value) for part in shown]
    if comparison.prompts is not None:
        # A prompt is listed once, whichever of its generations broke.
        items = [item._replace(repeat=None) for item in items]
    return FirstFlips(
        items,
        count_worst(comparison) if comparison.sample is None else len(flips),
        sum(part.number for part in (*shown, *texts)),
        [part.value for part in texts],
        listed.problem,
        _kind(comparison),
        [described_prompt(comparison, item) for item in flips[:most]],
    )


def _kind(comparison: Facts) -> str:
    if comparison.prompts is not None:
        return "prompts with fewer right answers than before"
    return "negative flips" if comparison.sample is None else "labelled negative flips"


def flip_lines(flips: FirstFlips, *, width: int = 100) -> list[str]:
    r"""Write a title and a block of lines per flip, for a terminal or a log.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A"], new=["B"], references=["A"])
    >>> print("\n".join(flip_lines(first_flips(comparison, 5))))
    negative flips: all 1
      0
        old        A
        new        B
        reference  A
    """
    if not flips.items:
        return []
    from muscle_metrics.comparison.flip_blocks import block_lines, flip_block

    notes = [f"  {terminal(flips.problem)}"] if flips.problem else []
    blocks = (block_lines(flip_block(*pair), width) for pair in flips.pairs)
    return [flips.title, *notes, *(line for lines in blocks for line in lines)]


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
        ("right", texts.generations),
    )
    return [(name, shorten(text, TEXT_LIMIT)) for name, text in named if text is not None]


def publish(
    verdict: Verdict, comparison: Facts | None, examples: int
) -> tuple[Verdict, FirstFlips]:
    """Verdict and first negative flips as a report may publish them: without secrets."""
    # Pins are found by their ids, before a secret in an id is hidden.
    flips = first_flips(comparison, examples, verdict.broken_pins)
    return hide_verdict_secrets(verdict), flips
