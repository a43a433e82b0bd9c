"""`muscle-metrics inspect`: the content of a log, before it is compared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.inputs import given_name, given_names_in
from muscle_metrics.cli.reading import add_reading, run_settings
from muscle_metrics.cli.screen import print_lines, working
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from muscle_metrics.runs.contents import LogContents, PartContents
    from muscle_metrics.runs.fields import FieldContents

__all__ = ["add_command"]

LABELS = "fields for --slice-field, --group-field and --prompt-field:"
FIELDS_SHOWN = 20

EPILOG = """\
examples:
  # whose log it is and what it holds: tasks, filters, metrics, faults
  muscle-metrics inspect old.jsonl
  # the same for programs
  muscle-metrics inspect old.jsonl --json
  # a format that the content does not show
  muscle-metrics inspect old.csv --format csv

exit codes: 0 done, 2 usage, 4 a run that cannot be read, 5 internal error
"""


def add_command(commands: Any) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "inspect",
        help="say what a log holds: tasks, filters, metrics, faults",
        description="Say whose log something is, why, and what it holds.",
        epilog=EPILOG,
    )
    parser.set_defaults(command=_inspect)
    parser.add_argument("run", metavar="RUN", help="file or folder of a run")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_reading(parser)


def _inspect(options: argparse.Namespace) -> int:
    from muscle_metrics.comparison.plain_data import json_text
    from muscle_metrics.runs.contents import inspect_log
    from muscle_metrics.words.secrets import plain_line

    (settings,), _ = run_settings(options, [options.run])
    with working(f"reading {options.run}"):
        contents = inspect_log(options.run, **settings)
    # A pipe or an address was copied; the command must name what the user can name again.
    contents = replace(
        contents,
        path=given_name(options, contents.path),
        command=given_names_in(options, contents.command),
    )
    if options.json:
        print_lines([json_text(contents.to_dict(), 2)])
    else:
        print_lines(map(plain_line, _lines(contents)))
    return 0


def _lines(contents: LogContents) -> Iterator[str]:
    yield f"{contents.path}: {contents.format}"
    if contents.model:
        yield f"model: {contents.model}"
    for name, text in contents.faults.items():
        yield f"warning: {name}: {text}"
    # Of a plain file the fields say what its parts can be; of a log they are a further choice.
    fields = [_field_line(field) for field in contents.fields]
    yield from fields if contents.is_plain else ()
    for part in contents.parts:
        yield from _part_lines(part, contents.lower_is_better)
    if fields and not contents.is_plain:
        yield LABELS
        yield from fields[:FIELDS_SHOWN]
        if len(fields) > FIELDS_SHOWN:
            yield f"  and {len(fields) - FIELDS_SHOWN} more, with --json"
    for name, text in sorted(contents.fingerprint.items()):
        yield f"{name}: {text}"
    if contents.command:
        yield f"to compare: {contents.command}"
    elif contents.fields:
        yield (
            "to compare: no field looks like ids and answers; name them with --id-field and "
            "--prediction-field or --score-field"
        )


def _field_line(field: FieldContents) -> str:
    kinds = " or ".join(sorted(field.types)) or "nothing"
    more = " or more" * field.has_more
    nulls = f", {field.nulls} null" * bool(field.nulls)
    such = f", such as {field.sample}" * bool(field.sample)
    return f"  field {show(field.name)}: {kinds}, {field.distinct}{more} different{nulls}{such}"


def _part_lines(part: PartContents, lower_is_better: tuple[str, ...]) -> Iterator[str]:
    names = [f"task {part.task}"] * (part.task is not None)
    names += [f"filter {part.filter}"] * (part.filter is not None)
    counts = [f"{part.items} items"]
    counts += [f"{part.repeats} repeats"] * (part.repeats > 1)
    counts += [f"{part.duplicates} duplicates"] * bool(part.duplicates)
    counts += [f"{part.unanswered} without an answer"] * bool(part.unanswered)
    counts += [f"{part.without_reference} without a reference"] * bool(part.without_reference)
    yield f"{', '.join(names) or 'all'}: {', '.join(counts)}"
    for metric, missing in part.metrics.items():
        direction = "lower" if metric in lower_is_better else "higher"
        lacking = f", missing for {missing}" if missing else ""
        yield f"  metric {metric} ({direction} is better){lacking}"
