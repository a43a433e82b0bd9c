"""The command line; the only file that knows exit codes and terminals."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from muscle_metrics import __version__
from muscle_metrics.errors import InputError, MissingDependencyError, MuscleMetricsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from muscle_metrics.chains import Chain
    from muscle_metrics.comparison import Comparison
    from muscle_metrics.runs.record import Run

__all__ = ["main"]

OK, USAGE, BAD_DATA, INTERNAL = 0, 2, 4, 5

EPILOG = """\
examples:
  muscle-metrics compare old.jsonl new.jsonl
  muscle-metrics compare old.csv new.csv --id-field question_id --slice-field category --flips 5
  muscle-metrics compare old.jsonl new.jsonl --score-field judge --threshold 0.5 --json result.json
  muscle-metrics compare v1.jsonl v2.jsonl v3.jsonl

Options about fields are given once for all runs, or once per run in the order of the runs.

exit codes: 0 done, 2 usage, 4 data that cannot be compared, 5 internal error
"""

PER_RUN = (
    "format",
    "id_field",
    "prediction_field",
    "reference_field",
    "score_field",
    "slice_field",
    "group_field",
    "where",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments after the program's name; those of the process by default.

    Returns
    -------
    int
        0 done, 2 usage, 4 data that cannot be compared, 5 internal error, 130 interrupted.

    Examples
    --------
    >>> main(["--version"])
    muscle-metrics ...
    0
    """
    try:
        options = _parser().parse_args(arguments)
        return int(options.command(options))
    except SystemExit as done:
        # argparse's own way out: help and version with 0, usage with 2.
        return int(done.code or 0)
    except (UsageError, MissingDependencyError) as error:
        return _failed(error, USAGE)
    except InputError as error:
        return _failed(error, BAD_DATA)
    except MuscleMetricsError as error:
        return _failed(error, INTERNAL)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader left, as `| head` does. Python would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        return _failed(error, INTERNAL, f"internal error, {type(error).__name__}: ")


def _failed(error: BaseException, code: int, prefix: str = "") -> int:
    from muscle_metrics.reports.escape import terminal

    print(f"muscle-metrics: {prefix}{terminal(str(error))}", file=sys.stderr)  # noqa: T201
    return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}: see '{self.prog} --help'")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="muscle-metrics",
        description="Count what a model update broke, item by item, with its uncertainty.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"muscle-metrics {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, parser_class=_Parser)
    compare = commands.add_parser(
        "compare",
        help="compare two runs, or a chain of more",
        description="Compare the recorded answers of two or more versions of a model.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    compare.set_defaults(command=_compare)
    compare.add_argument("runs", nargs="+", metavar="RUN", help="files of answers, oldest first")
    _add_reading(compare.add_argument_group("reading runs"))
    _add_judging(compare.add_argument_group("judging items"))
    _add_output(compare.add_argument_group("output"))
    return parser


def _add_reading(group: argparse._ArgumentGroup) -> None:
    def per_run(flag: str, metavar: str, text: str) -> None:
        group.add_argument(flag, action="append", metavar=metavar, help=text)

    per_run("--format", "NAME", "jsonl, json, csv, tsv or parquet (default: recognised)")
    per_run("--id-field", "F", "field, or comma-separated fields, that name an item (default: id)")
    per_run("--prediction-field", "F", "field of the model's answer (default: prediction)")
    per_run("--reference-field", "F", "field of the right answer (default: reference)")
    per_run("--score-field", "F", "field of a score or verdict that the harness recorded")
    per_run("--slice-field", "F", "field to break results down by")
    per_run("--group-field", "F", "field that items of one passage or prompt share")
    per_run("--where", "F=VALUE", "read only rows whose field has this value")
    group.add_argument("--reference", metavar="FILE", help="file of ids and right answers")
    group.add_argument(
        "--missing",
        choices=("error", "drop"),
        default="error",
        help="items that only some runs hold (default: error)",
    )
    group.add_argument(
        "--conflict",
        choices=("error", "drop", "own", "first", "last"),
        default="error",
        help="items whose reference differs between runs: leave out, or judge each run by its own "
        "reference, by the first or the last run's (default: error)",
    )
    group.add_argument(
        "--unanswered",
        choices=("error", "wrong", "drop"),
        default="error",
        help="items without an answer, null (default: error)",
    )


def _add_judging(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--metric", metavar="NAME", help="exact_match, or the name of a recorded score"
    )
    group.add_argument(
        "--key",
        metavar="WHERE:FUNCTION",
        help="normalise answers and references with a function, as package.module:function or "
        "path/to/file.py:function",
    )
    group.add_argument(
        "--threshold", type=float, metavar="X", help="an item is right if its score is at least X"
    )
    group.add_argument(
        "--strict-threshold", action="store_true", help="the score must exceed the threshold"
    )


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--flips", type=_count, default=0, metavar="N", help="list the first N negative flips"
    )
    group.add_argument("--json", metavar="FILE", help="also write the result as JSON")


def _compare(options: argparse.Namespace) -> int:
    from muscle_metrics.chains import compare_chain
    from muscle_metrics.comparing import compare_runs

    if len(options.runs) < 2:
        raise UsageError(f"expected two or more runs, got {len(options.runs)}: name OLD and NEW")
    runs = _read_runs(options)
    choices = {
        name: getattr(options, name)
        for name in ("metric", "threshold", "strict_threshold", "missing", "conflict", "unanswered")
    }
    key = None if options.key is None else _load_function(options.key)
    result: Comparison | Chain
    if len(runs) == 2:
        result = compare_runs(*runs, key=key, **choices)
    else:
        result = compare_chain(runs, key=key, **choices)
    if options.json:
        from muscle_metrics.reports.files import write_text

        write_text(Path(options.json), result.to_json() + "\n")
    _show(result, options.flips)
    return OK


def _show(result: Comparison | Chain, flips: int) -> None:
    from rich.console import Console

    from muscle_metrics.comparison import Comparison
    from muscle_metrics.reports import text

    console = Console(highlight=False)
    if not console.is_terminal:
        shown = (
            text.comparison_text(result, flips=flips)
            if isinstance(result, Comparison)
            else text.chain_text(result)
        )
        print(shown, flush=True)  # noqa: T201
    elif isinstance(result, Comparison):
        console.print(text.comparison_table(result, flips=flips), crop=False)
    else:
        console.print(text.chain_table(result), crop=False)


def _read_runs(options: argparse.Namespace) -> list[Run]:
    from muscle_metrics.runs import read_references, read_run, with_references

    settings = [_settings(options, position) for position in range(len(options.runs))]
    names = _names(options.runs, settings)
    runs = [
        read_run(path, name=name, **setting)
        for path, name, setting in zip(options.runs, names, settings, strict=True)
    ]
    if options.reference is None:
        return runs
    fields = {
        name: settings[0][name] for name in ("id_field", "reference_field") if name in settings[0]
    }
    references = read_references(options.reference, **fields)
    return [with_references(run, references) for run in runs]


def _settings(options: argparse.Namespace, position: int) -> dict[str, Any]:
    settings = {}
    for name in PER_RUN:
        given = getattr(options, name)
        if given is None:
            continue
        if len(given) not in (1, len(options.runs)):
            raise UsageError(
                f"expected --{name.replace('_', '-')} once, or once per run, got it {len(given)} "
                f"times for {len(options.runs)} runs"
            )
        settings[name] = given[position if len(given) > 1 else 0]
    if "," in settings.get("id_field", ""):
        settings["id_field"] = tuple(settings["id_field"].split(","))
    if "where" in settings:
        settings["where"] = _condition(settings["where"])
    return settings


def _condition(text: str) -> dict[str, str]:
    field, equals, value = text.partition("=")
    if not (field and equals):
        raise UsageError(f"expected --where FIELD=VALUE, got {text!r}")
    return {field: value}


def _names(paths: Sequence[str], settings: Sequence[dict[str, Any]]) -> list[str]:
    """Call runs by their files; where one file holds several, by what tells them apart."""
    if len(set(paths)) == len(paths):
        return list(paths)
    varying = [name for name in PER_RUN if len({str(s.get(name)) for s in settings}) > 1]
    names = [
        f"{path}[{' '.join(_shown(setting[name]) for name in varying if name in setting)}]"
        for path, setting in zip(paths, settings, strict=True)
    ]
    return names if len(set(names)) == len(names) else [f"{n} #{i}" for i, n in enumerate(names, 1)]


def _shown(value: Any) -> str:
    return " ".join(value.values()) if isinstance(value, dict) else str(value)


def _load_function(place: str) -> Callable[[Any], Any]:
    where, colon, name = place.rpartition(":")
    if not colon:
        raise UsageError(
            f"expected --key as package.module:function or path/to/file.py:function, got {place!r}"
        )
    module = _load_file(where) if where.endswith(".py") else _load_module(where)
    function = getattr(module, name, None)
    if not callable(function):
        raise UsageError(f"expected {where!r} to define a function {name!r}, it does not")
    return function  # type: ignore[no-any-return]


def _load_module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(f"expected a module {name!r} that can be imported, got {error}") from error


def _load_file(path: str) -> Any:
    specification = importlib.util.spec_from_file_location(Path(path).stem, path)
    if specification is None or specification.loader is None or not Path(path).is_file():
        raise UsageError(f"expected a Python file, got {path!r}: there is none")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number
