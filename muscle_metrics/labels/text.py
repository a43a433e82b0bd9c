"""Plain text of what labels of a sample say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.comparison.remarks import remark_lines
from muscle_metrics.words.numbers import counted, percent, percent_range, points, points_range
from muscle_metrics.words.secrets import plain_line, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from muscle_metrics.labels.labelled import LabelledComparison

__all__ = ["labelled_text"]

NAMES = {
    "negative_flip_rate": "negative flip rate",
    "positive_flip_rate": "positive flip rate",
    "inconsistency_flip_rate": "inconsistency flip rate",
    "accuracy_change": "accuracy change",
}


def labelled_text(
    comparison: LabelledComparison, *, flips: int = 0, notes: Sequence[str] = ()
) -> str:
    """Write rates with their intervals, and the labels of every stratum.

    Parameters
    ----------
    comparison : LabelledComparison
        Two runs and their labels.
    flips : int
        How many labelled negative flips to list.
    notes : sequence of str
        What the first line says beside names and items.
    """
    return "\n".join(map(plain_line, _lines(comparison, flips, notes)))


def _lines(comparison: LabelledComparison, flips: int, notes: Sequence[str]) -> Iterator[str]:
    sample = comparison.sample
    yield "; ".join(
        [f"{' -> '.join(comparison.names)}: {counted(comparison.total, 'item')}", *notes]
    )
    yield from remark_lines(comparison)
    most = percent(sample.differing / sample.total)
    yield (
        f"{sample.differing} items have answers that differ: without any label, at most {most} of "
        f"these items broke, or got fixed"
    )
    labels = f"labelled: {sample.labels} of these {sample.differing} items"
    if sample.unlabelled:
        labels += f"; {sample.unlabelled} rows without a label may have broken, or not"
    yield labels
    yield ""
    yield f"{'rate':<24}{'estimate':>10}  {'95 % interval':<22}method"
    for key, name in NAMES.items():
        bounds, value = comparison.bounds(key), comparison.value(key)
        is_change = key == "accuracy_change"
        shown = points(value, 2) if is_change else percent(value)
        interval = points_range(bounds.ends, 2) if is_change else percent_range(bounds.ends)
        yield f"{name:<24}{shown:>10}  {interval:<22}{bounds.method}"
    yield ""
    yield f"{'stratum':<9}{'items':>8}{'labels':>8}{'broken':>8}{'fixed':>8}{'unlabelled':>12}"
    for level, one in enumerate(sample.strata, start=1):
        yield (
            f"{level:<9}{one.size:>8}{one.labelled:>8}{one.negative:>8}{one.positive:>8}"
            f"{one.unlabelled:>12}"
        )
    equal = sample.equal
    yield f"{'equal':<9}{equal.size:>8}{equal.labelled:>8}{0:>8}{0:>8}{equal.unlabelled:>12}"
    yield from _judge_lines(comparison)
    if comparison.design.strata_by:
        yield f"strata by {comparison.design.strata_by}; seed {comparison.design.seed}"
    if flips:
        yield ""
        yield from _flip_lines(comparison, flips)
    yield ""
    yield comparison.signature


def _judge_lines(comparison: LabelledComparison) -> Iterator[str]:
    errors, verdicts = comparison.judge_errors, comparison.verdicts
    if errors is None or verdicts is None:
        return
    yield ""
    yield f"{'judge, against labels':<24}{'share':>10}  {'95 % interval':<22}labels"
    for model, name in enumerate(("OLD", "NEW")):
        for of_right, what in ((True, "right, called right"), (False, "wrong, called wrong")):
            share = errors.share(model, of_right=of_right)
            yield (
                f"{f'{name}: {what}':<24}{percent(share.value):>10}  "
                f"{percent_range(share.interval):<22}{share.labels}"
            )
    yield f"{comparison.judge_finding}"
    alone = verdicts.rates()
    line = (
        f"the judge alone: NFR {percent(alone['negative_flip_rate'])}, PFR "
        f"{percent(alone['positive_flip_rate'])}, accuracy change "
        f"{points(alone['accuracy_change'], 2)}"
    )
    unknown = int((~verdicts.known).sum())
    yield line + (f"; {unknown} items without its verdict" if unknown else "")


def _flip_lines(comparison: LabelledComparison, most: int) -> Iterator[str]:
    from muscle_metrics.comparison.items import answer_text
    from muscle_metrics.words.escape import shorten

    found = list(comparison.flips("negative"))
    yield f"labelled negative flips: {min(most, len(found))} of {len(found)}"
    for item in found[:most]:
        old, new = (
            shorten(without_secrets(answer_text(answer)), 200) for answer in (item.old, item.new)
        )
        yield f"  {item.name}: right {old}, now {new}"
