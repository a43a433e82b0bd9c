"""`muscle-metrics completion`: a script by which a shell completes commands and options.

Everything is written into the script, so that completing starts no Python.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.cli.screen import print_lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["add_command"]

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

PROGRAM = "muscle-metrics"
OF_PROGRAM = ("--help", "--version")
# Metavars whose values are names of files or folders.
FILES = frozenset({"FILE", "PATH", "RUN"})


class _FlagWords(NamedTuple):
    """An option as a shell sees it; `values` is None where it takes none."""

    names: tuple[str, ...]
    help: str
    values: tuple[str, ...] | None
    takes_file: bool


class _CommandWords(NamedTuple):
    """A command as a shell sees it; its operands are files or one of `values`."""

    name: str
    help: str
    flags: tuple[_FlagWords, ...]
    values: tuple[str, ...]
    takes_file: bool


def add_command(commands: Any) -> None:
    """Add the command, which completes all commands of `commands` when it runs."""
    parser = commands.add_parser(
        "completion",
        help="print a script that completes commands and options in a shell",
        description="Print a script that makes a shell complete commands, options and values.",
        epilog=EPILOG,
    )
    parser.set_defaults(command=partial(_completion, commands=commands))
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")


def _completion(options: argparse.Namespace, commands: Any) -> int:
    scripts = {"bash": _bash_script, "fish": _fish_script, "zsh": _zsh_script}
    print_lines(scripts[options.shell](_describe(commands)))
    return 0


def _describe(commands: Any) -> list[_CommandWords]:
    helps = {choice.dest: choice.help for choice in commands._choices_actions}
    return [_command(name, helps[name], parser) for name, parser in commands.choices.items()]


def _command(name: str, text: str, parser: argparse.ArgumentParser) -> _CommandWords:
    flags = [action for action in parser._actions if action.option_strings]
    operands = [action for action in parser._actions if not action.option_strings]
    return _CommandWords(
        name,
        text,
        tuple(map(_flag, flags)),
        tuple(str(value) for action in operands for value in action.choices or ()),
        any(action.metavar in FILES for action in operands),
    )


def _flag(action: argparse.Action) -> _FlagWords:
    values = None if action.nargs == 0 else tuple(map(str, action.choices or ()))
    if "--metric" in action.option_strings:
        from muscle_metrics.scorers.table import SCORERS

        values = tuple(SCORERS)
    # The help as argparse shows it: %% is one sign.
    text = (action.help or "") % {"prog": "muscle-metrics"}
    return _FlagWords(tuple(action.option_strings), text, values, action.metavar in FILES)


def _bash_script(commands: Sequence[_CommandWords]) -> Iterator[str]:
    """Lines for bash from version 3.2 (macOS); readline completes files by default."""
    yield _title("bash")
    yield "_muscle_metrics() {"
    yield "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words="
    yield "    # The sign in --flag=value is a word of its own."
    yield "    if [[ $word == '=' ]]; then word="
    yield "    elif [[ $before == '=' ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi"
    yield "    COMPREPLY=()"
    yield '    case "$COMP_CWORD ${COMP_WORDS[1]} $before" in'
    yield f"        '1 '*) words='{_words([*_names(commands), *OF_PROGRAM])}';;"
    for command in commands:
        for flag in command.flags:
            if flag.values:
                places = " | ".join(f"*' {command.name} {name}'" for name in flag.names)
                yield f"        {places}) words='{_words(flag.values)}';;"
        flags = _words(name for flag in command.flags for name in flag.names)
        yield f"        *' {command.name} '*) words='{_words(command.values)}'"
        yield f"            [[ $word == -* ]] && words='{flags}';;"
    yield "    esac"
    yield '    COMPREPLY=($(compgen -W "$words" -- "$word"))'
    yield "}"
    yield f"complete -o default -F _muscle_metrics {PROGRAM}"


def _zsh_script(commands: Sequence[_CommandWords]) -> Iterator[str]:
    """Lines for zsh, to be sourced, or saved in a folder of ``fpath``."""
    yield f"#compdef {PROGRAM}"
    yield _title("zsh")
    yield "_muscle_metrics() {"
    yield "    local command=$words[2]"
    yield "    local -a commands=("
    for command in commands:
        yield f"        {_quoted(f'{command.name}:{command.help}')}"
    yield "    )"
    yield "    if (( CURRENT == 2 )); then"
    yield f"        _describe command commands; compadd -- {_words(OF_PROGRAM)}; return"
    yield "    fi"
    yield "    shift words; (( CURRENT -= 1 ))"
    yield "    case $command in"
    for command in commands:
        yield f"        {command.name}) _arguments \\"
        for flag in command.flags:
            yield from (f"            {_zsh_flag(name, flag)} \\" for name in flag.names)
        rest = f"value:({_words(command.values)})" if command.values else "file:_files"
        yield f"            {_quoted(f'*:{rest}')};;"
    yield "    esac"
    yield "}"
    yield "if [[ $funcstack[1] == _muscle-metrics ]]; then _muscle_metrics"
    yield f"else compdef _muscle_metrics {PROGRAM}; fi"


def _zsh_flag(name: str, flag: _FlagWords) -> str:
    text = re.sub(r"[\\\[\]:]", r"\\\g<0>", flag.help)
    if flag.values is None:
        return _quoted(f"*{name}[{text}]")
    value = "_files" if flag.takes_file else f"({_words(flag.values)})" if flag.values else " "
    equals = "=" if name.startswith("--") else ""
    return _quoted(f"*{name}{equals}[{text}]:value:{value}")


def _fish_script(commands: Sequence[_CommandWords]) -> Iterator[str]:
    """Lines for fish."""
    yield _title("fish")
    start = f"complete --command {PROGRAM}"
    first = f"{start} --condition __fish_use_subcommand"
    for command in commands:
        yield f"{first} --no-files --arguments {command.name} --description {_fish(command.help)}"
    yield f"{first} --long-option version"
    for command in commands:
        chosen = f"{start} --condition '__fish_seen_subcommand_from {command.name}'"
        if not command.takes_file:
            yield f"{chosen} --no-files --arguments '{_words(command.values)}'"
        for flag in command.flags:
            names = " ".join(
                f"--long-option {name[2:]}"
                if name.startswith("--")
                else f"--short-option {name[1:]}"
                for name in flag.names
            )
            yield f"{chosen} {names}{_fish_value(flag)} --description {_fish(flag.help)}"


def _fish_value(flag: _FlagWords) -> str:
    if flag.values is None:
        return ""
    if flag.takes_file:
        return " --require-parameter --force-files"
    words = f" --arguments '{_words(flag.values)}'" if flag.values else ""
    return f" --exclusive{words}"


def _title(shell: str) -> str:
    return f"# Completion of {PROGRAM}, made by '{PROGRAM} completion {shell}'."


def _names(commands: Sequence[_CommandWords]) -> list[str]:
    return [command.name for command in commands]


def _words(words: Iterable[str]) -> str:
    return " ".join(words)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", r"'\''") + "'"


def _fish(text: str) -> str:
    return "'" + text.replace("\\", r"\\").replace("'", r"\'") + "'"
