"""`muscle-metrics candidates`: several candidates against one old run, and which may ship."""

from __future__ import annotations

import argparse
import os
import shlex
from dataclasses import replace
from glob import glob
from itertools import combinations
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.exits import exit_code
from muscle_metrics.cli.judging import add_judging, judging_choices, refuse_samples
from muscle_metrics.cli.mistakes import doubt_order, note_identical, refuse_same_run
from muscle_metrics.cli.outputs import (
    check_outputs,
    names_standard_output,
    print_reports,
    write_files,
)
from muscle_metrics.cli.policy_flags import add_policy, has_policy, policy_of
from muscle_metrics.cli.reading import add_reading, read_runs, run_settings
from muscle_metrics.cli.screen import open_screen, print_lines, working
from muscle_metrics.cli.whole_numbers import number
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.comparison.candidates import Candidates
    from muscle_metrics.gate.candidates import CandidatesVerdict

__all__ = ["add_command"]

EPILOG = """\
examples:
  # which of three broke least, and which cannot be told apart
  muscle-metrics candidates v1.jsonl v2.jsonl v3.jsonl
  # names of your own, the items that all broke or one alone, and a page
  muscle-metrics candidates v1.jsonl small=v2.jsonl large=v3.jsonl \\
      --items 5 --report candidates.html
  # which may ship, with one error over all of them
  muscle-metrics candidates v1.jsonl v2.jsonl v3.jsonl --policy gate.toml \\
      --markdown candidates.md

Options about fields are given once for all runs, or once per run in the order
of the runs.

exit codes: 0 done, or a candidate may ship; else 3 one is INCONCLUSIVE, 1 FAIL,
4 INVALID or data that cannot be compared; 2 usage, 5 internal error
"""

# Endings that a name leaves out.
ENDINGS = {
    ".gz", ".zst", ".jsonl", ".json", ".ndjson", ".csv", ".tsv", ".txt", ".parquet", ".baseline",
    ".eval",
}  # fmt: skip


def add_command(commands: Any) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "candidates",
        help="compare several candidates with one old run",
        description="Compare several candidates for one update, and say which may ship.",
        epilog=EPILOG,
        usage="%(prog)s OLD NEW [NEW ...] [options]",
    )
    parser.set_defaults(command=_candidates, run_names={})
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        action=_NamedRuns,
        help="OLD and its candidates: files of answers, or NAME=FILE",
    )
    add_policy(parser)
    add_reading(parser, models=False)
    add_judging(parser)
    _add_output(parser)


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "--items",
        type=number,
        default=0,
        metavar="N",
        help="list N items that every candidate broke, and that each of them alone broke",
    )
    for flag, text in (
        ("--report", "write one HTML page"),
        ("--markdown", "write Markdown, short enough for a comment"),
        ("--json", "write JSON; - is standard output"),
    ):
        group.add_argument(flag, metavar="FILE", help=text)
    group.add_argument(
        "--examples",
        type=number,
        default=100,
        metavar="N",
        help="how many items of each list the page shows (default: 100)",
    )
    group.add_argument(
        "--no-examples",
        action="store_const",
        const=0,
        dest="examples",
        help="list none, so that no prompts, answers and references are published",
    )
    group.add_argument(
        "--redact",
        action="store_true",
        help="list items on the page by their ids alone, without prompts, answers and references",
    )


class _NamedRuns(argparse.Action):
    """Split NAME=FILE into names and runs."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        paths, names = [], []
        for text in values:
            name, path = _split(text)
            paths.append(path)
            names.append(name)
        namespace.runs, namespace.run_names = paths, names


def _split(text: str) -> tuple[str | None, str]:
    """Name and file of NAME=FILE; addresses, folders and whole names of files may hold the sign."""
    name, _, path = text.partition("=")
    is_whole = "/" in name or os.sep in name or os.path.exists(text) or glob(text)
    return (None, text) if is_whole or not (name and path) else (name, path)


def _candidates(options: argparse.Namespace) -> int:
    from muscle_metrics.comparison.candidates import compare_candidates
    from muscle_metrics.gate.candidates import check_candidates

    if len(options.runs) < 2:
        raise UsageError(
            f"expected an old run and at least one candidate, got {len(options.runs)}: name OLD "
            f"NEW1 NEW2"
        )
    outputs = [options.report, options.markdown, options.json]
    named = filter(None, (options.reference, options.policy, options.pinned))
    check_outputs(outputs, [*options.runs, *named])
    policy = policy_of(options) if has_policy(options) else None
    options.answer = options.answer if policy is None else policy.answer
    refuse_samples(options, "candidates")
    choices = judging_choices(options)
    settings, given = run_settings(options, options.runs)
    for one, other in combinations(range(len(settings)), 2):
        # A star, not a chain: OLD under another name would pass any gate.
        refuse_same_run([options.runs[one], options.runs[other]], [settings[one], settings[other]])
    names = _names(options.run_names, given)
    runs = read_runs(options, options.runs)
    for path, run in zip(options.runs[1:], runs[1:], strict=True):
        doubt_order([options.runs[0], path], [runs[0], run])
    old, *new = (replace(run, name=name) for run, name in zip(runs, names, strict=True))
    with working("comparing"):
        effect = policy.minimum_effect if policy else options.minimum_effect or 0.0
        candidates = compare_candidates(
            old, {run.name: run for run in new}, minimum_effect=effect, **choices
        )
        verdict = None if policy is None else check_candidates(candidates, policy)
    undecided = "error" if policy is None else policy.on_inconclusive
    texts = _texts(options, candidates, verdict)
    write_files(texts)
    print_reports(texts)
    _show(options, candidates, verdict, stderr=names_standard_output(texts))
    return 0 if verdict is None else exit_code(verdict.outcome, undecided)


def _names(named: Sequence[str | None], given: Sequence[str]) -> list[str]:
    """Names that the user gave; else those of the files, as short as they differ."""
    short = [_short(name) for name in given]
    usual = short if len(set(short)) == len(short) else given
    names = [one or other for one, other in zip(named, usual, strict=True)]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"expected a name of its own for every run, got {name!r} twice: name each run, as "
                f"in NAME=FILE"
            )
    return names


def _short(name: str) -> str:
    """Name of a file without its folders and its known endings.

    Examples
    --------
    >>> _short("runs/v1.2.jsonl.gz"), _short("runs/v2/"), _short("a.jsonl[x]")
    ('v1.2', 'v2', 'a.jsonl[x]')
    """
    path = PurePath(name)
    while path.suffix.lower() in ENDINGS and path.stem:
        path = path.with_suffix("")
    return path.name or name


def _texts(
    options: argparse.Namespace, candidates: Candidates, verdict: CandidatesVerdict | None
) -> dict[str, str]:
    """Text of every report, by the output that an option names."""
    texts = {}
    if options.report:
        from muscle_metrics.reports.html.candidates import candidates_page

        with working("writing the page"):
            texts[options.report] = candidates_page(
                candidates,
                verdict=verdict,
                examples=options.examples,
                redact=options.redact,
                command=shlex.join(["muscle-metrics", *options.given]),
            )
    if options.markdown:
        from muscle_metrics.reports.candidates import candidates_markdown

        texts[options.markdown] = candidates_markdown(candidates, verdict)
    if options.json:
        from muscle_metrics.reports.candidates import candidates_json

        texts[options.json] = candidates_json(candidates, verdict)
    return texts


def _show(
    options: argparse.Namespace,
    candidates: Candidates,
    verdict: CandidatesVerdict | None,
    *,
    stderr: bool,
) -> None:
    from muscle_metrics.comparison.candidate_text import WIDTH, candidates_table
    from muscle_metrics.words.table import plain_text

    old, *new = options.runs
    pairs = zip(candidates.names, new, strict=True)
    notes = [f"{name}: {note}" for name, path in pairs for note in note_identical([old, path])]
    table = candidates_table(candidates, items=options.items, notes=notes)
    screen = open_screen(stderr=stderr)
    # The verdict last: it is what a log of CI ends with.
    lines = [] if verdict is None else ["", *str(verdict).splitlines()]
    if screen.is_terminal:
        screen.print(table, crop=False)
    else:
        lines = [plain_text(table, WIDTH), *lines]
    print_lines(lines, stderr=stderr)
