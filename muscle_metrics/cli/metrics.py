"""`muscle-metrics metrics`: every scorer, and its options with their values and defaults."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.screen import print_lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from muscle_metrics.scorers import Scorer
    from muscle_metrics.scorers.options import Option

__all__ = ["add_command"]

EPILOG = """\
examples:
  # all scorers, with their options
  muscle-metrics metrics
  # those of one scorer, or of a function of your own
  muscle-metrics metrics rouge1
  # options in a comparison; quotes keep the parentheses from the shell
  muscle-metrics compare old.jsonl new.jsonl \\
      --metric 'rouge1(stem=true, tokenizer=unicode)'

exit codes: 0 done, 2 usage, 5 internal error
"""


WIDTH = 88


def add_command(commands: Any) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "metrics",
        help="list the scorers and their options",
        description="List the scorers that --metric takes, and the options of each, to be written "
        "behind its name.",
        epilog=EPILOG,
    )
    parser.set_defaults(command=_metrics)
    parser.add_argument("name", nargs="*", metavar="NAME", help="only these scorers")


def _metrics(options: argparse.Namespace) -> int:
    from muscle_metrics.scorers.table import SCORERS, find_scorer

    wanted = [find_scorer(name) for name in options.name] or list(SCORERS.values())
    print_lines(_listed(wanted))
    return 0


def _listed(scorers: list[Scorer]) -> Iterator[str]:
    """Scorers of one function and range are listed once, such as rouge1 to rougeLsum."""
    from muscle_metrics.scorers.options import list_options

    families: dict[tuple[str, ...], list[str]] = {}
    for scorer in scorers:
        options = list_options(scorer.function, scorer.options)
        families.setdefault(tuple(_option_lines(options)), []).append(scorer.name)
    for number, (lines, names) in enumerate(families.items()):
        yield from [""] * (number > 0)
        yield from textwrap.wrap(", ".join(names), WIDTH, break_on_hyphens=False)
        yield from lines


def _option_lines(options: list[Option] | None) -> Iterator[str]:
    if options is None:
        yield "  any option, which its function checks"
        return
    if not options:
        yield "  no options"
    settings = [f"{option.name}={_shown(option)}" for option in options]
    width = max(map(len, settings), default=0) + 4
    for option, setting in zip(options, settings, strict=True):
        yield from textwrap.wrap(
            option.values,
            WIDTH,
            initial_indent=f"  {setting:<{width - 2}}",
            subsequent_indent=" " * width,
            break_on_hyphens=False,
        )


def _shown(option: Option) -> str:
    from muscle_metrics.scorers.options import REQUIRED
    from muscle_metrics.words.calls import write_value

    if option.default is REQUIRED:
        return "..."
    is_plain = isinstance(option.default, bool | int | float | str)
    return write_value(option.default) if is_plain else str(option.default).lower()
