"""Options that decide which items are right."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.metric_flags import add_metric_flags, metric_options
from muscle_metrics.cli.whole_numbers import count
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

__all__ = ["JUDGING", "add_judging", "judging_choices", "refuse_flips", "refuse_samples"]

# Options that only judge items, and what they are where they are not given.
JUDGING: dict[str, Any] = {
    "key": None,
    "answer": None,
    "stem": False,
    "bertscore_model": None,
    "bertscore_layers": None,
    "threshold": None,
    "strict_threshold": False,
    "score_range": None,
    "samples": None,
}


def add_judging(parser: argparse.ArgumentParser, *, scores: bool = True) -> None:
    """Add the options about metrics, and those about the scores of two runs."""
    group = parser.add_argument_group("judging items")
    group.add_argument(
        "--metric",
        action="append",
        metavar="NAME",
        help="exact_match, a recorded score, or a scorer such as rouge1 or 'rouge1(stem=true)', "
        "see muscle-metrics metrics; may be repeated; or TASK=NAME, the score of each task of a "
        "suite",
    )
    group.add_argument(
        "--key",
        metavar="WHERE:FUNCTION",
        help="normalise answers and references with a function, as package.module:function or "
        "path/to/file.py:function",
    )
    group.add_argument(
        "--answer",
        metavar="READERS",
        help="compare what readers find in answers and references, one after the other, such as "
        "no-think,last-number or 'number(tolerance=1e-6)'; after --key: strip, casefold, nfkc, "
        "squad, first-line, last-line, no-think, no-fence, yes-no, number, last-number, gsm8k, "
        "boxed, letter, letters, json, tool-calls, math, regex:PATTERN",
    )
    if not scores:
        parser.set_defaults(stem=False, bertscore_model=None, bertscore_layers=None)
        parser.set_defaults(threshold=None, strict_threshold=False, score_range=None, samples=None)
        return
    add_metric_flags(group)
    group.add_argument(
        "--threshold",
        type=float,
        metavar="X",
        help="an item is right if its score is at least X, or at most X where lower is better",
    )
    group.add_argument(
        "--strict-threshold",
        action="store_true",
        help="the score must be better than the threshold",
    )
    group.add_argument(
        "--score-range",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="least and largest value of a recorded score, which bound its mean regression",
    )
    group.add_argument(
        "--samples",
        type=count,
        metavar="K",
        help="the recorded score is the share of right ones among K generations: flips are those "
        "of generations, apart from their noise",
    )


def judging_choices(options: argparse.Namespace) -> dict[str, Any]:
    """Arguments of `compare_runs` that the options of reading and judging give.

    Raises
    ------
    UsageError
        If the function that an option names cannot be loaded.
    """
    from muscle_metrics.answers.reading.reading import check_choices_field, with_answer

    names = ("threshold", "strict_threshold", "missing", "conflict", "unanswered")
    choices = {name: getattr(options, name) for name in names}
    metrics = options.metric
    choices["metric"] = metrics[0] if metrics and len(metrics) == 1 else metrics
    own = None if options.key is None else _key_function(options.key)
    choices["key"] = with_answer(own, options.answer)
    check_choices_field(choices["key"], options.choices_field)
    choices["options"] = metric_options(options, metrics or [])
    if options.score_range:
        choices["score_range"] = tuple(options.score_range)
    if options.samples is not None:
        choices["samples"] = options.samples
    return choices


def refuse_samples(options: argparse.Namespace, what: str) -> None:
    """Refuse --samples where items are judged one by one.

    Raises
    ------
    UsageError
        If it is given.
    """
    if options.samples is not None:
        raise UsageError(
            f"expected items that are right or wrong for {what}, got the share of right ones among "
            f"--samples {options.samples}: gate the whole run instead"
        )


def refuse_flips(flips: int, *, is_judged: bool) -> None:
    """Refuse --flips of a gate where no item is right or wrong.

    Raises
    ------
    UsageError
        If there is nothing to list.
    """
    if flips and not is_judged:
        raise UsageError(
            "expected items that are right or wrong for --flips, got graded scores, which have no "
            "flips: say which scores are right with --threshold"
        )


def _key_function(location: str) -> Callable[..., Any]:
    from muscle_metrics.scorers.custom import find_function

    where, _, name = location.rpartition(":")
    if not where:
        raise UsageError(
            f"expected --key as package.module:function or path/to/file.py:function, got "
            f"{location!r}: {_advise_key(location)}"
        )
    file = Path(where) if where.endswith(".py") else None
    if file is not None and not os.path.isfile(file):
        raise UsageError(
            f"expected a Python file for --key, got no file {where!r}: check its path, as in --key "
            f"path/to/keys.py:normalise"
        )
    try:
        function = find_function(file or where, name)
    except ImportError as error:
        # A file that exists but fails on import keeps its own error: it is broken, not missing.
        if file is not None:
            raise
        raise UsageError(
            f"expected a module {where!r} that can be imported, got {error}: install it, or name a "
            f"file, as in --key keys.py:{name}"
        ) from error
    if function is None:
        raise UsageError(
            f"expected {where!r} to define a function {name!r} for --key, it does not: check its "
            f"spelling, as in --key {location.rpartition(':')[0]}:FUNCTION"
        )
    return function


def _advise_key(location: str) -> str:
    """Name the built-in that is meant, as in str.strip; else a function in a file."""
    from muscle_metrics.scorers.custom import find_function

    names = location.strip(":").split(".")
    if all(map(str.isidentifier, names)) and find_function("builtins", ".".join(names)):
        return f"write --key builtins:{'.'.join(names)}"
    return "such as --key keys.py:normalise"
