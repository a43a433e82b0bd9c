"""Candidates as JSON, as Markdown and as a page, with the verdict on each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.comparison.candidate_text import candidate_lines
from muscle_metrics.comparison.plain_data import json_text
from muscle_metrics.comparison.uncertainty import rate_bounds
from muscle_metrics.errors import UsageError
from muscle_metrics.gate.verdict import hide_verdict_secrets
from muscle_metrics.reports.files import check_target, write_text
from muscle_metrics.reports.html.candidates import candidates_page
from muscle_metrics.reports.markdown_parts import (
    COMMENT_LIMIT,
    Section,
    check_cells,
    fitted,
    line_cell,
    name_cell,
    table_head,
    table_row,
)
from muscle_metrics.reports.verdict_json import verdict_data
from muscle_metrics.words.escape import visible
from muscle_metrics.words.numbers import percent, percent_range, points, points_range
from muscle_metrics.words.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muscle_metrics.comparison.candidates import Candidates
    from muscle_metrics.gate.candidates import CandidatesVerdict

__all__ = ["MARKER", "candidates_json", "candidates_markdown", "write_candidates"]

# Programs that update their comment find it by this line, which sites do not show.
MARKER = "<!-- muscle-metrics candidates -->"
COLUMNS = ("accuracy", "change", "95 % interval", "NFR", "95 % interval", "PFR", "broke", "fixed")
OF_CHECKS = ("candidate", "check", "verdict", "value", "bounds", "limit", "seen")
OF_PAIRS = ("first", "second", "only first", "only second", "NFR, second - first", "95 % interval")
ENDINGS = (".html", ".md", ".json")


def candidates_json(candidates: Candidates, verdict: CandidatesVerdict | None = None) -> str:
    """`Candidates.to_dict` as JSON, and under "verdict" which candidates may ship and why."""
    data = candidates.to_dict()
    if verdict is not None:
        data["verdict"] = {
            "outcome": str(verdict.outcome),
            "may_ship": list(verdict.may_ship),
            "confidence": verdict.confidence,
            "alone": {name: str(outcome) for name, outcome in verdict.alone.items()},
            "candidates": {
                name: verdict_data(one, candidates.comparisons[name], examples=0)
                for name, one in verdict.verdicts.items()
            },
        }
    return json_text(data, indent=2) + "\n"


def candidates_markdown(
    candidates: Candidates,
    verdict: CandidatesVerdict | None = None,
    *,
    limit: int = COMMENT_LIMIT,
) -> str:
    """Write candidates as Markdown, short enough for a comment.

    Parameters
    ----------
    candidates : Candidates
        Old against each candidate.
    verdict : CandidatesVerdict, optional
        Which of them may ship, said first.
    limit : int
        Most bytes of the text in UTF-8, at least 20 000. Rows that do not fit are left out and
        counted.

    Returns
    -------
    str
        A heading without text of the runs, then tables.
    """
    number = len(candidates.names)
    if verdict is None:
        head = [MARKER, f"## {number} candidates against one old run"]
    else:
        shipped = len(verdict.may_ship)
        head = [MARKER, f"## {verdict.outcome}: {shipped} of {number} candidates may ship"]
        said = [verdict.headline, *verdict.lines()]
        head += [part for line in said for part in ("", line_cell(hide_secrets(line).value))]
    head += ["", f"Old: {name_cell(candidates.old)}, {candidates.total} items"]
    signature = hide_secrets(candidates.signature).value
    foot = ["", f"<sub>{line_cell(signature)}</sub>"]
    return fitted(head, [*_sections(candidates, verdict)], foot, limit)


def write_candidates(
    candidates: Candidates,
    path: str | os.PathLike[str],
    *,
    verdict: CandidatesVerdict | None = None,
    **options: Any,
) -> None:
    """Write a report of candidates, in the format that the ending of its name says.

    Parameters
    ----------
    candidates : Candidates
        Old against each candidate.
    path : str or path
        A file ``.html``, ``.md`` or ``.json``.
    verdict : CandidatesVerdict, optional
        Which of them may ship.
    **options
        Those of `candidates_page` for a page, ``limit`` for Markdown.

    Raises
    ------
    UsageError
        If the ending is none of these, or the file cannot be written.
    """
    name = os.fspath(path)
    ending = Path(name).suffix.lower()
    if ending not in ENDINGS:
        raise UsageError(
            f"expected a report of candidates that ends in {', '.join(ENDINGS)}, got "
            f"{visible(name)!r}: name it so, as in --report candidates.html"
        )
    check_target(name)
    if ending == ".html":
        text = candidates_page(candidates, verdict=verdict, **options)
    elif ending == ".md":
        text = candidates_markdown(candidates, verdict, **options)
    else:
        text = candidates_json(candidates, verdict, **options)
    write_text(name, text)


def _sections(candidates: Candidates, verdict: CandidatesVerdict | None) -> Iterator[Section]:
    columns = ["candidate", *["verdict"] * (verdict is not None), *COLUMNS]
    rows = []
    for name, one in candidates.comparisons.items():
        counts = one.counts
        change, nfr = (rate_bounds(one, rate) for rate in ("accuracy_change", "negative_flip_rate"))
        judged = [] if verdict is None else [f"**{verdict.verdicts[name].outcome}**"]
        cells = [
            percent(counts.new_accuracy),
            points(counts.accuracy_change),
            "" if change is None else points_range(change.ends),
            percent(counts.negative_flip_rate),
            "" if nfr is None else percent_range(nfr.ends),
            percent(counts.positive_flip_rate),
            str(counts.negative),
            str(counts.positive),
        ]
        rows.append(table_row(name_cell(name), *judged, *cells))
    yield Section(table_head(*columns), rows)
    said = [hide_secrets(line).value for line in candidate_lines(candidates)]
    yield Section([], [f"- {line_cell(line)}" for line in said])
    if verdict is not None:
        yield from _verdict_sections(verdict)
    if candidates.pairs:
        pairs = [
            table_row(
                name_cell(pair.first),
                name_cell(pair.second),
                str(pair.only_first),
                str(pair.only_second),
                points(pair.difference, 2),
                points_range(pair.bounds.ends, 2),
                "yes" if pair.is_distinct else "not shown",
            )
            for pair in candidates.pairs
        ]
        title = [f"<details><summary>In pairs: {len(pairs)}</summary>", ""]
        yield Section([*title, *table_head(*OF_PAIRS, "differ")], pairs, ["", "</details>"])


def _verdict_sections(verdict: CandidatesVerdict) -> Iterator[Section]:
    shown = {name: hide_verdict_secrets(one) for name, one in verdict.verdicts.items()}
    said = [
        f"- {name_cell(name)}: {line_cell(text)}"
        for name, one in shown.items()
        for text in (*one.notes, *one.reasons, *_pins(one.broken_pins), *map(str, one.waivers))
    ]
    if said:
        yield Section([], said)
    rows = [
        table_row(name_cell(name), *check_cells(check))
        for name, one in shown.items()
        for check in one.worst_first()
    ]
    if rows:
        yield Section(table_head(*OF_CHECKS), rows)
    advice = [
        f"- {name_cell(name)}, {name_cell(check.criterion)}: {line_cell(check.advice)}"
        for name, one in shown.items()
        for check in one.worst_first()
        if check.advice
    ]
    if advice:
        yield Section(["**To decide**", ""], advice)


def _pins(pins: tuple[str, ...]) -> list[str]:
    return [f"{len(pins)} pinned items broke: {', '.join(pins[:20])}"] if pins else []
