"""A verdict as Markdown for step summaries and comments, the outcome first."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from muscle_metrics.atlas.placing import place_lines
from muscle_metrics.comparison.answer_forms import form_lines
from muscle_metrics.comparison.ranking import distinct_parts, rank_parts
from muscle_metrics.comparison.sameness import runs_are_equal
from muscle_metrics.comparison.story import story
from muscle_metrics.comparison.uncertainty import rate_bounds
from muscle_metrics.errors import UsageError
from muscle_metrics.evidence.units import Part
from muscle_metrics.reports.flips import flip_texts, publish
from muscle_metrics.reports.markdown_parts import (
    COMMENT_LIMIT,
    LINE_LIMIT,
    NAME_LIMIT,
    SUMMARY_LIMIT,
    check_cells,
    fitted,
)
from muscle_metrics.reports.markdown_parts import Section as _Section
from muscle_metrics.reports.markdown_parts import cut_cell as _cut
from muscle_metrics.reports.markdown_parts import line_cell as _line
from muscle_metrics.reports.markdown_parts import name_cell as _name
from muscle_metrics.reports.markdown_parts import table_head as _table
from muscle_metrics.reports.markdown_parts import table_row as _row
from muscle_metrics.words.escape import markdown, shorten, visible
from muscle_metrics.words.numbers import counted, percent, percent_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.comparison.items import Item
    from muscle_metrics.comparison.listed import ItemTexts
    from muscle_metrics.evidence.units import Kind
    from muscle_metrics.gate.verdict import Verdict
    from muscle_metrics.reports.flips import FirstFlips

__all__ = ["COMMENT_LIMIT", "MARKER", "SUMMARY_LIMIT", "check_link", "verdict_markdown"]

# Programs that update their comment find it by this line, which sites do not show.
MARKER = "<!-- muscle-metrics gate -->"
MOST_PARTS = 10


def verdict_markdown(
    verdict: Verdict,
    comparison: Facts | None = None,
    *,
    examples: int = 20,
    limit: int = COMMENT_LIMIT,
    like: str | None = None,
    link: str | None = None,
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
    link : str, optional
        Where people open the page about this update: an address of http or https, or a path.

    Returns
    -------
    str
        A heading without text of the runs, the effect in one sentence, then tables.

    Raises
    ------
    UsageError
        If the link is of another kind.
    """
    verdict, flips = publish(verdict, comparison, examples)
    old, new = (markdown(shorten(name, NAME_LIMIT)) for name in verdict.names)
    head = [MARKER, f"## {verdict.outcome}{_counted(comparison)}", "", f"{old} to {new}"]
    # Equal runs have a note; of a labelled sample the checks tell the story.
    if comparison is not None and not runs_are_equal(comparison) and _has_story(comparison):
        head += ["", story(comparison, _name)]
    if link is not None:
        head += ["", f"[Every item that changed](<{check_link(link)}>)"]
    notes = [*verdict.notes, *(f"Note: {line}" for line in form_lines(comparison))]
    if notes:
        head += ["", *map(_line, notes)]
    placed = []
    if comparison is not None and verdict.outcome != "INVALID":
        placed = place_lines(comparison, like)
    context = [part for line in placed for part in ("", f"Context, not judged: {line}")]
    foot = [*context, "", _signature(verdict)]
    return fitted(head, [*_sections(verdict, comparison, flips)], foot, limit)


def check_link(link: str) -> str:
    """Percent-encode a link to a page, so that it ends where Markdown ends it.

    Raises
    ------
    UsageError
        If it is neither an address of http or https nor a path.

    Examples
    --------
    >>> check_link("https://ci.example/run 7/report.html#items")
    'https://ci.example/run%207/report.html#items'
    """
    try:
        scheme = urlsplit(link).scheme
    except ValueError:
        scheme = "unreadable"
    if scheme not in ("", "http", "https") or not link:
        raise UsageError(
            f"expected an address of http or https, or a path, for the link to the page, got "
            f"'{shorten(visible(link), LINE_LIMIT)}': pass --report-link https://... (link=)"
        )
    return quote(link, safe="/:?#@!$&'*+,;=%~", errors="backslashreplace")


def _sections(verdict: Verdict, comparison: Facts | None, flips: FirstFlips) -> Iterator[_Section]:
    if verdict.reasons:
        yield _Section([], [f"- {_line(text)}" for text in verdict.reasons])
    if verdict.checks:
        # Rows at the end may not fit.
        rows = [_row(*check_cells(check)) for check in verdict.worst_first()]
        yield _Section([*_table("check", "verdict", "value", "bounds", "limit", "seen")], rows)
    advice = [check for check in verdict.worst_first() if check.advice]
    if advice:
        steps = [f"- {_name(check.criterion)}: {_line(check.advice)}" for check in advice]
        yield _Section(["**To decide**", ""], steps)
    if verdict.broken_pins:
        pins = [f"- {_name(pin)}" for pin in verdict.broken_pins]
        yield _Section([f"Pinned items that broke: {len(pins)}", ""], pins)
    if verdict.waivers:
        yield _Section(_table("waiver", "state", "owner", "reason"), _waiver_rows(verdict))
    if comparison is not None and comparison.is_judged:
        yield from _part_sections(comparison)
    if flips.items:
        title = [f"<details><summary>{flips.title}</summary>", ""]
        if flips.problem:
            title += [_line(flips.problem), ""]
        sliced = any(item.slice is not None for item in flips.items)
        asked = any(texts.question is not None for texts in flips.texts)
        repeated = any(texts.generations is not None for texts in flips.texts)
        columns = ["item", *["right"] * repeated, *["slice"] * sliced, *["prompt"] * asked]
        explained = any(texts.new_mismatch is not None for texts in flips.texts)
        columns += ["old (right)", "new (wrong)", "reference", *["mismatch"] * explained]
        rows = [
            _flip_row(
                item, texts, repeated=repeated, sliced=sliced, asked=asked, explained=explained
            )
            for item, texts in flips.pairs
        ]
        yield _Section([*title, *_table(*columns)], rows, ["", "</details>"])


def _part_sections(comparison: Facts) -> Iterator[_Section]:
    """Slices, or tasks where there are none, the worst first."""
    kind: Kind = "slice" if comparison.slices else "task"
    parts = comparison.slices or comparison.tasks
    ranked = rank_parts(parts)
    if not ranked:
        return
    distinct = {} if comparison.is_clustered else distinct_parts(parts, comparison.counts)
    shown, rows = ranked[:MOST_PARTS], []
    # Mostly no part differs from the others; then there is nothing to say of it.
    differs = any(part.name in distinct for part in shown)
    for part in shown:
        bounds = rate_bounds(comparison, "negative_flip_rate", Part(kind, part.name))
        rate = percent(part.counts.negative_flip_rate)
        interval = "" if bounds is None else f"{percent_range(bounds.ends)}, {bounds.method}"
        difference = f"{distinct[part.name]} than elsewhere" if part.name in distinct else ""
        counts = (str(part.counts.negative), str(part.counts.total))
        cells = (_name(part.name), *counts, rate, interval, *[difference] * differs)
        rows.append(_row(*cells))
    left = len(ranked) - len(rows)
    more = ["", f"{counted(left, f'more {kind}')}."] if left else []
    columns = (kind, "broke", "of", "NFR", "95 % interval", *["difference"] * differs)
    yield _Section(_table(*columns), rows, more)


def _has_story(comparison: Facts) -> bool:
    return comparison.is_judged or bool(comparison.changes)


def _counted(comparison: Facts | None) -> str:
    if comparison is None:
        return ": the runs cannot be compared"
    if not comparison.is_judged:
        return ""
    counts = comparison.counts
    return f": {counts.negative} of {counts.total} items broke, {counts.positive} were fixed"


def _waiver_rows(verdict: Verdict) -> list[str]:
    return [
        _row(
            _name(one.waiver.name),
            f"**{one.state}**, {one.story}",
            _cut(one.waiver.owner),
            _cut(one.waiver.reason),
        )
        for one in verdict.waivers
    ]


def _flip_row(
    item: Item, texts: ItemTexts, *, repeated: bool, sliced: bool, asked: bool, explained: bool
) -> str:
    names = [item.name, *[texts.generations or ""] * repeated, *[item.slice or "none"] * sliced]
    shown = [texts.question or ""] * asked + [*flip_texts(item, texts)]
    shown += [texts.new_mismatch or ""] * explained
    return _row(*map(_name, names), *map(_cut, shown))


def _signature(verdict: Verdict) -> str:
    text = f"one-sided confidence {verdict.confidence:g}; {verdict.signature}"
    return f"<sub>{markdown(shorten(text, LINE_LIMIT))}</sub>"
