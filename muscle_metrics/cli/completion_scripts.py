"""The script of each shell: everything is written into it, so that completing starts no Python."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from muscle_metrics.cli.completion import CommandWords, FlagWords

__all__ = ["SCRIPTS", "bash_script", "fish_script", "zsh_script"]

PROGRAM = "muscle-metrics"
OF_PROGRAM = ("--help", "--version")


def bash_script(commands: Sequence[CommandWords]) -> Iterator[str]:
    """Lines for bash, of macOS too (3.2); files are what readline completes by default.

    Examples
    --------
    >>> next(bash_script([]))
    "# Completion of muscle-metrics, made by 'muscle-metrics completion bash'."
    """
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


def zsh_script(commands: Sequence[CommandWords]) -> Iterator[str]:
    """Lines for zsh, to be sourced or to stand in a folder of ``fpath``.

    Examples
    --------
    >>> next(zsh_script([]))
    '#compdef muscle-metrics'
    """
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


def _zsh_flag(name: str, flag: FlagWords) -> str:
    text = re.sub(r"[\\\[\]:]", r"\\\g<0>", flag.help)
    if flag.values is None:
        return _quoted(f"*{name}[{text}]")
    value = "_files" if flag.takes_file else f"({_words(flag.values)})" if flag.values else " "
    equals = "=" if name.startswith("--") else ""
    return _quoted(f"*{name}{equals}[{text}]:value:{value}")


def fish_script(commands: Sequence[CommandWords]) -> Iterator[str]:
    """Lines for fish.

    Examples
    --------
    >>> next(fish_script([]))
    "# Completion of muscle-metrics, made by 'muscle-metrics completion fish'."
    """
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


def _fish_value(flag: FlagWords) -> str:
    if flag.values is None:
        return ""
    if flag.takes_file:
        return " --require-parameter --force-files"
    words = f" --arguments '{_words(flag.values)}'" if flag.values else ""
    return f" --exclusive{words}"


def _title(shell: str) -> str:
    return f"# Completion of {PROGRAM}, made by '{PROGRAM} completion {shell}'."


def _names(commands: Sequence[CommandWords]) -> list[str]:
    return [command.name for command in commands]


def _words(words: Iterable[str]) -> str:
    return " ".join(words)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", r"'\''") + "'"


def _fish(text: str) -> str:
    return "'" + text.replace("\\", r"\\").replace("'", r"\'") + "'"


SCRIPTS: Mapping[str, Callable[[Sequence[CommandWords]], Iterator[str]]] = MappingProxyType(
    {"bash": bash_script, "fish": fish_script, "zsh": zsh_script}
)
"""The script of each shell that is known."""
