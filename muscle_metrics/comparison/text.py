"""Tables of a comparison and of a chain, for a terminal, a pipe or a file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from muscle_metrics.atlas.placing import place_lines
from muscle_metrics.comparison.chain_bounds import step_bounds
from muscle_metrics.comparison.frames import rate_rows
from muscle_metrics.comparison.items import answer_text
from muscle_metrics.comparison.listed import shown_answers, texts_of
from muscle_metrics.comparison.macro import macro_line
from muscle_metrics.comparison.near_misses import near_miss_lines
from muscle_metrics.comparison.remarks import remark_lines
from muscle_metrics.comparison.sameness import EQUAL_RUNS, runs_are_equal
from muscle_metrics.comparison.uncertainty import decoding_noise, rate_bounds, score_bounds
from muscle_metrics.evidence.repeats import noise_parts
from muscle_metrics.evidence.units import Part
from muscle_metrics.flips.counts import FlipCounts, Quadrant
from muscle_metrics.flips.rate_table import ITEMS, MCNEMAR, RATES, SCORE_MEANS, SCORE_RATES
from muscle_metrics.statistics.interval import Interval
from muscle_metrics.words.escape import distinct, shorten, terminal
from muscle_metrics.words.numbers import (
    counted,
    percent,
    percent_range,
    points,
    points_range,
    ratio,
    score,
    score_range,
)
from muscle_metrics.words.place import item_name
from muscle_metrics.words.secrets import hide_secrets
from muscle_metrics.words.table import Column, FittedTable, plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.comparison.items import Item
    from muscle_metrics.comparison.listed import ItemTexts
    from muscle_metrics.comparison.saved import SavedComparison
    from muscle_metrics.evidence.evidence import Bounds
    from muscle_metrics.evidence.repeats import NoisePart
    from muscle_metrics.evidence.units import Kind
    from muscle_metrics.flips.changes import ScoreFacts
    from muscle_metrics.flips.rates import Rate

__all__ = ["chain_table", "chain_text", "comparison_table", "comparison_text", "saved_text"]

WIDTH = 100
CELL_LIMIT = 400
CHANGE = "accuracy_change"

RATE_ROWS = (
    "negative_flip_rate",
    "positive_flip_rate",
    "inconsistency_flip_rate",
    "conditional_negative_flip_rate",
    "fix_rate",
    "negative_flip_impact",
    "avoidable_negative_flip_rate",
    "churn",
)


def comparison_text(
    comparison: Facts,
    *,
    flips: int = 0,
    notes: Sequence[str] = (),
    like: str | None = None,
    width: int = WIDTH,
) -> str:
    """Plain text of a comparison: no colours, no control characters from data.

    Parameters
    ----------
    comparison : Comparison
        Old against new.
    flips : int
        How many negative flips to list.
    notes : sequence of str
        What the first line says beside names and items, such as that two files are equal.
    like : str, optional
        Family or task of the public updates to place this one among, as in `atlas.place`.
    width : int
        Columns to fill.

    Returns
    -------
    str
    """
    return plain_text(comparison_table(comparison, flips=flips, notes=notes, like=like), width)


def chain_text(chain: Chain, *, notes: Sequence[str] = (), width: int = WIDTH) -> str:
    """Plain text of a chain of versions."""
    return plain_text(chain_table(chain, notes=notes), width)


def saved_text(saved: SavedComparison, *, width: int = WIDTH) -> str:
    """Plain text of a comparison that was read back."""
    return plain_text(Group(*_saved_parts(saved)), width)


def comparison_table(
    comparison: Facts, *, flips: int = 0, notes: Sequence[str] = (), like: str | None = None
) -> RenderableType:
    """Tables of a comparison for rich to print."""
    return Group(*_comparison_parts(comparison, flips, notes, like))


def chain_table(chain: Chain, *, notes: Sequence[str] = ()) -> RenderableType:
    """Tables of a chain of versions for rich to print."""
    return Group(*_chain_parts(chain, notes))


def _comparison_parts(
    comparison: Facts, flips: int, notes: Sequence[str], like: str | None
) -> Iterator[RenderableType]:
    # Equal files say more than equal runs.
    equal = [EQUAL_RUNS] if not notes and runs_are_equal(comparison) else []
    yield _title(" -> ".join(comparison.names), comparison.total, [*notes, *equal])
    yield from map(_line, near_miss_lines(comparison))
    if comparison.is_judged:
        yield _line(_story(comparison))
    yield from map(_line, remark_lines(comparison))
    yield from map(_line, place_lines(comparison, like))
    if comparison.is_judged:
        yield from _flip_parts(comparison, flips)
    for metric, changes in comparison.changes.items():
        yield Text()
        yield _scores(comparison, metric, changes)
        if not changes.higher_is_better:
            yield _line(f"{metric} is better when lower: an item regressed where it rose")
        if changes.tolerance_sensitive:
            yield _line("warning: NFR hangs on tiny moves; see how it falls with minimum_effect")
    yield Text()
    yield _line(comparison.signature, style="dim")


def _flip_parts(comparison: Facts, flips: int) -> Iterator[RenderableType]:
    yield Text()
    yield _quadrants(comparison.counts)
    yield Text()
    yield _rates(comparison)
    if noise := noise_parts(decoding_noise(comparison)):
        yield Text()
        yield _noise(noise)
    kinds: tuple[tuple[Kind, dict[str, FlipCounts]], ...] = (
        ("task", comparison.tasks),
        ("slice", comparison.slices),
    )
    for kind, parts in kinds:
        if parts:
            yield Text()
            yield _parts(comparison, kind, parts)
    if macro := macro_line(comparison.tasks):
        yield _line(macro)
    if flips:
        yield Text()
        yield _flips(comparison, flips)


def _saved_parts(saved: SavedComparison) -> Iterator[RenderableType]:
    names = " -> ".join(saved.names)
    yield _title(names, saved.counts.total, []) if saved.is_judged else _line(names, style="bold")
    yield from map(_line, saved.data.get("notes", []))
    if saved.is_judged:
        yield Text()
        yield _quadrants(saved.counts)
    names_of = {**RATES, **SCORE_RATES, **SCORE_MEANS}
    rows: list[list[str | Text]] = []
    for rate in rate_rows(saved.data):
        is_mean, name = rate["rate"] in SCORE_MEANS, names_of[rate["rate"]].name
        label = f"{rate['metric']}: {name}" if rate["metric"] else name
        value = math.nan if rate["value"] is None else rate["value"]
        interval, method = "", rate.get("method") or ""
        if method:
            ends = Interval(rate["low"], rate["high"])
            interval = score_range(ends) if is_mean else percent_range(ends)
        shown = score(value) if is_mean else percent(value)
        rows.append([_untrusted(label), shown, interval, _untrusted(method)])
    yield Text()
    columns = [Column("rate", "text"), Column("value"), Column("95 % interval")]
    yield FittedTable([*columns, Column("method", "label", spare=True)], rows)
    yield Text()
    yield _line(saved.signature, style="dim")


def _chain_parts(chain: Chain, notes: Sequence[str]) -> Iterator[RenderableType]:
    yield _title(" -> ".join(chain.names), chain.total, notes)
    yield _line(
        f"negative flips over {len(chain.steps)} updates: {chain.sum_negative_flip_rate}; "
        f"fixed and broken again: {chain.flip_flop_rate}"
    )
    if chain.units is not None:
        units = counted(int(chain.units.max()) + 1, chain.unit.removesuffix("s"))
        yield _line(
            f"note: {counted(chain.total, 'row')} in {units}: intervals are over {chain.unit}"
        )
    if chain.reading is not None:
        yield from map(_line, chain.reading.lines(chain.names))
    yield Text()
    yield _steps(chain)
    yield Text()
    yield _survival(chain)
    yield Text()
    yield _line(chain.signature, style="dim")


def _story(comparison: Facts) -> str:
    counts, bounds = comparison.counts, rate_bounds(comparison, CHANGE)
    change = counts.accuracy_change
    direction = "rose" if change > 0 else "fell" if change < 0 else "stayed the same"
    size = f" by {abs(change) * 100:.2f} points" if change else ""
    interval = ""
    if bounds is not None:
        interval = f"; 95 % interval of the change {points_range(bounds.ends, 2)}, {bounds.method}"
    return (
        f"accuracy {direction}{size} ({percent(counts.old_accuracy)} to "
        f"{percent(counts.new_accuracy)}{interval}); {counted(counts.negative, 'item')} broke, "
        f"{counts.positive} got fixed"
    )


def _quadrants(counts: FlipCounts) -> FittedTable:
    return FittedTable(
        [Column("", "label"), Column("new right"), Column("new wrong")],
        [
            [
                "old right",
                _cell(counts.both_right, counts.both_right_changed),
                f"{counts.negative}",
            ],
            ["old wrong", f"{counts.positive}", _cell(counts.both_wrong, counts.wrong_changed)],
        ],
    )


def _cell(count: int, changed: int | None) -> str:
    return f"{count} ({changed} changed)" if changed else str(count)


def _rates(comparison: Facts) -> FittedTable:
    rows, counts = [], comparison.counts
    for key in RATE_ROWS:
        rate: Rate = getattr(counts, key)
        name, of = RATES[key].name, RATES[key].of
        if rate.count is None:
            rows.append([name, "unknown", "", "", "", "needs the answers, not only verdicts"])
            continue
        whole = f"{rate.total} {'all ' if of == ITEMS else ''}{of}"
        bounds = rate_bounds(comparison, key)
        rows.append([name, percent(rate), *_bounded(bounds), str(rate.count), whole])
    relative = RATES["relative_negative_flip_rate"]
    value = ratio(counts.relative_negative_flip_rate)
    rows.append([relative.name, value, "", "", "", relative.of])
    if not comparison.is_clustered:
        # The test takes items as independent.
        rows.append([MCNEMAR.name, f"{counts.mcnemar().p_value:.2g}", "", "", "", MCNEMAR.of])
    return FittedTable(
        [
            Column("rate", "text"),
            Column("value"),
            Column("95 % interval"),
            Column("method", "label", spare=True),
            Column("count"),
            Column("of", "text"),
        ],
        rows,
    )


def _noise(parts: Sequence[NoisePart]) -> FittedTable:
    """Tabulate the parts of the flip rate of repeats, over prompts or their groups."""
    return FittedTable(
        [
            Column("decoding noise", "text"),
            Column("value"),
            Column("95 % interval"),
            Column("method", "label", spare=True),
            Column("what it is", "text"),
        ],
        [[p.title, percent(p.value), *_bounded(p.bounds), p.meaning] for p in parts],
    )


def _bounded(bounds: Bounds | None) -> list[str]:
    """Write an interval and its method; nothing where there is none."""
    return ["", ""] if bounds is None else [percent_range(bounds.ends), bounds.short_method]


def _scores(comparison: Facts, metric: str, changes: ScoreFacts) -> FittedTable:
    """Rates and means of a graded score, each with its interval."""
    rows = []
    for key, measure in SCORE_RATES.items():
        rate: Rate = getattr(changes, key)
        of = f"{rate.count} of {rate.total} {measure.of}"
        bounds = score_bounds(comparison, metric, key)
        rows.append([measure.name, percent(rate), *_bounded(bounds), of])
    for key, measure in SCORE_MEANS.items():
        mean, is_change = getattr(changes, key), key == "mean_change"
        bounds = score_bounds(comparison, metric, key)
        interval = ["too few" if not is_change and mean.too_few else "", ""]
        if bounds is not None:
            interval = [score_range(bounds.ends, sign=is_change), bounds.short_method]
        of = f"all {ITEMS}" if is_change else counted(mean.count, "item")
        rows.append([measure.name, score(mean, sign=is_change), *interval, of])
    columns = [
        Column(_plain_name(metric), "text"),
        Column("value"),
        Column("95 % interval"),
        Column("method", "label", spare=True),
        Column("of", "text"),
    ]
    return FittedTable(columns, rows)


def _parts(comparison: Facts, kind: Kind, parts: dict[str, FlipCounts]) -> FittedTable:
    columns = [
        Column(f"{kind} (most lost first)", "name"),
        Column("items", spare=True),
        Column("old"),
        Column("new"),
        Column("change"),
        Column("95 % interval", spare=True),
        Column("method", "label", spare=True),
        Column("broke"),
        Column("fixed"),
        Column("NFR"),
    ]
    rows: list[list[str | Text]] = [
        [
            _name(name),
            str(counts.total),
            percent(counts.old_accuracy, 1),
            percent(counts.new_accuracy, 1),
            points(counts.accuracy_change),
            *_change(rate_bounds(comparison, CHANGE, Part(kind, name))),
            str(counts.negative),
            str(counts.positive),
            percent(counts.negative_flip_rate),
        ]
        for name, counts in parts.items()
    ]
    return FittedTable(columns, rows)


def _flips(comparison: Facts, most: int) -> FittedTable:
    negative = list(comparison.flips(Quadrant.NEGATIVE))
    number = comparison.counts.negative
    first = "all" if most >= number else f"{min(most, len(negative))} of"
    sliced = any(item.slice is not None for item in negative)
    listed = texts_of(comparison, negative[:most])
    asked = any(texts.question is not None for texts in listed.items)
    explained = any(texts.new_mismatch is not None for texts in listed.items)
    problem = listed.problem and terminal(listed.problem)
    columns = [
        Column("id", "name"),
        *([Column("slice", "name")] if sliced else []),
        *([Column("question", "text")] if asked else []),
        *(Column(heading, "text") for heading in ("old (right)", "new (wrong)", "reference")),
        *([Column("mismatch", "text")] if explained else []),
    ]
    rows = []
    for item, texts in zip(negative[:most], listed.items, strict=True):
        names = [_short_name(comparison, item, texts), *([item.slice] if sliced else [])]
        shown = [texts.question] * asked + [*shown_answers(item, texts)]
        shown += [texts.new_mismatch] * explained
        rows.append([*map(_name, names), *map(_shown, shown)])
    title = f"{first} {counted(number, 'negative flip')}"
    return FittedTable(columns, rows, title=f"{title}; {problem}" if problem else title)


def _short_name(comparison: Facts, item: Item, texts: ItemTexts) -> str:
    """Name of an item by its number where its id is a hash."""
    if texts.number is None:
        return item.id
    task = item.task if len(comparison.part_names("task")) > 1 else None
    return item_name(task, texts.number, item.repeat)


def _steps(chain: Chain) -> FittedTable:
    columns = [
        Column("update", "name"),
        Column("old", spare=True),
        Column("new", spare=True),
        Column("change"),
        Column("95 % interval", spare=True),
        Column("method", "label", spare=True),
        Column("NFR"),
        Column("PFR"),
    ]
    last = len(chain.steps)
    steps = [
        (f"-> {chain.names[number]}", step, step_bounds(chain, CHANGE, number - 1, number))
        for number, step in enumerate(chain.steps, start=1)
    ]
    if last > 1:
        steps.append(("first to last", chain.overall, step_bounds(chain, CHANGE, 0, last)))
    rows: list[list[str | Text]] = [
        [
            _untrusted(label),
            percent(counts.old_accuracy),
            percent(counts.new_accuracy),
            points(counts.accuracy_change),
            *_change(bounds),
            str(counts.negative_flip_rate),
            str(counts.positive_flip_rate),
        ]
        for label, counts, bounds in steps
    ]
    return FittedTable(columns, rows)


def _survival(chain: Chain) -> FittedTable:
    heading = f"right in {_plain_name(chain.names[0])} and in every version up to"
    return FittedTable(
        [Column(heading, "name"), Column("share")],
        [
            [_untrusted(name), str(rate)]
            for name, rate in zip(chain.names, chain.survival, strict=True)
        ],
    )


def _change(bounds: Bounds | None) -> list[str]:
    return ["", ""] if bounds is None else [points_range(bounds.ends), bounds.short_method]


def _title(names: str, total: int, notes: Sequence[str]) -> Text:
    return _line("; ".join([f"{names}: {counted(total, 'item')}", *notes]), style="bold")


def _shown(value: Any) -> Text:
    if value is None:
        return Text("no answer", style="italic")
    return _untrusted(answer_text(hide_secrets(value).value))


def _line(text: str, style: str = "") -> Text:
    return Text(terminal(text), style=style)


def _name(name: str | None) -> Text:
    return _shown(name and distinct(name[: CELL_LIMIT + 1]))


def _untrusted(text: str) -> Text:
    # rich parses no markup in a Text.
    return Text(_plain_name(text))


def _plain_name(text: str) -> str:
    return terminal(shorten(text, CELL_LIMIT))
