"""`muscle-metrics compare`: two runs, or a chain of more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from muscle_metrics.cli.automatic import count_if_large
from muscle_metrics.cli.engine import add_engine, check_engine, compare_on_engine
from muscle_metrics.cli.finding import add_finding, check_finding, found_slices
from muscle_metrics.cli.judging import add_judging, judging_choices
from muscle_metrics.cli.labels import add_judge, add_labels, compare_by_labels
from muscle_metrics.cli.like import add_like, check_like_flag
from muscle_metrics.cli.mistakes import check_versions, doubt_order, flag_of, note_identical
from muscle_metrics.cli.next_step import next_lines
from muscle_metrics.cli.outputs import (
    check_outputs,
    names_standard_output,
    print_reports,
    write_files,
)
from muscle_metrics.cli.reading import add_reading, read_runs, two_models
from muscle_metrics.cli.screen import open_screen, print_lines, working
from muscle_metrics.cli.trajectories import (
    add_trajectories,
    check_trajectories,
    found_trajectories,
)
from muscle_metrics.cli.whole_numbers import number
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.trajectories import Trajectories
    from muscle_metrics.runs.record import Run
    from muscle_metrics.scale import CountedComparison
    from muscle_metrics.slices.found import FoundSlices

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
    add_judge(add_labels(parser))
    add_engine(parser)
    add_finding(parser)
    add_trajectories(parser)
    output = parser.add_argument_group("output")
    output.add_argument(
        "--flips",
        type=number,
        default=0,
        metavar="N",
        help="list N items that broke, or got worse by a graded score, the largest loss first; of "
        "repeats N prompts, the surest first",
    )
    output.add_argument(
        "--all-rates", action="store_true", help="show every rate, not only four in plain words"
    )
    output.add_argument(
        "--all-slices", action="store_true", help="show every slice and task, not only ten"
    )
    output.add_argument(
        "--json", metavar="FILE", help="also write the result as JSON; - is standard output"
    )
    output.add_argument(
        "--json-items",
        choices=("all", "none"),
        help="which of the items that flipped the JSON lists (default: all)",
    )
    output.add_argument(
        "--llm-comparator", metavar="FILE", help="also write all items for LLM Comparator"
    )
    add_like(output, "place the update among public ones")
    output.add_argument(
        "--minimum-effect",
        type=float,
        metavar="X",
        help="a change of a graded score of at most this much does not matter",
    )


def _compare(options: argparse.Namespace) -> int:
    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.comparison import Comparison

    two_models(options)
    check_engine(options)
    _check_shown(options)
    if options.labels is not None:
        return _compare_labels(options)
    if options.judge is not None:
        raise UsageError(
            "expected labels that correct --judge, got none: add --labels SHEET, or name its score "
            "with --score-field alone"
        )
    choices = judging_choices(options)
    check_versions(options, choices, "compare two runs")
    check_like_flag(options, versions=len(options.runs))
    if options.llm_comparator or (options.flips and options.prompt_field):
        # Every item is listed, or prompts, which an engine does not keep.
        options.engine = "memory" if options.engine == "auto" else options.engine
    if options.llm_comparator and (len(options.runs) > 2 or options.engine != "memory"):
        raise UsageError(
            f"expected two runs for --llm-comparator, got {len(options.runs)} joined by "
            f"{options.engine}: name OLD and NEW alone, and leave out --engine"
        )
    check_finding(options, options.engine)
    check_trajectories(options)
    if options.find_slices and len(options.runs) != 2:
        raise UsageError(
            f"expected two runs for --find-slices, got {len(options.runs)}: name OLD and NEW alone"
        )
    check_outputs([options.json, options.llm_comparator], options.runs)
    result, prompts = _result(options, choices)
    found = None if isinstance(result, Chain) else found_slices(options, result)
    acted = None if isinstance(result, Chain) else found_trajectories(options, result)
    texts = {}
    if options.json:
        texts[options.json] = f"{_json(result, found, acted, options)}\n"
    if options.llm_comparator and isinstance(result, Comparison) and prompts:
        from muscle_metrics.integrations.llm_comparator import llm_comparator_json

        texts[options.llm_comparator] = llm_comparator_json(result, prompts=prompts)
    write_files(texts)
    print_reports(texts)
    _show(result, found, acted, options, stderr=names_standard_output(texts))
    return 0


def _check_shown(options: argparse.Namespace) -> None:
    """Refuse options of the output that would have no effect."""
    for name in ("flips", "all_rates", "all_slices"):
        if getattr(options, name) and len(options.runs) > 2:
            raise UsageError(
                f"expected two runs for {flag_of(name)}, got {len(options.runs)}: compare two of "
                f"them, or drop it"
            )
    if options.json_items is not None and options.json is None:
        raise UsageError(
            "expected --json FILE beside --json-items, got none: add it, or drop --json-items"
        )


def _compare_labels(options: argparse.Namespace) -> int:
    from muscle_metrics.labels.text import labelled_text

    check_outputs([options.json], [*options.runs, options.labels])
    result = compare_by_labels(options, options.runs)
    texts = (
        {options.json: result.to_json(items=options.json_items or "all") + "\n"}
        if options.json
        else {}
    )
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
    graded = {**choices, "minimum_effect": options.minimum_effect or 0.0}
    if options.engine in {"duckdb", "ray"}:
        doubt_order(paths)
        return compare_on_engine(options, paths, graded, flips=options.flips), None
    listed = int(bool((options.json and options.json_items != "none") or options.flips))
    # An engine keeps no texts to find slices by, and no trajectories.
    counted = (
        None
        if options.find_slices or options.trajectory_field
        else count_if_large(
            options,
            paths,
            lambda: compare_on_engine(options, paths, graded, flips=listed, as_in_memory=True),
        )
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


def _json(
    result: Comparison | CountedComparison | Chain,
    found: FoundSlices | None,
    acted: Trajectories | None,
    options: argparse.Namespace,
) -> str:
    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.plain_data import json_text

    # A chain lists no items.
    if isinstance(result, Chain):
        return result.to_json()
    items: Literal["all", "none"] = options.json_items or "all"
    data = result.to_dict(items=items)
    data |= {} if found is None else {"found_slices": found.to_dict()}
    data |= {} if acted is None else {"trajectories": acted.to_dict(items=items)}
    return json_text(data, indent=2)


def _without_forms(found: FoundSlices) -> FoundSlices:
    """Found slices without the lines that the comparison above them shows too."""
    return replace(found, forms=None)


def _show(
    result: Comparison | CountedComparison | Chain,
    found: FoundSlices | None,
    acted: Trajectories | None,
    options: argparse.Namespace,
    *,
    stderr: bool,
) -> None:
    from muscle_metrics.comparison import text
    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.trajectory_text import trajectory_lines
    from muscle_metrics.slices.text import slices_table
    from muscle_metrics.words.table import plain_text

    console = open_screen(stderr=stderr)
    notes = note_identical(options.runs)
    shown = {name: getattr(options, name) for name in ("flips", "all_rates", "all_slices", "like")}
    table = (
        text.chain_table(result, notes=notes)
        if isinstance(result, Chain)
        else text.comparison_table(result, notes=notes, **shown)
    )
    tables = [table] if found is None else [table, "", slices_table(_without_forms(found))]
    lines = next_lines(options, result)
    if acted is not None:
        lines = ["", *trajectory_lines(acted, options.flips), "", *lines]
    if console.is_terminal:
        console.print(*tables, sep="\n", crop=False)
    else:
        lines = [*(plain_text(one, text.WIDTH) for one in tables), *lines]
    # Not by rich, which would break a command into lines.
    print_lines(lines, stderr=stderr)
