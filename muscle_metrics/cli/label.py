"""`muscle-metrics label`: a sheet of the items that a person should look at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.mistakes import doubt_order
from muscle_metrics.cli.outputs import check_outputs
from muscle_metrics.cli.reading import add_reading, read_runs, two_models
from muscle_metrics.cli.screen import print_lines
from muscle_metrics.cli.whole_numbers import number
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from muscle_metrics.labels.plan import LabelPlan
    from muscle_metrics.runs.record import Run

__all__ = ["add_command"]

EPILOG = """\
examples:
  # 200 rows to look at, with their prompts; references are not needed
  muscle-metrics label old.jsonl new.jsonl --prompt-field prompt \\
      --budget 200 --seed 7 -o sheet.csv
  # more rows where the judge says that new is worse
  muscle-metrics label old.jsonl new.jsonl --score-field judge --judge judge \\
      --budget 200 --seed 7 -o judged.csv
  # rows of every category, by its size
  muscle-metrics label old.jsonl new.jsonl --slice-field category \\
      --budget 200 --seed 7 -o spread.csv

  # a page to label on by keys and clicks: page.html, page.csv and page.csv.key
  muscle-metrics label old.jsonl new.jsonl --budget 200 --seed 7 -o page.html

Fill right_a and right_b with yes or no, or with ? where nobody can tell. The
key (sheet.csv.key) says which answers are new: keep it beside the sheet, but
away from those who label. Then give the sheet to compare or to gate with
--labels sheet.csv. To add rows and keep the labels, raise the budget and name
the sheet: --budget 400 --extend sheet.csv -o sheet2.csv.

exit codes: 0 done, 2 usage, 4 runs that cannot be joined, 5 internal error
"""


def add_command(commands: Any) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "label",
        help="write a sheet of the items that a person should look at",
        description="Draw items whose answers differ, and write them as a sheet to be labelled.",
        epilog=EPILOG,
        usage="%(prog)s OLD NEW --budget N -o SHEET [options]",
    )
    parser.set_defaults(command=_label)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="OLD and NEW")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="new sheet to write, .csv; or .html, a page to label on, with the sheet beside it",
    )
    group = parser.add_argument_group("which items")
    group.add_argument(
        "--budget", type=number, required=True, metavar="N", help="rows to label in all"
    )
    group.add_argument(
        "--seed", type=int, help="of the draws and of the sides (default: a random one, printed)"
    )
    group.add_argument(
        "--extend", metavar="SHEET", help="add rows to a sheet that is filled, or half filled"
    )
    group.add_argument(
        "--judge", metavar="NAME", help="recorded score that says which items may have broken"
    )
    group.add_argument(
        "--candidate",
        action="append",
        metavar="RUN",
        help="answers of another model, as a vote on which answer is right; may be repeated",
    )
    group.add_argument(
        "--confidence-field", metavar="F", help="field of OLD that says how sure it was"
    )
    add_reading(parser)


def _label(options: argparse.Namespace) -> int:
    from muscle_metrics.labels.plan import plan_labels
    from muscle_metrics.labels.sheet import sheet_files
    from muscle_metrics.words.secrets import plain_line

    two_models(options)
    if len(options.runs) != 2:
        raise UsageError(f"expected two runs, got {len(options.runs)}: name OLD and NEW")
    if options.reference is not None:
        raise UsageError(
            "expected runs whose answers people judge, got --reference, which judges them: drop "
            "it, or give it to 'muscle-metrics compare' without --labels"
        )
    sheet, key, *pages = map(str, sheet_files(options.output))
    named = [*options.runs, *filter(None, [options.extend])]
    _refuse_loss(options.output, sheet, key)
    check_outputs([sheet, key, *pages], named)
    candidates, confidence = _signals(options)
    old, new = read_runs(options, options.runs)
    doubt_order(options.runs, [old, new])
    plan = plan_labels(
        old,
        new,
        budget=options.budget,
        seed=_seed(options),
        extend=options.extend,
        judge=options.judge,
        candidates=candidates,
        confidence=confidence,
        missing=options.missing,
        conflict=options.conflict,
        unanswered=options.unanswered,
    )
    plan.write(options.output)
    lines = [*str(plan).split("\n"), *_prompts(plan), *_written(sheet, key, pages)]
    print_lines(map(plain_line, lines))
    return 0


def _seed(options: argparse.Namespace) -> int | None:
    """Seed of a new sheet; where none is given, a random one, which the plan prints."""
    if options.extend is not None or options.seed is not None:
        seed: int | None = options.seed
        return seed
    import secrets

    return secrets.randbelow(2**32)


def _signals(options: argparse.Namespace) -> tuple[list[Run], Run | None]:
    """Answers of other models, and the confidences of the old one."""
    candidates = [_reread(options, path, options.score_field) for path in options.candidate or []]
    if options.confidence_field is None:
        return candidates, None
    return candidates, _reread(options, options.runs[0], [options.confidence_field])


def _reread(options: argparse.Namespace, path: str, score_field: list[str] | None) -> Run:
    """Read a run with the options of OLD and another score."""
    import argparse

    from muscle_metrics.cli.reading import PER_RUN

    first = {name: (getattr(options, name) or [])[:1] or None for name in PER_RUN}
    mine = argparse.Namespace(**{**vars(options), **first, "score_field": score_field})
    (run,) = read_runs(mine, [path])
    return run


def _refuse_loss(output: str, *files: str) -> None:
    """Refuse to write over a sheet, which may hold labels, and over its key or page."""
    from muscle_metrics.reports.files import is_file

    if not is_file(output):
        raise UsageError(
            f"expected a file for the sheet, got {output!r}: its key lies beside it; write -o "
            f"sheet.csv"
        )
    for path in (output, *files):
        if os.path.lexists(path):
            raise UsageError(
                f"expected a new file as -o, got {path!r}, which exists and may belong to labels: "
                f"name another, as in -o sheet2.csv"
            )


def _prompts(plan: LabelPlan) -> list[str]:
    """Say that nothing shows whether an id names the same question in both runs."""
    if any(prompt is not None for prompt in plan.items.prompts):
        return []
    return [
        "note: the sheet shows no prompts, and runs of other questions are not noticed; name the "
        "field with --prompt-field"
    ]


def _written(sheet: str, key: str, pages: Sequence[str]) -> list[str]:
    return [
        *(f"{page}: to label in a browser; it exports {sheet}, filled" for page in pages),
        f"{sheet}: fill right_a and right_b with yes or no, ? where nobody can tell",
        f"{key}: says which answers are new; keep it from those who label",
    ]
