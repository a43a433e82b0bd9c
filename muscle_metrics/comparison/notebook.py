"""A comparison as one small table of escaped HTML, for a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.comparison.near_misses import near_miss_lines
from muscle_metrics.comparison.remarks import remark_lines
from muscle_metrics.comparison.sameness import EQUAL_RUNS, runs_are_equal
from muscle_metrics.comparison.uncertainty import counts_of_part, decoding_noise, rate_bounds
from muscle_metrics.evidence.repeats import noise_parts
from muscle_metrics.evidence.units import Part
from muscle_metrics.words.escape import distinct, html, shorten
from muscle_metrics.words.numbers import percent, percent_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.evidence.repeats import NoisePart

__all__ = ["comparison_html"]

COLUMNS = ("", "items", "old", "new", "broke", "fixed", "NFR", "95 % interval", "method", "PFR")
NOISE_COLUMNS = ("decoding noise", "value", "95 % interval", "method", "what it is")
NAME_LIMIT = 120


def comparison_html(comparison: Comparison) -> str:
    """Tabulate a comparison and its slices for a notebook."""
    if comparison.correctness is None:
        lines = "\n".join(map(html, str(comparison).splitlines()))
        return f"<pre>{lines}</pre>"
    parts = [("all", None), *((name, Part("slice", name)) for name in comparison.slices)]
    head = "".join(f'<th scope="col">{column}</th>' for column in COLUMNS)
    body = "".join(_row(comparison, name, part) for name, part in parts)
    noise = noise_parts(decoding_noise(comparison))
    equal = [EQUAL_RUNS] if runs_are_equal(comparison) else []
    caption = html("; ".join([" -> ".join(comparison.names), *equal]))
    notes = [*near_miss_lines(comparison), *remark_lines(comparison)]
    remarks = "".join(f"<p>{html(note)}</p>" for note in notes)
    return (
        f"{remarks}<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>{_noise(noise) if noise else ''}"
        f"<p><small>{html(comparison.signature)}</small></p>"
    )


def _noise(parts: Sequence[NoisePart]) -> str:
    """Tabulate the parts of the flip rate of repeats."""
    head = "".join(f'<th scope="col">{column}</th>' for column in NOISE_COLUMNS)
    body = "".join(
        f'<tr><th scope="row">{part.title}</th><td>{percent(part.value)}</td>'
        f"<td>{percent_range(part.bounds.ends)}</td><td>{part.bounds.method}</td>"
        f"<td>{part.meaning}</td></tr>"
        for part in parts
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(comparison: Comparison, name: str, part: Part | None) -> str:
    counts = counts_of_part(comparison, part)
    rate, bounds = counts.negative_flip_rate, rate_bounds(comparison, "negative_flip_rate", part)
    cells = (
        str(counts.total),
        percent(counts.old_accuracy),
        percent(counts.new_accuracy),
        str(counts.negative),
        str(counts.positive),
        percent(rate),
        *(("", "") if bounds is None else (percent_range(bounds.ends), bounds.method)),
        percent(counts.positive_flip_rate),
    )
    values = "".join(f"<td>{cell}</td>" for cell in cells)
    label = html(shorten(distinct(name[: NAME_LIMIT + 1]), NAME_LIMIT))
    return f'<tr><th scope="row">{label}</th>{values}</tr>'
