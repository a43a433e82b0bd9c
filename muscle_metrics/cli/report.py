"""`muscle-metrics report`: one page that shows the changes of an update."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.finding import add_finding, check_finding, found_slices
from muscle_metrics.cli.judging import add_judging, judging_choices
from muscle_metrics.cli.like import add_like, check_like_flag
from muscle_metrics.cli.mistakes import check_versions
from muscle_metrics.cli.outputs import check_outputs, names_standard_output
from muscle_metrics.cli.policy_flags import add_policy, has_policy, policy_of
from muscle_metrics.cli.reading import add_reading, read_runs, two_models
from muscle_metrics.cli.screen import print_lines, working
from muscle_metrics.cli.whole_numbers import number

if TYPE_CHECKING:
    import argparse

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.reports.html.page import Page

__all__ = ["add_command"]

EPILOG = """\
examples:
  # a page with every item that changed, by category
  muscle-metrics report old.jsonl new.jsonl -o report.html \\
      --slice-field category
  # with the verdict of a gate
  muscle-metrics report old.jsonl new.jsonl -o report.html --max-nfr 0.05
  # the last update, and the chain of all versions
  muscle-metrics report v1.jsonl v2.jsonl v3.jsonl -o report.html
  # lengths and hashes in place of texts
  muscle-metrics report old.jsonl new.jsonl -o report.html --redact

exit codes: 0 done, whatever the verdict; 2 usage, 4 data that cannot be
compared, 5 internal error
"""


def add_command(commands: Any) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "report",
        help="show what an update changed as one HTML page",
        description="Write one self-contained HTML page that loads nothing from elsewhere.",
        epilog=EPILOG,
    )
    parser.set_defaults(command=_report)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="files of answers, oldest first")
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="page to write; - is standard output"
    )
    output = parser.add_argument_group("what the page shows")
    output.add_argument(
        "--redact",
        action="store_true",
        help="lengths and hashes in place of prompts, answers and references; ids stay",
    )
    output.add_argument(
        "--examples",
        type=number,
        default=1000,
        metavar="N",
        help="how many items of each kind of change to list (default: 1000); where more changed, "
        "all items go to a CSV file beside the page",
    )
    output.add_argument(
        "--no-examples",
        action="store_const",
        const=0,
        dest="examples",
        help="list none, so that no prompts, answers and references are published",
    )
    add_like(output, "place the update among public ones")
    output.add_argument(
        "--no-script",
        action="store_false",
        dest="script",
        help="a page that runs nothing: without search, order, steps and marks; views and slices "
        "still narrow its items",
    )
    add_finding(parser)
    add_policy(parser)
    add_reading(parser)
    add_judging(parser)


def _report(options: argparse.Namespace) -> int:
    from muscle_metrics.comparison.chains import compare_chain
    from muscle_metrics.comparison.compare import compare_runs
    from muscle_metrics.comparison.near_misses import near_miss_lines
    from muscle_metrics.gate.check import check_gate
    from muscle_metrics.reports.html.page import make_page
    from muscle_metrics.words.secrets import plain_line

    two_models(options)
    check_like_flag(options)
    named = filter(None, (options.reference, options.policy, options.pinned, options.waivers))
    inputs = [*options.runs, *named]
    check_outputs([options.output], inputs)
    items_file = _items_file(options.output)
    check_outputs([options.output, items_file], inputs)
    check_finding(options)
    policy = policy_of(options) if has_policy(options) else None
    options.answer = options.answer if policy is None else policy.answer
    choices = judging_choices(options)
    check_versions(options, choices, "report on two runs")
    runs = read_runs(options, options.runs)
    with working("comparing"):
        effect = options.minimum_effect or 0.0
        comparison = compare_runs(*runs[-2:], minimum_effect=effect, **choices)
        verdict = None if policy is None else check_gate(comparison, policy)
        choices.pop("options")
        chain = compare_chain(runs, **choices) if len(runs) > 2 else None
    found = found_slices(options, comparison)
    with working("writing the page"):
        page = make_page(
            comparison,
            verdict=verdict,
            chain=chain,
            found=found,
            examples=options.examples,
            redact=options.redact,
            script=options.script,
            command=shlex.join(["muscle-metrics", *options.given]),
            items_file=items_file and Path(items_file).name,
            like=options.like,
        )
        lines = _write(page, options.output, items_file, comparison, redact=options.redact)
    # Logs of builds are public too.
    quotes = bool(options.examples) and not options.redact
    lines[1:1] = near_miss_lines(comparison, texts=quotes)
    print_lines(map(plain_line, lines), stderr=names_standard_output([options.output]))
    return 0


def _items_file(page_file: str) -> str | None:
    """File beside the page for all items; None beside standard output, a pipe or a device."""
    from muscle_metrics.reports.files import is_file

    return str(Path(page_file).with_suffix(".csv")) if is_file(page_file) else None


def _write(
    page: Page, page_file: str, items_file: str | None, comparison: Comparison, *, redact: bool
) -> list[str]:
    """Write the page and the table beside it; return what was written, with untrusted names."""
    from muscle_metrics.comparison.sameness import EQUAL_RUNS, runs_are_equal
    from muscle_metrics.reports.write import write_page

    equal = f"; {EQUAL_RUNS}" if runs_are_equal(comparison) else ""
    lines = [f"{page_file}: {comparison.total} items of {' -> '.join(comparison.names)}{equal}"]
    if write_page(page, page_file, items_file, comparison, redact=redact):
        lines.append(f"{items_file}: all items, of which {page.left_out} did not fit into the page")
    return lines
