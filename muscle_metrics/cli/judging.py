"""Options that say which items are right, and the function that an option may name."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

__all__ = ["add_judging", "judging_choices"]


def add_judging(parser: argparse.ArgumentParser, *, scores: bool = True) -> None:
    """Add the options about metrics, and those about the scores of two runs.

    Examples
    --------
    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> add_judging(parser)
    >>> parser.parse_args(["--threshold", "0.5"]).threshold
    0.5
    """
    group = parser.add_argument_group("judging items")
    group.add_argument(
        "--metric",
        action="append",
        metavar="NAME",
        help="exact_match, a recorded score, or a scorer such as rouge1; may be repeated",
    )
    group.add_argument(
        "--key",
        metavar="WHERE:FUNCTION",
        help="normalise answers and references with a function, as package.module:function or "
        "path/to/file.py:function",
    )
    if not scores:
        return
    group.add_argument("--stem", action="store_true", help="compare word stems in rouge metrics")
    group.add_argument(
        "--bertscore-model", metavar="PATH", help="model of bertscore: a folder, or a name on a hub"
    )
    group.add_argument(
        "--bertscore-layers", type=int, metavar="N", help="layer of the model to take vectors from"
    )
    group.add_argument(
        "--threshold", type=float, metavar="X", help="an item is right if its score is at least X"
    )
    group.add_argument(
        "--strict-threshold", action="store_true", help="the score must exceed the threshold"
    )
    group.add_argument(
        "--score-range",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="least and largest value of a recorded score, which bound its mean regression",
    )


def judging_choices(options: argparse.Namespace) -> dict[str, Any]:
    """Arguments of `compare_runs` that the options of reading and judging give.

    Raises
    ------
    UsageError
        If the function that an option names cannot be loaded.

    Examples
    --------
    >>> import argparse
    >>> from muscle_metrics.cli.reading import add_reading
    >>> parser = argparse.ArgumentParser()
    >>> add_reading(parser), add_judging(parser)
    (None, None)
    >>> judging_choices(parser.parse_args(["--metric", "rouge1"]))["metric"]
    'rouge1'
    """
    names = ("threshold", "strict_threshold", "missing", "conflict", "unanswered")
    choices = {name: getattr(options, name) for name in names if hasattr(options, name)}
    metrics = options.metric
    choices["metric"] = metrics[0] if metrics and len(metrics) == 1 else metrics
    choices["key"] = None if options.key is None else _load_function(options.key)
    choices["options"] = _metric_options(options, metrics or [])
    if getattr(options, "score_range", None):
        choices["score_range"] = tuple(options.score_range)
    return choices


def _metric_options(
    options: argparse.Namespace, metrics: Sequence[str]
) -> dict[str, dict[str, Any]]:
    by_metric: dict[str, dict[str, Any]] = {}
    if getattr(options, "stem", False):
        by_metric |= {metric: {"stem": True} for metric in metrics if metric.startswith("rouge")}
        if not by_metric:
            raise UsageError(f"expected a rouge metric for --stem, got {metrics}: add --metric")
    bertscore = {
        name: value
        for name, value in (
            ("model", getattr(options, "bertscore_model", None)),
            ("num_layers", getattr(options, "bertscore_layers", None)),
        )
        if value is not None
    }
    if bertscore and "bertscore" not in metrics:
        raise UsageError(
            f"expected --metric bertscore for its options, got {metrics}: add it or drop them"
        )
    if "bertscore" in metrics:
        if "model" not in bertscore:
            raise UsageError(
                "expected --bertscore-model PATH for --metric bertscore, got none: nothing is "
                "downloaded, so name a folder with an encoder"
            )
        by_metric["bertscore"] = bertscore
    return by_metric


def _load_function(place: str) -> Callable[[Any], Any]:
    where, colon, name = place.rpartition(":")
    if not colon:
        raise UsageError(
            f"expected --key as package.module:function or path/to/file.py:function, got "
            f"{place!r}: such as keys.py:normalise"
        )
    module = _load_file(where) if where.endswith(".py") else _load_module(where)
    function = getattr(module, name, None)
    if not callable(function):
        raise UsageError(
            f"expected {where!r} to define a function {name!r}, it does not: check the name"
        )
    return function  # type: ignore[no-any-return]


def _load_module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(
            f"expected a module {name!r} that can be imported, got {error}: install it, or name a "
            f"file"
        ) from error


def _load_file(path: str) -> Any:
    specification = importlib.util.spec_from_file_location(Path(path).stem, path)
    if specification is None or specification.loader is None or not Path(path).is_file():
        raise UsageError(f"expected a Python file, got {path!r}: there is none")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
