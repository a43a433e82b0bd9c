"""Tables of a comparison and of a chain, for a terminal, a pipe or a file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from muscle_metrics.atlas.placing import place_lines
from muscle_metrics.comparison.chain_bounds import step_bounds
from muscle_metrics.comparison.flip_blocks import flip_blocks
from muscle_metrics.comparison.frames import rate_rows
from muscle_metrics.comparison.macro import macro_line
from muscle_metrics.comparison.near_misses import near_miss_lines
from muscle_metrics.comparison.rate_tables import (
    CHANGE,
    change_cells,
    noise_table,
    part_table,
    pass_table,
    quadrant_table,
    rate_table,
    safe_name,
    score_table,
)
from muscle_metrics.comparison.remarks import remark_lines
from muscle_metrics.comparison.sameness import EQUAL_RUNS, runs_are_equal
from muscle_metrics.comparison.uncertainty import decoding_noise, rate_bounds
from muscle_metrics.evidence.repeats import noise_parts
from muscle_metrics.flips.rate_table import RATES, SCORE_MEANS, SCORE_RATES
from muscle_metrics.statistics.interval import Interval
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
from muscle_metrics.words.secrets import plain_line
from muscle_metrics.words.table import Column, FittedTable, plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.comparison.saved import SavedComparison
    from muscle_metrics.evidence.units import Kind
    from muscle_metrics.flips.counts import FlipCounts

__all__ = ["chain_table", "chain_text", "comparison_table", "comparison_text", "saved_text"]

WIDTH = 100
NO_CHANGE = "no clear change of accuracy"
MORE_RATES = "all other rates: --all-rates (all_rates=)"


def comparison_text(
    comparison: Facts,
    *,
    flips: int = 0,
    all_rates: bool = False,
    all_slices: bool = False,
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
        How many items to list that broke, or got worse where nothing is right or wrong.
    all_rates : bool
        Whether to show every rate, and not only four in plain words.
    all_slices : bool
        Whether to show every slice and task, and not only ten.
    notes : sequence of str
        What the first line says beside names and items, such as that two files are equal.
    like : str, optional
        Family or task of the public updates to place this one among, as in `atlas.place`.
    width : int
        Columns to fill.

    Returns
    -------
    str

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> text = comparison_text(compare(old=["A"], new=["B"], references=["A"]))
    >>> print(text.splitlines()[1])
    no clear change of accuracy (100.00% to 0.00%, -100.00 points; 95 % interval ..., Tango); 1 ...
    """
    table = comparison_table(
        comparison,
        flips=flips,
        all_rates=all_rates,
        all_slices=all_slices,
        notes=notes,
        like=like,
    )
    return plain_text(table, width)


def chain_text(chain: Chain, *, notes: Sequence[str] = (), width: int = WIDTH) -> str:
    """Plain text of a chain of versions."""
    return plain_text(chain_table(chain, notes=notes), width)


def saved_text(saved: SavedComparison, *, width: int = WIDTH) -> str:
    """Plain text of a comparison that was read back."""
    return plain_text(Group(*_saved_parts(saved)), width)


def comparison_table(
    comparison: Facts,
    *,
    flips: int = 0,
    all_rates: bool = False,
    all_slices: bool = False,
    notes: Sequence[str] = (),
    like: str | None = None,
) -> RenderableType:
    """Tables of a comparison for rich to print, with the parameters of `comparison_text`."""
    return Group(*_comparison_parts(comparison, flips, all_rates, all_slices, notes, like))


def chain_table(chain: Chain, *, notes: Sequence[str] = ()) -> RenderableType:
    """Tables of a chain of versions for rich to print."""
    return Group(*_chain_parts(chain, notes))


def _comparison_parts(
    comparison: Facts,
    flips: int,
    all_rates: bool,
    all_slices: bool,
    notes: Sequence[str],
    like: str | None,
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
        yield from _judged_parts(comparison, all_rates, all_slices)
    yield from _score_parts(comparison, all_rates)
    yield from _prompt_parts(comparison)
    if flips:
        yield Text()
        yield flip_blocks(comparison, flips)
    yield Text()
    yield _line(comparison.signature, style="dim")


def _judged_parts(comparison: Facts, all_rates: bool, all_slices: bool) -> Iterator[RenderableType]:
    yield Text()
    yield quadrant_table(comparison.counts)
    yield Text()
    yield rate_table(comparison, all_rates=all_rates)
    if not all_rates:
        yield Text(MORE_RATES, style="dim")
    kinds: tuple[tuple[Kind, dict[str, FlipCounts]], ...] = (
        ("task", comparison.tasks),
        ("slice", comparison.slices),
    )
    for kind, parts in kinds:
        if parts:
            yield Text()
            yield from part_table(comparison, kind, parts, show_all=all_slices)
    if macro := macro_line(comparison.tasks):
        yield _line(macro)


def _prompt_parts(comparison: Facts) -> Iterator[RenderableType]:
    if noise := noise_parts(decoding_noise(comparison)):
        yield Text()
        yield noise_table(noise)
    if comparison.prompts is not None:
        yield Text()
        yield pass_table(comparison.prompts)
        yield _line(comparison.prompts.summary())


def _score_parts(comparison: Facts, all_rates: bool) -> Iterator[RenderableType]:
    for metric, changes in comparison.changes.items():
        yield Text()
        yield score_table(comparison, metric, changes, all_rates=all_rates)
        if not changes.higher_is_better:
            yield _line(f"{metric} is better when lower: an item regressed where it rose")
        if changes.tolerance_sensitive:
            yield _line(
                "warning: NFR hangs on tiny moves; see how it falls with --minimum-effect "
                "(minimum_effect=)"
            )
    if not (comparison.is_judged or all_rates):
        yield Text(MORE_RATES, style="dim")


def _saved_parts(saved: SavedComparison) -> Iterator[RenderableType]:
    names = " -> ".join(saved.names)
    yield _title(names, saved.counts.total, []) if saved.is_judged else _line(names, style="bold")
    yield from map(_line, saved.data.get("notes", []))
    if saved.is_judged:
        yield Text()
        yield quadrant_table(saved.counts)
    yield Text()
    columns = [Column("rate", "text"), Column("value"), Column("95 % interval")]
    rows = [*map(_saved_row, rate_rows(saved.data))]
    yield FittedTable([*columns, Column("method", "label", spare=True)], rows)
    yield Text()
    yield _line(saved.signature, style="dim")


def _saved_row(rate: Mapping[str, Any]) -> list[str | Text]:
    key, method = rate["rate"], rate.get("method") or ""
    name = {**RATES, **SCORE_RATES, **SCORE_MEANS}[key].name
    label = f"{rate['metric']}: {name}" if rate["metric"] else name
    value = math.nan if rate["value"] is None else rate["value"]
    ends = Interval(rate["low"], rate["high"]) if method else None
    if key in SCORE_MEANS:
        shown = [score(value), score_range(ends) if ends else ""]
    elif key == CHANGE:
        shown = [f"{points(value, 2)} points", points_range(ends, 2) if ends else ""]
    elif key == "relative_negative_flip_rate":
        shown = [ratio(value), ""]
    else:
        shown = [percent(value), percent_range(ends) if ends else ""]
    return [Text(safe_name(label)), *shown, Text(safe_name(method))]


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
    """Say how accuracy changed; a direction only where the interval excludes 0."""
    counts, bounds = comparison.counts, rate_bounds(comparison, CHANGE)
    change = counts.accuracy_change
    moved = f"{percent(counts.old_accuracy)} to {percent(counts.new_accuracy)}"
    interval = ""
    if bounds is not None:
        interval = f"; 95 % interval {points_range(bounds.ends, 2)}, {bounds.method}"
    if bounds is not None and not bounds.low <= 0 <= bounds.high:
        direction = "rose" if change > 0 else "fell"
        said = f"accuracy {direction} by {abs(change) * 100:.2f} points ({moved}{interval})"
    else:
        start = "change of accuracy, without an interval" if bounds is None else NO_CHANGE
        said = f"{start} ({moved}, {points(change, 2)} points{interval})"
    return f"{said}; {counted(counts.negative, 'item')} broke, {counts.positive} got fixed"


def _steps(chain: Chain) -> FittedTable:
    columns = [
        Column("update", "name"),
        Column("old", spare=True),
        Column("new", spare=True),
        Column("change"),
        Column("95 % interval", spare=True),
        Column("method", "label", spare=True),
        Column("broke (NFR)"),
        Column("fixed (PFR)"),
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
            Text(safe_name(label)),
            percent(counts.old_accuracy),
            percent(counts.new_accuracy),
            points(counts.accuracy_change),
            *change_cells(bounds),
            str(counts.negative_flip_rate),
            str(counts.positive_flip_rate),
        ]
        for label, counts, bounds in steps
    ]
    return FittedTable(columns, rows)


def _survival(chain: Chain) -> FittedTable:
    heading = f"right in {safe_name(chain.names[0])} and in every version up to"
    return FittedTable(
        [Column(heading, "name"), Column("share")],
        [
            [Text(safe_name(name)), str(rate)]
            for name, rate in zip(chain.names, chain.survival, strict=True)
        ],
    )


def _title(names: str, total: int, notes: Sequence[str]) -> Text:
    return _line("; ".join([f"{names}: {counted(total, 'item')}", *notes]), style="bold")


def _line(text: str, style: str = "") -> Text:
    return Text(plain_line(text), style=style)
