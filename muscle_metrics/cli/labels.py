"""`--labels`: labels of a sheet in place of references, for `compare` and `gate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.judging import JUDGING
from muscle_metrics.cli.mistakes import doubt_order, flag_of
from muscle_metrics.cli.reading import read_runs
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from muscle_metrics.labels.labelled import LabelledComparison

__all__ = ["add_judge", "add_labels", "compare_by_labels"]

# Options that judge items, or that need all of them judged, and what they are if not given.
OTHERS: dict[str, Any] = {
    **JUDGING,
    "metric": None,
    "reference": None,
    "reference_field": None,
    "minimum_effect": None,
    "sequential": False,
    "llm_comparator": None,
    "find_slices": False,
    "find_field": [],
    "find_seed": None,
    "all_rates": False,
    "all_slices": False,
    "like": None,
}


def add_labels(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the option, and return its group."""
    group = parser.add_argument_group("labels of a sample")
    group.add_argument(
        "--labels",
        metavar="SHEET",
        help="judge by the filled sheet of 'muscle-metrics label', which needs no references",
    )
    return group


def add_judge(group: argparse._ArgumentGroup) -> None:
    """Add the option that says which recorded score is a judge's."""
    group.add_argument(
        "--judge",
        metavar="NAME",
        help="recorded score that an LLM judge gave, right by --threshold if it is graded; "
        "--labels corrects it, and a gate without labels says that nothing does",
    )


def compare_by_labels(options: argparse.Namespace, paths: Sequence[str]) -> LabelledComparison:
    """Compare two runs by the labels of a sheet.

    Raises
    ------
    InputError
        If the sheet does not fit the runs.
    UsageError
        If another option judges items too, or there are not two runs.
    """
    from muscle_metrics.labels.labelled import compare_labelled

    others = {name: absent for name, absent in OTHERS.items() if name not in _of_judge(options)}
    given = [name for name, absent in others.items() if getattr(options, name, absent) != absent]
    if options.engine not in {"auto", "memory"}:
        given.append("engine")
    if given:
        raise UsageError(
            f"expected labels alone to judge items with --labels, got "
            f"{', '.join(map(flag_of, given))} too: drop one of them"
        )
    if len(paths) != 2:
        raise UsageError(
            f"expected two runs for --labels, got {len(paths)}: name OLD and NEW of the sheet"
        )
    old, new = read_runs(options, paths)
    doubt_order(paths, [old, new])
    return compare_labelled(
        old,
        new,
        options.labels,
        judge=options.judge,
        threshold=options.threshold,
        strict_threshold=options.strict_threshold,
        missing=options.missing,
        conflict=options.conflict,
        unanswered=options.unanswered,
    )


def _of_judge(options: argparse.Namespace) -> set[str]:
    """Options that say what is right by a judge, where one is named beside the labels."""
    return {"threshold", "strict_threshold"} if options.judge is not None else set()
