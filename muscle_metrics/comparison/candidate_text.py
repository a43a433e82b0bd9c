"""Tables of candidates, for a terminal, a pipe or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from muscle_metrics.comparison.near_misses import near_miss_lines
from muscle_metrics.comparison.rate_tables import CHANGE, safe_name
from muscle_metrics.comparison.remarks import dependence_text, remark_lines
from muscle_metrics.comparison.uncertainty import rate_bounds
from muscle_metrics.words.escape import distinct
from muscle_metrics.words.numbers import (
    counted,
    percent,
    percent_range,
    points,
    points_range,
)
from muscle_metrics.words.secrets import brief_name, plain_line
from muscle_metrics.words.table import Column, FittedTable, plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from muscle_metrics.comparison.candidate_pairs import PairedDifference
    from muscle_metrics.comparison.candidates import Candidates
    from muscle_metrics.comparison.comparison import Comparison

__all__ = [
    "candidate_lines",
    "candidates_table",
    "candidates_text",
    "item_lines",
    "remarks_by_candidate",
    "title_of",
]

WIDTH = 100
MOST_PAIRS = 15
NAME_LIMIT = 120


def candidates_text(candidates: Candidates, *, items: int = 0, width: int = WIDTH) -> str:
    """Plain text of candidates: no colours, no control characters from data.

    Parameters
    ----------
    candidates : Candidates
        Old against each candidate.
    items : int
        How many items to list that all candidates broke, and that each of them alone broke.
    width : int
        Columns to fill.
    """
    return plain_text(candidates_table(candidates, items=items), width)


def candidates_table(
    candidates: Candidates, *, items: int = 0, notes: Sequence[str] = ()
) -> RenderableType:
    """Tables of candidates for rich to print, with the parameters of `candidates_text`."""
    return Group(*_parts(candidates, items, notes))


def title_of(candidates: Candidates) -> str:
    """Name the old run, and say how many candidates and items there are."""
    number = counted(len(candidates.names), "candidate")
    return f"{candidates.old} -> {number}: {counted(candidates.total, 'item')}"


def candidate_lines(candidates: Candidates) -> list[str]:
    """Say which candidates cannot be told apart, and which items all or one of them broke.

    Names in the lines are not escaped.
    """
    return list(_lines(candidates))


def remarks_by_candidate(comparisons: Mapping[str, Comparison], *, texts: bool = True) -> list[str]:
    """Remarks on each comparison after the names of the candidates that share it.

    Parameters
    ----------
    comparisons : mapping of str to Comparison
        By candidate.
    texts : bool
        Whether remarks may quote answers and references.
    """
    named: dict[str, list[str]] = {}
    for name, one in comparisons.items():
        for remark in dict.fromkeys([*near_miss_lines(one, texts=texts), *remark_lines(one)]):
            named.setdefault(remark, []).append(_short(name))
    return [
        f"{'all candidates' if len(names) == len(comparisons) > 1 else ', '.join(names)}: {remark}"
        for remark, names in named.items()
    ]


def item_lines(candidates: Candidates, most: int) -> list[str]:
    """List the first items that every candidate broke, and that each of them alone broke."""
    every = candidates.broken_by_all()
    groups = [("every candidate broke", every)] if len(candidates.names) > 1 else []
    groups += [
        (f"only {_short(name)} broke", candidates.broken_only_by(name)) for name in candidates.names
    ]
    return [
        line
        for title, names in groups
        if names
        for line in (
            f"{title}: {_of(names, most)}",
            *(f"  {distinct(name)}" for name in names[:most]),
        )
    ]


def _of(names: Sequence[str], most: int) -> str:
    if len(names) <= most:
        return counted(len(names), "item")
    return f"the first {most} of {len(names)} items"


def _parts(candidates: Candidates, items: int, notes: Sequence[str]) -> Iterator[RenderableType]:
    yield _line("; ".join([title_of(candidates), *notes]), style="bold")
    for reason, count in candidates.dropped.items():
        if count:
            yield _line(f"not shared by all runs: {count} ({reason})")
    yield from map(_line, remarks_by_candidate(candidates.comparisons))
    for name, one in candidates.comparisons.items():
        if one.total != candidates.total:
            yield _line(f"{_short(name)}: its own figures are over {counted(one.total, 'item')}")
    yield Text()
    yield _rates(candidates)
    yield Text(_methods(candidates), style="dim")
    if candidates.pairs:
        yield Text()
        yield _pairs(candidates)
    yield Text()
    for line in candidate_lines(candidates):
        yield _line(line)
    if items:
        yield Text()
        yield from map(_line, item_lines(candidates, items))
    yield Text()
    yield _line(candidates.signature, style="dim")


def _rates(candidates: Candidates) -> FittedTable:
    columns = [
        Column("candidate", "name"),
        Column("accuracy"),
        Column("change"),
        Column("95 % interval", spare=True),
        Column("NFR"),
        Column("95 % interval", spare=True),
        Column("PFR", spare=True),
        Column("95 % interval", spare=True),
        Column("broke"),
        Column("fixed"),
    ]
    rows: list[list[str | Text]] = []
    for name, one in candidates.comparisons.items():
        counts, change = one.counts, rate_bounds(one, CHANGE)
        rows.append(
            [
                Text(safe_name(name)),
                percent(counts.new_accuracy),
                points(counts.accuracy_change),
                "" if change is None else points_range(change.ends),
                percent(counts.negative_flip_rate, 1),
                _range(one, "negative_flip_rate"),
                percent(counts.positive_flip_rate, 1),
                _range(one, "positive_flip_rate"),
                str(counts.negative),
                str(counts.positive),
            ]
        )
    return FittedTable(columns, rows)


def _range(comparison: Comparison, rate: str) -> str:
    bounds = rate_bounds(comparison, rate)
    return "" if bounds is None else percent_range(bounds.ends, 1)


def _methods(candidates: Candidates) -> str:
    found = [
        bounds.method
        for one in candidates.comparisons.values()
        for rate in (CHANGE, "negative_flip_rate")
        if (bounds := rate_bounds(one, rate)) is not None
    ]
    named = ", ".join(dict.fromkeys(found))
    first = next(iter(candidates.comparisons.values()))
    old = f"accuracy of old {percent(first.counts.old_accuracy)}"
    return f"{old}; intervals by {named}" if named else old


def _pairs(candidates: Candidates) -> FittedTable:
    """Tabulate pairs of candidates, the most distinct first."""
    ranked = sorted(candidates.pairs, key=_distinctness)
    more = len(ranked) - MOST_PAIRS
    left = f"; {more} more pairs are in the JSON" if more > 0 else ""
    return FittedTable(
        [
            Column("first", "name"),
            Column("second", "name"),
            Column("only first broke", spare=True),
            Column("only second", spare=True),
            Column("NFR, second - first"),
            Column("95 % interval"),
            Column("z", spare=True),
            Column("p (Holm)", spare=True),
            Column("differ", "label"),
        ],
        [_pair(pair) for pair in ranked[:MOST_PAIRS]],
        title=f"in pairs, on the same {counted(candidates.total, 'item')}{left}",
    )


def _distinctness(pair: PairedDifference) -> tuple[bool, float, float]:
    return not pair.is_distinct, pair.p_value or 0.0, -abs(pair.difference)


def _pair(pair: PairedDifference) -> list[str | Text]:
    return [
        Text(safe_name(pair.first)),
        Text(safe_name(pair.second)),
        str(pair.only_first),
        str(pair.only_second),
        points(pair.difference, 2),
        points_range(pair.bounds.ends, 2),
        "" if pair.z != pair.z else f"{pair.z:.2f}",
        "" if pair.p_value is None else f"{pair.p_value:.2g}",
        "yes" if pair.is_distinct else "not shown",
    ]


def _lines(candidates: Candidates) -> Iterator[str]:
    names = candidates.names
    first = next(iter(candidates.comparisons.values()))
    if first.is_clustered:
        yield dependence_text(first)
    together = [group for group in candidates.groups if len(group) > 1]
    if together:
        shown = "; ".join(", ".join(map(_short, group)) for group in together)
        yield f"cannot be told apart by NFR: {shown}"
    alone = [group[0] for group in candidates.groups if len(group) == 1 and len(names) > 1]
    if alone:
        yield f"told apart from every other: {', '.join(map(_short, alone))}"
    if len(names) > 1:
        front = ", ".join(map(_short, candidates.front))
        yield f"no other gained as much and broke as little as: {front}"
        yield _broken(candidates)


def _broken(candidates: Candidates) -> str:
    right = int(candidates.old_right.sum())
    number = candidates.broken_by[candidates.old_right]
    only = ", ".join(
        f"{_short(name)} alone {len(candidates.broken_only_by(name))}" for name in candidates.names
    )
    return (
        f"of {counted(right, 'item')} that old got right: no candidate broke "
        f"{int((number == 0).sum())}, every one broke {len(candidates.broken_by_all())}; {only}"
    )


def _short(name: str) -> str:
    return brief_name(name, NAME_LIMIT)


def _line(text: str, style: str = "") -> Text:
    return Text(plain_line(text), style=style)
