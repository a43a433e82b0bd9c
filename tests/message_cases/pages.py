"""Messages about reports and figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from muscle_metrics import Record, Run, cli, compare, compare_candidates, html_report
from muscle_metrics.plots import plot_frontier, plot_score_changes, plot_slices
from muscle_metrics.reports.html.candidates import candidates_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from muscle_metrics import Candidates

WATCHED = [
    "cli/report",
    "plots",
    "reports/candidates",
    "reports/html/candidates",
    "reports/html/page",
]


def report(*arguments: str) -> object:
    for name in ("old.jsonl", "new.jsonl"):
        Path(name).write_text('{"id": 1, "prediction": "A", "reference": "A"}\n', "utf-8")
    options = cli._parser().parse_args(["report", *arguments, "-o", "report.html"])
    return options.command(options)


def same() -> object:
    return compare(old=["A"], new=["A"], references=["A"])


def alone() -> Candidates:
    run = Run((Record("1", "A", "A"),), "v1")
    return compare_candidates(run, {"v2": run})


CASES: dict[str, Callable[[], object]] = {
    "cli: report on one run": lambda: report("old.jsonl"),
    "cli: report on several metrics of a chain": lambda: report(
        "old.jsonl", "new.jsonl", "old.jsonl", "--metric", "a", "--metric", "b"
    ),
    "page: candidates, examples below 0": lambda: candidates_page(alone(), examples=-1),
    "reports: an ending of candidates": lambda: alone().report("candidates.xml"),
    "page: examples below 0": lambda: html_report(same(), examples=-1),
    "plots: a score that was not compared": lambda: plot_score_changes(same()),
    "plots: no points": lambda: plot_frontier([]),
    "plots: no slices": lambda: plot_slices(same()),
    "plots: percent": lambda: plot_frontier([("v2", 71.0, 5.0)]),
}
