"""The command that suits what a comparison found, for its last line."""

from __future__ import annotations

import shlex
from importlib.util import find_spec
from typing import TYPE_CHECKING

from muscle_metrics.cli.inputs import given_name

if TYPE_CHECKING:
    import argparse

    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.scale import CountedComparison

__all__ = ["next_lines"]

PAGE = "report.html"
FLIPS = "10"
LIMITS = (0.02, 0.05, 0.1)
# Options whose effect belongs to the command that was given, though others have them too.
OWN = {"--flips", "--json", "--json-items", "--llm-comparator"}
# What leaving out --engine gives too.
IN_MEMORY = {"auto", "memory"}


def next_lines(
    options: argparse.Namespace, result: Comparison | CountedComparison | Chain
) -> list[str]:
    """Name the next command, or nothing where its runs could not be read again.

    Parameters
    ----------
    options : argparse.Namespace
        Those of ``compare``, with the words that were given.
    result : Comparison, CountedComparison or Chain
        What was found.

    Returns
    -------
    list of str
        One line, safe for a terminal and for a shell; or none.
    """
    from muscle_metrics.words.escape import terminal
    from muscle_metrics.words.secrets import hide_secrets

    if not _can_be_repeated(options):
        return []
    words = _next_words(options, result)
    # Before quoting: a shell must see escapes as the text that they are.
    safe = [terminal(hide_secrets(word).value) for word in words]
    return [f"next: muscle-metrics {shlex.join(safe)}"] if words else []


def _can_be_repeated(options: argparse.Namespace) -> bool:
    """Whether a command with these words reads the same again, and shows no password.

    Standard input and pipes are read once. The name of an address leaves out its secrets.
    """
    sources = getattr(options, "given_names", {}).values()
    words = {part for word in options.given for part in (word, word.partition("=")[2])}
    return all("://" in source and source in words for source in sources)


def _next_words(
    options: argparse.Namespace, result: Comparison | CountedComparison | Chain
) -> list[str]:
    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.near_misses import reading_to_try, right_on_almost_nothing
    from muscle_metrics.comparison.sameness import runs_are_equal

    if isinstance(result, Chain):
        return _again(options, "report", "--output", PAGE) if find_spec("jinja2") else []
    if runs_are_equal(result):
        return ["inspect", _path_word(given_name(options, options.runs[-1]))]
    if result.is_judged and right_on_almost_nothing(result.counts):
        readers = None if result.in_memory is None else reading_to_try(result.in_memory)
        if readers is None:
            return ["inspect", _path_word(given_name(options, options.runs[0]))]
        return _again(options, "compare", "--answer", readers)
    if result.is_judged and not result.counts.negative:
        return _decide(options, result)
    if options.engine in IN_MEMORY and find_spec("jinja2"):
        return _again(options, "report", "--output", PAGE)
    return [] if options.flips else _again(options, "compare", "--flips", FLIPS)


def _decide(options: argparse.Namespace, result: Comparison | CountedComparison) -> list[str]:
    """Judge by the smallest of the usual limits that so many items could keep."""
    from muscle_metrics.statistics.power import minimum_items

    # Over groups the number of groups would have to suffice.
    items = 0 if result.is_clustered else result.total
    limit = next((limit for limit in LIMITS if minimum_items(limit, 0.95) <= items), None)
    if limit is None:
        return ["power", "--limit", str(LIMITS[0])]
    return _again(options, "gate", "--max-nfr", str(limit))


def _path_word(name: str) -> str:
    return f"./{name}" if name.startswith("-") else name


def _again(options: argparse.Namespace, command: str, flag: str, value: str) -> list[str]:
    """Words of another command with the same runs, and with the options that it has too."""
    known = options.commands[command]._option_string_actions
    own = options.parser._option_string_actions
    words = options.given[options.given.index("compare") + 1 :]
    options_end = words.index("--") if "--" in words else len(words)
    dropped = OWN | {flag} | ({"--engine"} if options.engine in IN_MEMORY else set())
    kept: list[str] = []
    place = 0
    while place < options_end:
        word = words[place]
        name = word.partition("=")[0]
        size = 1
        if name in own and "=" not in word:
            nargs = own[name].nargs
            size += 1 if nargs is None else int(nargs)
        if name not in own or (name in known and name not in dropped):
            kept += words[place : place + size]
        place += size
    short = "-o" if flag == "--output" else flag
    return [command, *kept, short, value, *words[options_end:]]
