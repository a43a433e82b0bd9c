"""`muscle-metrics completion`: a script by which a shell completes commands and options."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any, NamedTuple

from muscle_metrics.cli.outputs import print_lines

__all__ = ["CommandWords", "FlagWords", "add_command"]

EPILOG = """\
examples:
  # for this shell; add the line to ~/.bashrc to keep it
  eval "$(muscle-metrics completion bash)"
  # zsh: into a folder of $fpath
  muscle-metrics completion zsh > _muscle-metrics
  # fish
  muscle-metrics completion fish > muscle-metrics.fish

exit codes: 0 done, 2 usage, 5 internal error
"""

# What options call a value that is the name of a file or folder.
FILES = frozenset({"FILE", "PATH", "RUN"})


class FlagWords(NamedTuple):
    """An option as a shell sees it; `values` is None where it takes none."""

    names: tuple[str, ...]
    help: str
    values: tuple[str, ...] | None
    takes_file: bool


class CommandWords(NamedTuple):
    """A command as a shell sees it; what follows its options is a file or one of `values`."""

    name: str
    help: str
    flags: tuple[FlagWords, ...]
    values: tuple[str, ...]
    takes_file: bool


def add_command(commands: Any) -> None:
    """Add the command; it describes all commands that there are when it runs.

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> add_command(parser.add_subparsers())
    >>> parser.parse_args(["completion", "bash"]).shell
    'bash'
    """
    parser = commands.add_parser(
        "completion",
        help="print a script that completes commands and options in a shell",
        description="Print a script that makes a shell complete commands, options and values.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=partial(_completion, commands=commands))
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")


def _completion(options: argparse.Namespace, commands: Any) -> int:
    from muscle_metrics.cli.completion_scripts import SCRIPTS

    print_lines(SCRIPTS[options.shell](_describe(commands)))
    return 0


def _describe(commands: Any) -> list[CommandWords]:
    helps = {choice.dest: choice.help for choice in commands._choices_actions}
    return [_command(name, helps[name], parser) for name, parser in commands.choices.items()]


def _command(name: str, text: str, parser: argparse.ArgumentParser) -> CommandWords:
    flags = [action for action in parser._actions if action.option_strings]
    operands = [action for action in parser._actions if not action.option_strings]
    return CommandWords(
        name,
        text,
        tuple(map(_flag, flags)),
        tuple(str(value) for action in operands for value in action.choices or ()),
        any(action.metavar in FILES for action in operands),
    )


def _flag(action: argparse.Action) -> FlagWords:
    values = None if action.nargs == 0 else tuple(map(str, action.choices or ()))
    if "--metric" in action.option_strings:
        from muscle_metrics.scorers.table import SCORERS

        values = tuple(SCORERS)
    # The help as argparse shows it: %% is one sign.
    text = (action.help or "") % {"prog": "muscle-metrics"}
    return FlagWords(tuple(action.option_strings), text, values, action.metavar in FILES)
