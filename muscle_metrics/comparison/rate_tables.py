"""Tables of one comparison for a terminal: quadrants, rates, graded scores, slices and noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from muscle_metrics.comparison.ranking import rank_parts
from muscle_metrics.comparison.uncertainty import rate_bounds, score_bounds
from muscle_metrics.evidence.units import Part
from muscle_metrics.flips.rate_table import (
    MCNEMAR,
    PLAIN_RATES,
    PLAIN_SCORES,
    RATES,
    SCORE_MEANS,
    SCORE_RATES,
    Measure,
    whole_text,
)
from muscle_metrics.flips.rates import AccuracyChange, Rate
from muscle_metrics.words.escape import shorten, terminal
from muscle_metrics.words.numbers import (
    percent,
    percent_range,
    points,
    points_range,
    ratio,
    score,
    score_range,
)
from muscle_metrics.words.secrets import brief_name, without_secrets
from muscle_metrics.words.table import Column, FittedTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.comparison.prompts import Prompts
    from muscle_metrics.evidence.evidence import Bounds
    from muscle_metrics.evidence.repeats import NoisePart
    from muscle_metrics.evidence.units import Kind
    from muscle_metrics.flips.changes import ScoreFacts
    from muscle_metrics.flips.counts import FlipCounts

__all__ = [
    "change_cells",
    "noise_table",
    "part_table",
    "pass_table",
    "quadrant_table",
    "rate_table",
    "safe_name",
    "score_table",
]

CELL_LIMIT = 400
CHANGE = "accuracy_change"
# Slices or tasks that are listed unless all are asked for.
MOST_PARTS = 10


def quadrant_table(counts: FlipCounts) -> FittedTable:
    """Tabulate right and wrong, before and now."""
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


def rate_table(comparison: Facts, *, all_rates: bool = False) -> FittedTable:
    """Tabulate the rates in plain words, or all of them and McNemar's test."""
    rows = [_rate_row(comparison, key, name) for key, name in PLAIN_RATES.items()]
    if all_rates:
        others = [key for key in RATES if key not in PLAIN_RATES]
        rows += [_rate_row(comparison, key, _paper_name(RATES[key])) for key in others]
        if not comparison.is_clustered:
            # The test takes items as independent.
            p_value = f"{comparison.counts.mcnemar().p_value:.2g}"
            rows.append([MCNEMAR.name, p_value, "", "", "", MCNEMAR.of])
    return FittedTable(
        [
            Column("rate", "text"),
            Column("value"),
            Column("95 % interval"),
            Column("method", "label", spare=True),
            Column("items"),
            Column("", "text"),
        ],
        rows,
    )


def noise_table(parts: Sequence[NoisePart]) -> FittedTable:
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


def pass_table(prompts: Prompts) -> FittedTable:
    """Tabulate pass@k, pass^k and the flap rate over prompts, before and now."""
    return FittedTable(
        [
            Column("prompts", "text"),
            Column("old"),
            Column("new"),
            Column("change"),
            Column("95 % interval"),
            Column("method", "label", spare=True),
            Column("broke"),
            Column("fixed"),
            Column("", "text"),
        ],
        [
            [
                one.title,
                *(percent(share) for share in (one.old, one.new)),
                points(one.new - one.old, 2),
                points_range(one.change.ends, 2),
                one.change.short_method,
                *(
                    [percent(one.broke), percent(one.fixed)]
                    if one.name != "flap_rate"
                    else ["", ""]
                ),
                one.meaning,
            ]
            for one in prompts.pass_changes()
        ],
    )


def score_table(
    comparison: Facts, metric: str, changes: ScoreFacts, *, all_rates: bool = False
) -> FittedTable:
    """Tabulate rates and means of a graded score, each with its interval."""
    keys = [*SCORE_RATES, *SCORE_MEANS] if all_rates else [*PLAIN_SCORES]
    rows = [_score_row(comparison, metric, changes, key) for key in keys]
    columns = [
        Column(safe_name(metric), "text"),
        Column("value"),
        Column("95 % interval"),
        Column("method", "label", spare=True),
        Column("items"),
        Column("", "text"),
    ]
    return FittedTable(columns, rows)


def part_table(
    comparison: Facts, kind: Kind, parts: Mapping[str, FlipCounts], *, show_all: bool = False
) -> Iterator[FittedTable | Text]:
    """Tabulate slices or tasks, those with the highest shrunken NFR first; count the others."""
    ranked = rank_parts(parts)
    shown = ranked if show_all else ranked[:MOST_PARTS]
    columns = [
        Column(f"{kind} (most broken first)", "name"),
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
            Text(terminal(brief_name(part.name, CELL_LIMIT))),
            str(part.counts.total),
            percent(part.counts.old_accuracy, 1),
            percent(part.counts.new_accuracy, 1),
            points(part.counts.accuracy_change),
            *change_cells(rate_bounds(comparison, CHANGE, Part(kind, part.name))),
            str(part.counts.negative),
            str(part.counts.positive),
            percent(part.counts.negative_flip_rate),
        ]
        for part in shown
    ]
    yield FittedTable(columns, rows)
    left = len(ranked) - len(shown)
    if left:
        yield Text(f"{left} more {kind}{'s' if left > 1 else ''}: --all-slices (all_slices=)")


def change_cells(bounds: Bounds | None) -> list[str]:
    """Write the interval of a change of accuracy and its method; nothing where there is none."""
    return ["", ""] if bounds is None else [points_range(bounds.ends), bounds.short_method]


def safe_name(text: str) -> str:
    """Escape an untrusted name for a cell, and cut what is no name."""
    return terminal(shorten(without_secrets(text), CELL_LIMIT))


def _cell(count: int, changed: int | None) -> str:
    return f"{count} ({changed} changed)" if changed else str(count)


def _paper_name(measure: Measure) -> str:
    return f"{measure.name} ({measure.symbol})" if measure.symbol else measure.name


def _rate_row(comparison: Facts, key: str, name: str) -> list[str]:
    rate, measure = getattr(comparison.counts, key), RATES[key]
    bounds = rate_bounds(comparison, key)
    if isinstance(rate, AccuracyChange):
        return [name, points(rate, 2), *change_cells(bounds), "", "points"]
    if not isinstance(rate, Rate):
        return [name, ratio(rate), "", "", "", measure.of]
    if rate.count is None:
        return [name, "unknown", "", "", "", "needs answers"]
    whole = whole_text(measure, rate.total)
    return [name, percent(rate), *_bounded(bounds), str(rate.count), whole]


def _score_row(comparison: Facts, metric: str, changes: ScoreFacts, key: str) -> list[str]:
    measure = SCORE_RATES[key] if key in SCORE_RATES else SCORE_MEANS[key]
    name = PLAIN_SCORES.get(key, measure.name)
    value, bounds = getattr(changes, key), score_bounds(comparison, metric, key)
    if isinstance(value, Rate):
        of = whole_text(measure, value.total)
        return [name, percent(value), *_bounded(bounds), str(value.count), of]
    is_change = key == "mean_change"
    interval = ["too few" if not is_change and value.too_few else "", ""]
    if bounds is not None:
        interval = [score_range(bounds.ends, sign=is_change), bounds.short_method]
    whole = [str(changes.total), "items"] if is_change else [str(value.count), "of these items"]
    return [name, score(value, sign=is_change), *interval, *whole]


def _bounded(bounds: Bounds | None) -> list[str]:
    """Write an interval and its method; nothing where there is none."""
    return ["", ""] if bounds is None else [percent_range(bounds.ends), bounds.short_method]
