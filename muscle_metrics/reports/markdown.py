"""A verdict as Markdown for step summaries and comments, the outcome first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.atlas.placing import place_lines
from muscle_metrics.reports.flips import flip_texts, publish
from muscle_metrics.words.escape import distinct, markdown, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.comparison.items import Item
    from muscle_metrics.comparison.listed import ItemTexts
    from muscle_metrics.gate.verdict import Check, Verdict
    from muscle_metrics.reports.flips import FirstFlips

__all__ = ["COMMENT_LIMIT", "MARKER", "SUMMARY_LIMIT", "verdict_markdown"]

# Programs that update their comment find it by this line, which sites do not show.
MARKER = "<!-- muscle-metrics gate -->"
# Sites refuse longer text: characters of a comment, bytes of a step's summary.
COMMENT_LIMIT = 65_536
SUMMARY_LIMIT = 1_048_000

NAME_LIMIT = 120
LINE_LIMIT = 1000


def verdict_markdown(
    verdict: Verdict,
    comparison: Facts | None = None,
    *,
    examples: int = 20,
    limit: int = COMMENT_LIMIT,
    like: str | None = None,
) -> str:
    """Write a verdict as Markdown.

    Parameters
    ----------
    verdict : Verdict
        The verdict of a gate.
    comparison : Comparison or CountedComparison, optional
        The comparison that was judged; None where the runs could not be compared.
    examples : int
        How many negative flips to list.
    limit : int
        Most bytes of the text in UTF-8, at least 20 000. Rows that do not fit are left out and
        counted.
    like : str, optional
        Family or task of the public updates to place the update among, as in `atlas.place`; the
        last line but one does, and no verdict depends on it.

    Returns
    -------
    str
        A heading without text of the runs, then tables.
    """
    verdict, flips = publish(verdict, comparison, examples)
    old, new = (markdown(shorten(name, NAME_LIMIT)) for name in verdict.names)
    head = [MARKER, f"## {verdict.outcome}{_counted(comparison)}", "", f"{old} to {new}"]
    head += [markdown(shorten(note, LINE_LIMIT)) for note in verdict.notes]
    placed = []
    if comparison is not None and verdict.outcome != "INVALID":
        placed = place_lines(comparison, like)
    context = [part for line in placed for part in ("", f"Context, not judged: {line}")]
    foot = [*context, "", _signature(verdict)]
    sections = [*_sections(verdict, flips)]
    room = limit - _size([*head, *foot]) - sum(_size(section.frame) for section in sections)
    body: list[str] = []
    for section in sections:
        lines = section.fitted(room)
        room -= _size(lines) - _size(section.frame)
        body += lines
    return "\n".join([*head, *body, *foot]) + "\n"


class _Section(NamedTuple):
    """Rows, of which the last may be left out, between lines that are always there."""

    before: Sequence[str]
    rows: Sequence[str]
    after: Sequence[str] = ()

    @property
    def frame(self) -> list[str]:
        return ["", *self.before, *self.after, "", _left_out(len(self.rows))]

    def fitted(self, room: int) -> list[str]:
        """Keep as many rows as fit into `room` bytes."""
        shown = []
        for row in self.rows:
            room -= _size([row])
            if room < 0:
                break
            shown.append(row)
        left = len(self.rows) - len(shown)
        note = ["", _left_out(left)] if left else []
        return ["", *self.before, *shown, *self.after, *note]


def _sections(verdict: Verdict, flips: FirstFlips) -> Iterator[_Section]:
    if verdict.reasons:
        yield _Section([], [f"- {markdown(shorten(text, LINE_LIMIT))}" for text in verdict.reasons])
    if verdict.checks:
        # Rows at the end may not fit.
        rows = [_check_row(check) for check in verdict.worst_first()]
        yield _Section([*_table("check", "verdict", "value", "bounds", "limit", "seen")], rows)
    if verdict.broken_pins:
        pins = [f"- {_name(pin)}" for pin in verdict.broken_pins]
        yield _Section([f"Pinned items that broke: {len(pins)}", ""], pins)
    if flips.items:
        title = [f"<details><summary>{flips.title}</summary>", ""]
        if flips.problem:
            title += [markdown(shorten(flips.problem, LINE_LIMIT)), ""]
        sliced = any(item.slice is not None for item in flips.items)
        asked = any(texts.question is not None for texts in flips.texts)
        columns = ["item", *["slice"] * sliced, *["question"] * asked]
        columns += ["old (right)", "new (wrong)", "reference"]
        rows = [_flip_row(item, texts, sliced=sliced, asked=asked) for item, texts in flips.pairs]
        yield _Section([*title, *_table(*columns)], rows, ["", "</details>"])


def _counted(comparison: Facts | None) -> str:
    if comparison is None:
        return ": the runs cannot be compared"
    if not comparison.is_judged:
        return ""
    counts = comparison.counts
    return f": {counts.negative} of {counts.total} items broke, {counts.positive} were fixed"


def _check_row(check: Check) -> str:
    return _row(
        markdown(shorten(check.criterion, NAME_LIMIT)),
        f"**{check.outcome}**",
        check.shown(check.estimate),
        check.named_bounds,
        check.limit_text,
        markdown(shorten(check.sample_text, LINE_LIMIT)),
    )


def _flip_row(item: Item, texts: ItemTexts, *, sliced: bool, asked: bool) -> str:
    names = [item.name, *[item.slice or "none"] * sliced]
    shown = [texts.question or ""] * asked + [*flip_texts(item, texts)]
    return _row(*map(_name, names), *map(_cut, shown))


def _name(text: str) -> str:
    return _cut(distinct(text[: NAME_LIMIT + 1]))


def _cut(text: str) -> str:
    return markdown(shorten(text, NAME_LIMIT))


def _signature(verdict: Verdict) -> str:
    text = f"one-sided confidence {verdict.confidence:g}; {verdict.signature}"
    return f"<sub>{markdown(shorten(text, LINE_LIMIT))}</sub>"


def _table(*columns: str) -> list[str]:
    return [_row(*columns), _row(*["---"] * len(columns))]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _left_out(rows: int) -> str:
    return f"{rows} more rows did not fit."


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)
