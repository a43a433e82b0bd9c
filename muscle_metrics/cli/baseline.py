"""`muscle-metrics baseline`: the old run as a gate needs it, small enough to commit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.judging import add_judging, judging_choices
from muscle_metrics.cli.outputs import check_outputs, names_standard_output
from muscle_metrics.cli.reading import add_reading, read_runs
from muscle_metrics.cli.screen import print_lines
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse

__all__ = ["add_command"]

EPILOG = """\
examples:
  # ids and verdicts, without any text
  muscle-metrics baseline v1.jsonl -o v1.baseline
  # with the slices that a gate protects
  muscle-metrics baseline v1.jsonl -o v1.baseline --slice-field category
  # the gate then needs no old run
  muscle-metrics gate --baseline v1.baseline v2.jsonl --max-nfr 0.02

exit codes: 0 done, 2 usage, 4 a run that cannot be judged, 5 internal error
"""


def add_command(commands: Any) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "baseline",
        help="reduce a run to verdicts, to be committed and gated against",
        description="Write ids, labels and verdicts or scores of a run, and no texts.",
        epilog=EPILOG,
        usage="%(prog)s RUN -o FILE [options]",
    )
    parser.set_defaults(command=_baseline)
    parser.add_argument("run", metavar="RUN", help="file of answers")
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="file to write; - is standard output"
    )
    parser.add_argument("--name", metavar="NAME", help="name of the run (default: of its file)")
    add_reading(parser)
    add_judging(parser, scores=False)


def _baseline(options: argparse.Namespace) -> int:
    from muscle_metrics.comparison.baseline import make_baseline
    from muscle_metrics.reports.files import write_text
    from muscle_metrics.runs.readers.baseline import baseline_text
    from muscle_metrics.words.secrets import plain_line

    check_outputs([options.output], [options.run])
    choices = judging_choices(options)
    (run,) = read_runs(options, [options.run])
    if not isinstance(choices["metric"], str | None):
        raise UsageError(
            f"expected one --metric for a baseline, got {choices['metric']}: leave out --metric to "
            f"keep all recorded scores"
        )
    # The name of the file without its folder: a committed file must not show paths of a machine.
    run = replace(run, name=options.name or Path(options.run).name)
    baseline = make_baseline(
        run, metric=choices["metric"], key=choices["key"], unanswered=choices["unanswered"]
    )
    write_text(options.output, baseline_text(baseline))
    done = plain_line(f"{options.output}: {len(baseline)} items of {run.name}")
    print_lines([done], stderr=names_standard_output([options.output]))
    return 0
