"""Flags that are short for an option of a metric: --stem, and the model of bertscore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from muscle_metrics.words.calls import Call

__all__ = ["add_metric_flags", "metric_options"]


def add_metric_flags(group: Any) -> None:
    """Add the flags."""
    group.add_argument(
        "--stem",
        action="store_true",
        help="compare word stems in rouge metrics, as --metric 'rouge1(stem=true)' does",
    )
    group.add_argument(
        "--bertscore-model", metavar="PATH", help="model of bertscore: a folder, or a name on a hub"
    )
    group.add_argument(
        "--bertscore-layers",
        type=int,
        metavar="N",
        help="layer of the model to take vectors from; by default that of bert-score, else the "
        "last",
    )


def metric_options(
    options: argparse.Namespace, metrics: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Options by metric that the flags give, to each metric that does not name them itself.

    Raises
    ------
    UsageError
        If a flag belongs to no metric, or contradicts the options of one.
    """
    calls = dict(_calls(metrics))
    by_metric: dict[str, dict[str, Any]] = {}
    if options.stem:
        stemmed = {text: call for text, call in calls.items() if call.name.startswith("rouge")}
        if not stemmed:
            raise UsageError(
                f"expected a rouge metric for --stem, got {metrics}: add --metric rouge1, or drop "
                f"--stem"
            )
        by_metric |= {
            text: _unless_named(call, {"stem": True}, "--stem") for text, call in stemmed.items()
        }
    given = {"model": options.bertscore_model, "num_layers": options.bertscore_layers}
    given = {name: value for name, value in given.items() if value is not None}
    encoders = {text: call for text, call in calls.items() if call.name == "bertscore"}
    if given and not encoders:
        raise UsageError(
            f"expected --metric bertscore for its options, got {metrics}: add it, or drop "
            f"--bertscore-model and --bertscore-layers"
        )
    for text, call in encoders.items():
        by_metric[text] = _unless_named(call, given, "--bertscore-model and --bertscore-layers")
        if "model" not in {**call.options, **given}:
            raise UsageError(
                "expected --bertscore-model PATH for --metric bertscore, got none: nothing is "
                "downloaded, so name a folder with an encoder"
            )
    return {text: found for text, found in by_metric.items() if found}


def _calls(metrics: Sequence[str]) -> Iterator[tuple[str, Call]]:
    """Metrics that name a scorer, and what they say; recorded scores may have any name."""
    from muscle_metrics.scorers.table import names_scorer
    from muscle_metrics.words.calls import parse_call

    for text in metrics:
        if names_scorer(text):
            yield text, parse_call(text, option="--metric (metric=)")


def _unless_named(call: Call, given: dict[str, Any], flags: str) -> dict[str, Any]:
    for name, value in given.items():
        if name in call.options and call.options[name] != value:
            raise UsageError(
                f"expected {name} of {call.name} once, got {value!r} by {flags} and "
                f"{call.options[name]!r} behind --metric (metric=): drop one of them"
            )
    return {name: value for name, value in given.items() if name not in call.options}
