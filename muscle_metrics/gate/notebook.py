"""A verdict as a sentence and a small table of escaped HTML, for a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.gate.waived import waiver_lines
from muscle_metrics.words.escape import brief, html, shorten

if TYPE_CHECKING:
    from muscle_metrics.gate.verdict import Check, Verdict

__all__ = ["verdict_html"]

COLUMNS = ("check", "verdict", "value", "bounds", "limit", "seen", "to decide")
LINE_LIMIT = 1000
MOST_PINS = 20


def verdict_html(verdict: Verdict) -> str:
    """Tabulate a verdict without secrets: the outcome, then one row per check, the worst first.

    Examples
    --------
    >>> from muscle_metrics import Policy, check_gate, compare
    >>> comparison = compare(old=["A"] * 99, new=["B"] * 99, references=["A"] * 99)
    >>> verdict_html(check_gate(comparison, Policy(max_nfr="0.05")))[:50]
    '<p><strong>FAIL</strong>: old -&gt; new</p><table>'
    """
    head = "".join(f'<th scope="col">{column}</th>' for column in COLUMNS)
    body = "".join(map(_row, verdict.worst_first()))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else ""
    said = verdict.headline.removeprefix(verdict.outcome)
    pins = verdict.broken_pins
    first = ", ".join(brief(pin, LINE_LIMIT) for pin in pins[:MOST_PINS])
    lines = [*verdict.reasons, *([f"{len(pins)} pinned items broke: {first}"] if pins else [])]
    lines += waiver_lines(verdict.waivers)
    notes = "".join(f"<p>{html(shorten(line, LINE_LIMIT))}</p>" for line in lines)
    made = f"one-sided confidence {verdict.confidence:g}; {verdict.signature}"
    return (
        f"<p><strong>{verdict.outcome}</strong>{html(said)}</p>{notes}{table}"
        f"<p><small>{html(made)}</small></p>"
    )


def _row(check: Check) -> str:
    cells = (
        check.outcome,
        check.shown(check.estimate),
        check.named_bounds,
        check.limit_text,
        check.sample,
        check.advice,
    )
    values = "".join(f"<td>{html(shorten(cell, LINE_LIMIT))}</td>" for cell in cells)
    return f'<tr><th scope="row">{html(shorten(check.criterion, LINE_LIMIT))}</th>{values}</tr>'
