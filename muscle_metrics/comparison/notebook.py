"""Comparisons, chains and candidates as sentences and small tables of HTML, for a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.comparison.candidate_text import candidate_lines, title_of
from muscle_metrics.comparison.chain_bounds import step_bounds
from muscle_metrics.comparison.near_misses import near_miss_lines
from muscle_metrics.comparison.ranking import MOST_UNFOLDED, distinct_parts, rank_parts
from muscle_metrics.comparison.remarks import remark_lines
from muscle_metrics.comparison.story import story, story_details
from muscle_metrics.comparison.uncertainty import counts_of_part, decoding_noise, rate_bounds
from muscle_metrics.evidence.repeats import noise_parts
from muscle_metrics.evidence.units import Part
from muscle_metrics.words import escape
from muscle_metrics.words.numbers import counted, percent, percent_range
from muscle_metrics.words.secrets import brief_name, without_secrets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.comparison.candidates import Candidates
    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.evidence.evidence import Bounds
    from muscle_metrics.evidence.repeats import NoisePart
    from muscle_metrics.flips.counts import FlipCounts

__all__ = ["candidates_html", "chain_html", "comparison_html"]

COLUMNS = ("", "items", "old", "new", "broke", "fixed", "NFR", "95 % interval", "method", "PFR")
NOISE_COLUMNS = ("decoding noise", "value", "95 % interval", "method", "what it is")
NAME_LIMIT = 120


def comparison_html(comparison: Comparison) -> str:
    """Tell the effect of an update, and tabulate it and its slices, for a notebook."""
    details = _html(" ".join(story_details(comparison)))
    said = f"<p><strong>{_html(story(comparison))}</strong> {details}</p>"
    if comparison.correctness is None:
        lines = "\n".join(map(_html, str(comparison).splitlines()))
        return f"{said}<pre>{lines}</pre>"
    noise = noise_parts(decoding_noise(comparison))
    notes = [*near_miss_lines(comparison), *remark_lines(comparison)]
    remarks = "".join(f"<p>{_html(note)}</p>" for note in notes)
    return (
        f"{said}{remarks}{_quadrants(comparison.counts)}{_slices(comparison)}"
        f"{_noise(noise) if noise else ''}<p><small>{_html(comparison.signature)}</small></p>"
    )


def _html(text: str) -> str:
    """Escape text without its secrets."""
    return escape.html(without_secrets(text))


def _slices(comparison: Comparison) -> str:
    """Tabulate all items and the slices, the worst first; those beyond the first are folded."""
    marks = {} if comparison.is_clustered else distinct_parts(comparison.slices, comparison.counts)
    parts = [Part("slice", part.name) for part in rank_parts(comparison.slices)]
    first, folded = [None, *parts[:MOST_UNFOLDED]], parts[MOST_UNFOLDED:]
    shown = _table(comparison, first, marks, " -> ".join(comparison.names))
    if not folded:
        return shown
    more = counted(len(folded), "more slice")
    rest = _table(comparison, folded, marks, "the next slices in the same order")
    return f"{shown}<details><summary>{more}</summary>{rest}</details>"


def _table(
    comparison: Comparison, parts: Sequence[Part | None], marks: dict[str, str], caption: str
) -> str:
    columns = (*COLUMNS, "difference") if marks else COLUMNS
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    body = "".join(_row(comparison, part, marks) for part in parts)
    return (
        f"<table><caption>{_html(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _quadrants(counts: FlipCounts) -> str:
    return (
        f"<table><caption>All {counted(counts.total, 'item')}</caption>"
        f'<thead><tr><td></td><th scope="col">right now</th><th scope="col">wrong now</th></tr>'
        f'</thead><tbody><tr><th scope="row">right before</th><td>{counts.both_right}</td>'
        f"<td><strong>{counts.negative} broke</strong></td></tr>"
        f'<tr><th scope="row">wrong before</th>'
        f"<td>{counts.positive} got fixed</td><td>{counts.both_wrong}</td></tr></tbody></table>"
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
    caption = _html(f"{' -> '.join(chain.names)}: {chain.total} items")
    kept = chain.survival[-1]
    first = brief_name(chain.names[0], NAME_LIMIT)
    said = _html(
        f"Of {counted(kept.total, 'item')} that {first} got right, "
        f"{kept.total - (kept.count or 0)} broke in some update."
    )
    updates = f"negative flips over {last} updates: {chain.sum_negative_flip_rate}"
    return (
        f"<p><strong>{said}</strong></p><table><caption>{caption}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<p>{updates}; fixed and broken again: {chain.flip_flop_rate}</p>"
        f"<p><small>{_html(chain.signature)}</small></p>"
    )


def candidates_html(candidates: Candidates) -> str:
    """Tabulate candidates for a notebook, and say which of them cannot be told apart."""
    head = "".join(f'<th scope="col">{column}</th>' for column in (*COLUMNS, "front"))
    body = "".join(
        _cells(
            name,
            one.counts,
            rate_bounds(one, "negative_flip_rate"),
            "yes" if name in candidates.front else "",
        )
        for name, one in candidates.comparisons.items()
    )
    said = "".join(f"<p>{_html(line)}</p>" for line in candidate_lines(candidates))
    return (
        f"<table><caption>{_html(title_of(candidates))}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{said}"
        f"<p><small>{_html(candidates.signature)}</small></p>"
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


def _row(comparison: Comparison, part: Part | None, marks: dict[str, str]) -> str:
    name = "all" if part is None else part.name
    differs = f"{marks[name]} than elsewhere" if part is not None and name in marks else ""
    bounds = rate_bounds(comparison, "negative_flip_rate", part)
    more = [differs] if marks else []
    return _cells(name, counts_of_part(comparison, part), bounds, *more)


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
    label = _html(brief_name(name, NAME_LIMIT))
    return f'<tr><th scope="row">{label}</th>{values}</tr>'
