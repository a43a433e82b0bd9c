"""`muscle-metrics compare`: two runs, or a chain of more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.automatic import count_if_large
from muscle_metrics.cli.engine import add_engine, check_engine, compare_on_engine
from muscle_metrics.cli.judging import add_judging, judging_choices, refuse_flips
from muscle_metrics.cli.labels import add_labels, compare_by_labels
from muscle_metrics.cli.like import add_like, check_like_flag
from muscle_metrics.cli.mistakes import check_versions, doubt_order, note_identical
from muscle_metrics.cli.outputs import (
    check_outputs,
    names_standard_output,
    print_reports,
    write_files,
)
from muscle_metrics.cli.reading import add_reading, read_runs, two_models
from muscle_metrics.cli.screen import open_screen, print_lines, working
from muscle_metrics.cli.whole_numbers import number
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.runs.record import Run
    from muscle_metrics.scale import CountedComparison

__all__ = ["add_command"]

EPILOG = """\
examples:
  # fields id, prediction and reference; the old run first
  muscle-metrics compare old.jsonl new.jsonl
  # other fields, a row per category, the first 5 items that broke
  muscle-metrics compare old.csv new.csv --id-field question_id \\
      --slice-field category --flips 5
  # scores of a judge: right is 0.5 or more; everything also as JSON
  muscle-metrics compare old.jsonl new.jsonl --score-field judge \\
      --threshold 0.5 --json result.json
  # texts, by several metrics at once
  muscle-metrics compare old.jsonl new.jsonl --metric rouge1 --metric chrf
  # a chain of versions, oldest first
  muscle-metrics compare v1.jsonl v2.jsonl v3.jsonl

Options about fields are given once for all runs, or once per run in the order
of the runs.

exit codes: 0 done, 2 usage, 4 data that cannot be compared, 5 internal error
"""


def add_command(commands: Any) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "compare",
        help="compare two runs, or a chain of more",
        description="Compare the recorded answers of two or more versions of a model.",
        epilog=EPILOG,
        usage="%(prog)s OLD NEW [NEWER ...] [options]",
    )
    parser.set_defaults(command=_compare)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="files of answers, oldest first")
    add_reading(parser)
    add_judging(parser)
    add_labels(parser)
    add_engine(parser)
    output = parser.add_argument_group("output")
    output.add_argument(
        "--flips", type=number, default=0, metavar="N", help="list the first N negative flips"
    )
    output.add_argument(
        "--json", metavar="FILE", help="also write the result as JSON; - is standard output"
    )
    output.add_argument(
        "--llm-comparator", metavar="FILE", help="also write all items for LLM Comparator"
    )
    add_like(output, "place the update among public ones")
    output.add_argument(
        "--minimum-effect",
        type=float,
        default=0.0,
        metavar="X",
        help="a change of a graded score of at most this much does not matter",
    )


def _compare(options: argparse.Namespace) -> int:
    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.comparison import Comparison

    two_models(options)
    check_engine(options)
    if options.labels:
        return _compare_labels(options)
    choices = judging_choices(options)
    check_versions(options, choices, "compare two runs")
    refuse_flips(options.flips, versions=len(options.runs))
    check_like_flag(options, versions=len(options.runs))
    if options.llm_comparator:
        # Every item is listed.
        options.engine = "memory" if options.engine == "auto" else options.engine
    if options.llm_comparator and (len(options.runs) > 2 or options.engine != "memory"):
        raise UsageError(
            f"expected two runs for --llm-comparator, got {len(options.runs)} joined by "
            f"{options.engine}: name OLD and NEW alone, and leave out --engine"
        )
    check_outputs([options.json, options.llm_comparator], options.runs)
    result, prompts = _result(options, choices)
    if not isinstance(result, Chain):
        refuse_flips(options.flips, is_judged=result.is_judged)
    texts = {}
    if options.json:
        texts[options.json] = result.to_json() + "\n"
    if options.llm_comparator and isinstance(result, Comparison) and prompts:
        from muscle_metrics.integrations.llm_comparator import llm_comparator_json

        texts[options.llm_comparator] = llm_comparator_json(result, prompts=prompts)
    write_files(texts)
    print_reports(texts)
    _show(result, options, stderr=names_standard_output(texts))
    return 0


def _compare_labels(options: argparse.Namespace) -> int:
    from muscle_metrics.labels.text import labelled_text

    check_outputs([options.json], [*options.runs, options.labels])
    result = compare_by_labels(options, options.runs)
    texts = {options.json: result.to_json() + "\n"} if options.json else {}
    write_files(texts)
    print_reports(texts)
    shown = labelled_text(result, flips=options.flips, notes=note_identical(options.runs))
    print_lines([shown], stderr=names_standard_output(texts))
    return 0


def _result(
    options: argparse.Namespace, choices: dict[str, Any]
) -> tuple[Comparison | CountedComparison | Chain, Run | None]:
    """Compare the runs; beside the result comes the new run, if it is in memory."""
    from muscle_metrics.comparison.chains import compare_chain
    from muscle_metrics.comparison.compare import compare_runs

    paths = options.runs
    graded = {**choices, "minimum_effect": options.minimum_effect}
    if options.engine in {"duckdb", "ray"}:
        doubt_order(paths)
        return compare_on_engine(options, paths, graded, flips=options.flips), None
    listed = int(bool(options.json or options.flips))
    counted = count_if_large(
        options,
        paths,
        lambda: compare_on_engine(options, paths, graded, flips=listed, as_in_memory=True),
    )
    if counted is not None:
        return counted, None
    runs = read_runs(options, paths)
    doubt_order(paths, runs)
    with working("comparing"):
        if len(runs) == 2:
            return compare_runs(*runs, **graded), runs[1]
        chain = compare_chain(runs, **{k: v for k, v in choices.items() if k != "options"})
        return chain, None


def _show(
    result: Comparison | CountedComparison | Chain, options: argparse.Namespace, *, stderr: bool
) -> None:
    from muscle_metrics.comparison import text
    from muscle_metrics.comparison.chains import Chain

    console = open_screen(stderr=stderr)
    notes = note_identical(options.runs)
    if not console.is_terminal:
        shown = (
            text.chain_text(result, notes=notes)
            if isinstance(result, Chain)
            else text.comparison_text(result, flips=options.flips, notes=notes, like=options.like)
        )
        print_lines([shown], stderr=stderr)
    elif isinstance(result, Chain):
        console.print(text.chain_table(result, notes=notes), crop=False)
    else:
        table = text.comparison_table(result, flips=options.flips, notes=notes, like=options.like)
        console.print(table, crop=False)
