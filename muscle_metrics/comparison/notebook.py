"""A comparison as one small table of escaped HTML, for a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.comparison.near_misses import near_miss_lines
from muscle_metrics.comparison.remarks import remark_lines
from muscle_metrics.comparison.sameness import EQUAL_RUNS, runs_are_equal
from muscle_metrics.words.escape import distinct, html, shorten
from muscle_metrics.words.numbers import percent, percent_range

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.flips.counts import FlipCounts

__all__ = ["comparison_html"]

COLUMNS = ("", "items", "old", "new", "broke", "fixed", "NFR", "95 % interval", "PFR")
NAME_LIMIT = 120


def comparison_html(comparison: Comparison) -> str:
    """Tabulate a comparison and its slices for a notebook."""
    if comparison.correctness is None:
        lines = "\n".join(map(html, str(comparison).splitlines()))
        return f"<pre>{lines}</pre>"
    rows = {"all": comparison.counts, **comparison.slices}
    head = "".join(f'<th scope="col">{column}</th>' for column in COLUMNS)
    body = "".join(_row(name, counts) for name, counts in rows.items())
    equal = [EQUAL_RUNS] if runs_are_equal(comparison) else []
    caption = html("; ".join([" -> ".join(comparison.names), *equal]))
    notes = [*near_miss_lines(comparison), *remark_lines(comparison)]
    remarks = "".join(f"<p>{html(note)}</p>" for note in notes)
    return (
        f"{remarks}<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table><p><small>{html(comparison.signature)}</small></p>"
    )


def _row(name: str, counts: FlipCounts) -> str:
    rate = counts.negative_flip_rate
    cells = (
        str(counts.total),
        percent(counts.old_accuracy),
        percent(counts.new_accuracy),
        str(counts.negative),
        str(counts.positive),
        percent(rate),
        percent_range(rate.interval()),
        percent(counts.positive_flip_rate),
    )
    values = "".join(f"<td>{cell}</td>" for cell in cells)
    label = html(shorten(distinct(name[: NAME_LIMIT + 1]), NAME_LIMIT))
    return f'<tr><th scope="row">{label}</th>{values}</tr>'
