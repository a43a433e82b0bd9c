"""A comparison, or a chain, as one small table of escaped HTML, for a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.comparison.chain_bounds import step_bounds
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

    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.evidence.evidence import Bounds
    from muscle_metrics.evidence.repeats import NoisePart
    from muscle_metrics.flips.counts import FlipCounts

__all__ = ["chain_html", "comparison_html"]

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


def chain_html(chain: Chain) -> str:
    """Tabulate a chain for a notebook: its updates, and what survived them."""
    last = len(chain.steps)
    steps = [(chain.names[n + 1], chain.steps[n], n, n + 1) for n in range(last)]
    if last > 1:
        steps.append(("first to last", chain.overall, 0, last))
    head = "".join(f'<th scope="col">{column}</th>' for column in (*COLUMNS, "right in all so far"))
    body = "".join(
        _cells(
            name,
            counts,
            step_bounds(chain, "negative_flip_rate", first, end),
            str(chain.survival[end]),
        )
        for name, counts, first, end in steps
    )
    caption = html(f"{' -> '.join(chain.names)}: {chain.total} items")
    return (
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
        f"</table><p>negative flips over {last} updates: {chain.sum_negative_flip_rate}; fixed and "
        f"broken again: {chain.flip_flop_rate}</p><p><small>{html(chain.signature)}</small></p>"
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
    bounds = rate_bounds(comparison, "negative_flip_rate", part)
    return _cells(name, counts_of_part(comparison, part), bounds)


def _cells(name: str, counts: FlipCounts, bounds: Bounds | None, *more: str) -> str:
    cells = (
        str(counts.total),
        percent(counts.old_accuracy),
        percent(counts.new_accuracy),
        str(counts.negative),
        str(counts.positive),
        percent(counts.negative_flip_rate),
        *(("", "") if bounds is None else (percent_range(bounds.ends), bounds.method)),
        percent(counts.positive_flip_rate),
        *more,
    )
    values = "".join(f"<td>{cell}</td>" for cell in cells)
    label = html(shorten(distinct(name[: NAME_LIMIT + 1]), NAME_LIMIT))
    return f'<tr><th scope="row">{label}</th>{values}</tr>'
