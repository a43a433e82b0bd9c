"""The command line; the only place that knows exit codes and terminals, one file per command."""

from __future__ import annotations

import argparse
import gc
import os
import re
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn

from muscle_metrics._version import __version__
from muscle_metrics.cli import (
    adapter,
    baseline,
    candidates,
    compare,
    completion,
    gate,
    inspect,
    label,
    metrics,
    order,
    power,
    report,
    waivers,
)
from muscle_metrics.cli.inputs import local_inputs
from muscle_metrics.cli.screen import print_text, warn
from muscle_metrics.cli.signals import end_at_signals
from muscle_metrics.errors import InputError, MissingDependencyError, MuscleMetricsError, UsageError
from muscle_metrics.words.escape import shorten
from muscle_metrics.words.suggestion import nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["main", "run"]

USAGE, BAD_DATA, INTERNAL = 2, 4, 5

NO_MEMORY = (
    "expected runs that fit into memory, got more than there is: add --engine duckdb, which joins "
    "on disk, or compare fewer texts, such as one task with --task"
)

EPILOG = """\
examples:
  # what an update broke and fixed
  muscle-metrics compare old.jsonl new.jsonl
  # whether it may ship: at most 2 items in 100 may break
  muscle-metrics gate old.jsonl new.jsonl --max-nfr 0.02
  # the same as a page to look at
  muscle-metrics report old.jsonl new.jsonl -o report.html
  # how many items such a limit needs
  muscle-metrics power --limit 0.02
  # all options of a command, with more examples
  muscle-metrics compare --help

exit codes: 0 done or PASS, 1 FAIL, 2 usage, 3 INCONCLUSIVE, 4 data that cannot
be compared, 5 internal error
"""


def run() -> NoReturn:
    """Run the command line as this process, which INT, TERM and HUP end with 128 + their number."""
    end_at_signals()
    sys.exit(main())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments after the program's name; those of the process by default.

    Returns
    -------
    int
        0 done or PASS, 1 FAIL, 2 usage, 3 INCONCLUSIVE, 4 data that cannot be compared, 5 internal
        error, 130 interrupted. Nothing but the verdict of a gate gives 1 or 3.

    Examples
    --------
    >>> main(["--version"])
    muscle-metrics ...
    0
    """
    try:
        with _rare_collection():
            _show_what_cannot_be_encoded()
            options = _options(sys.argv[1:] if arguments is None else list(arguments))
            with local_inputs(options):
                return int(options.command(options))
    except SystemExit as done:
        # argparse exits with 0 after help and version.
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
        # The reader closed the pipe, as `| head` does. Python must not fail again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except MemoryError:
        return _failed(UsageError(NO_MEMORY), USAGE)
    except OSError as error:
        # The disk, or a file between two looks at it; not a fault of this package.
        return _failed(UsageError(_of_system(error)), USAGE)
    except Exception as error:
        return _failed(error, INTERNAL, f"internal error, {type(error).__name__}: ")


def _of_system(error: OSError) -> str:
    name = "a file" if error.filename is None else shorten(repr(error.filename), 100)
    reason = error.strerror or error
    return f"expected to read and write {name}, got {reason}: check its path, its disk and its mode"


def _failed(error: BaseException, code: int, prefix: str = "") -> int:
    message = error.message if isinstance(error, MuscleMetricsError) else error
    warn(f"{prefix}{message}")
    return code


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Collect garbage rarely: records are many and form no cycles, so each search is in vain."""
    thresholds = gc.get_threshold()
    gc.set_threshold(100_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _show_what_cannot_be_encoded() -> None:
    with suppress(AttributeError):
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


class _Parser(argparse.ArgumentParser):
    def __init__(self, **settings: Any) -> None:
        super().__init__(
            # A flag that is added later must not change the meaning of a short form in a user's CI.
            allow_abbrev=False,
            # The examples in epilogs keep their lines.
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **settings,
        )

    def _print_message(self, message: str, file: Any = None) -> None:
        # argparse swallows the errors of a closed stream and of a full disk: help that nobody can
        # read would be a success.
        print_text(message)

    def error(self, message: str) -> NoReturn:
        near = self._meant(message)
        question = f"did you mean {near!r}? " if near else ""
        raise UsageError(f"{message}: {question}see '{self.prog} --help'")

    def _meant(self, message: str) -> str | None:
        """Known option or choice that is spelt like the unknown one in a message of argparse."""
        if flag := re.match(r"unrecognized arguments: (--[^\s=]+)", message):
            return nearest_name(flag[1], self._option_string_actions)
        if choice := re.search(r"invalid choice: '(.*)' \(choose from (.*)\)$", message):
            return nearest_name(choice[1], re.findall(r"[\w-]+", choice[2]))
        return None


def _options(arguments: list[str]) -> argparse.Namespace:
    # A report shows the arguments that made it.
    options, unknown = _parser().parse_known_args(arguments, argparse.Namespace(given=arguments))
    if unknown:
        # Only the parser of the command knows its options, and can suggest one.
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="muscle-metrics",
        description="Count what a model update broke, item by item, with its uncertainty.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"muscle-metrics {__version__}")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=_Parser
    )
    for command in (
        compare,
        gate,
        report,
        candidates,
        inspect,
        baseline,
        waivers,
        label,
        order,
        power,
        metrics,
        adapter,
        completion,
    ):
        command.add_command(commands)
    for chosen in commands.choices.values():
        chosen.set_defaults(parser=chosen, commands=commands.choices)
    return parser
