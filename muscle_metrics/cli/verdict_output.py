"""Where a verdict goes: standard output, files, and the summary of a step of GitHub Actions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.cli.compare import number
from muscle_metrics.cli.outputs import check_outputs, print_lines, warn
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.gate.policy import OnInconclusive
    from muscle_metrics.gate.verdict import Verdict
    from muscle_metrics.scale import CountedComparison

__all__ = ["Judged", "add_output", "check_output", "put_out"]

# The one environment variable that is read, and only where --summary asks for it.
SUMMARY = "GITHUB_STEP_SUMMARY"
# With less room than this, a verdict is not added to a summary.
LEAST_ROOM = 20_000


class Judged(NamedTuple):
    """A verdict, what it is about, and what it means where it is none."""

    verdict: Verdict
    comparison: Comparison | CountedComparison | None
    on_inconclusive: OnInconclusive


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the options about what is printed and written.

    Examples
    --------
    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> add_output(parser)
    >>> parser.parse_args(["--no-examples"]).examples
    0
    """
    group = parser.add_argument_group("output")
    for flag, text in (
        ("--junit", "write JUnit XML"),
        ("--markdown", "write Markdown, short enough for a comment"),
        ("--json", "write JSON; its schema is verdict.schema.json"),
    ):
        group.add_argument(flag, metavar="FILE", help=text)
    group.add_argument(
        "--summary",
        action="store_true",
        help=f"append Markdown to the file that the variable {SUMMARY} names",
    )
    group.add_argument(
        "--annotations", action="store_true", help="print annotations for GitHub Actions"
    )
    group.add_argument(
        "--flips", type=number, default=0, metavar="N", help="print the first N negative flips"
    )
    group.add_argument(
        "--examples",
        type=number,
        default=20,
        metavar="N",
        help="how many negative flips the reports list (default: 20)",
    )
    group.add_argument(
        "--no-examples",
        action="store_const",
        const=0,
        dest="examples",
        help="list none, so that no answers and references are published",
    )


def check_output(options: argparse.Namespace, inputs: Sequence[str]) -> None:
    """Refuse before any work what could not be written after it.

    Raises
    ------
    UsageError
        If two reports go to one file, or there is no summary to append to.

    Examples
    --------
    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> add_output(parser)
    >>> check_output(parser.parse_args(["--json", "gate.json"]), ["v1.jsonl", "v2.jsonl"])
    """
    check_outputs([options.junit, options.markdown, options.json], inputs)
    if options.summary and not os.environ.get(SUMMARY):
        raise UsageError(
            f"expected the variable {SUMMARY} to name a file for --summary, got none: it is set "
            f"in a step of GitHub Actions; elsewhere use --markdown FILE"
        )


def put_out(options: argparse.Namespace, judged: Judged) -> None:
    """Write the reports that were asked for, and only then print the verdict.

    Raises
    ------
    UsageError
        If a report cannot be written.

    Examples
    --------
    >>> import argparse
    >>> from muscle_metrics import Policy, check_gate, compare
    >>> parser = argparse.ArgumentParser()
    >>> add_output(parser)
    >>> comparison = compare(old=["A"] * 99, new=["A"] * 99, references=["A"] * 99)
    >>> verdict = check_gate(comparison, Policy(max_nfr="0.05"))
    >>> put_out(parser.parse_args([]), Judged(verdict, comparison, "error"))
    PASS: old -> new
    ...
    """
    _write_files(options, judged)
    if options.summary:
        _append_summary(options, judged)
    _print(options, judged)


def _write_files(options: argparse.Namespace, judged: Judged) -> None:
    from muscle_metrics.reports.files import write_text
    from muscle_metrics.reports.junit import verdict_junit
    from muscle_metrics.reports.markdown import verdict_markdown
    from muscle_metrics.reports.verdict_json import verdict_json

    verdict, comparison, on_inconclusive = judged
    most = options.examples
    if options.junit:
        text = verdict_junit(verdict, comparison, examples=most, on_inconclusive=on_inconclusive)
        write_text(Path(options.junit), text)
    if options.markdown:
        write_text(Path(options.markdown), verdict_markdown(verdict, comparison, examples=most))
    if options.json:
        write_text(Path(options.json), verdict_json(verdict, comparison, examples=most))


def _append_summary(options: argparse.Namespace, judged: Judged) -> None:
    from muscle_metrics.reports.files import append_text
    from muscle_metrics.reports.markdown import SUMMARY_LIMIT, verdict_markdown

    path = Path(os.environ[SUMMARY])
    room = SUMMARY_LIMIT - (path.stat().st_size if path.exists() else 0)
    if room < LEAST_ROOM:
        # More would make the site drop all of it; the verdict stands whatever is shown there.
        warn(f"the summary is full, the verdict was not added ({room} bytes left)")
        return
    text = verdict_markdown(
        judged.verdict, judged.comparison, examples=options.examples, limit=room
    )
    append_text(path, text)


def _print(options: argparse.Namespace, judged: Judged) -> None:
    from muscle_metrics.reports.annotations import verdict_annotations
    from muscle_metrics.reports.flips import first_flips, flip_lines

    verdict = judged.verdict
    flips = first_flips(judged.comparison, options.flips, verdict.broken_pins)
    annotations = verdict_annotations(verdict) if options.annotations else []
    print_lines([str(verdict), *flip_lines(flips), *annotations])
