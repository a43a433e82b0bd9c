"""A chain of versions: what every update broke, and what survived them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from muscle_metrics.reports.html.wording import percent, percent_range, place, points

if TYPE_CHECKING:
    from muscle_metrics.comparison.chains import Chain

__all__ = ["StepRow", "SurvivalRow", "Versions", "describe_chain"]


class StepRow(NamedTuple):
    """One update.

    Examples
    --------
    >>> StepRow("v1", "v2", "50.0%", "60.0%", "+10.0", "1.0% (1 of 100)", "11.0%").name
    'v2'
    """

    before: str
    name: str
    old: str
    new: str
    change: str
    broke: str
    fixed: str


class SurvivalRow(NamedTuple):
    """Share of what the first version got right that no version until this one broke.

    Examples
    --------
    >>> SurvivalRow("v2", "90.0%", "80.0% to 95.0%", "9 of 10", "90.000%").share
    '90.0%'
    """

    name: str
    share: str
    interval: str
    sample: str
    width: str


class Versions(NamedTuple):
    """What a page shows of a chain.

    Examples
    --------
    >>> Versions([], [], "1.00% (2 of 200)", "0.00% (0 of 100)", "").steps
    []
    """

    steps: list[StepRow]
    survival: list[SurvivalRow]
    sum_negative: str
    flip_flops: str
    signature: str


def describe_chain(chain: Chain) -> Versions:
    """Describe a chain of versions.

    Examples
    --------
    >>> from muscle_metrics import count_chain
    >>> versions = describe_chain(count_chain(versions=[["A"], ["B"]], references=["A"]))
    >>> versions.survival[-1].sample
    '0 of 1'
    """
    pairs = [*zip(chain.names, chain.names[1:], chain.steps, strict=False)]
    if len(chain.steps) > 1:
        pairs.append((chain.names[0], chain.names[-1], chain.overall))
    steps = [
        StepRow(
            before,
            name,
            percent(counts.old_accuracy),
            percent(counts.new_accuracy),
            points(counts.accuracy_change),
            str(counts.negative_flip_rate),
            str(counts.positive_flip_rate),
        )
        for before, name, counts in pairs
    ]
    survival = [
        SurvivalRow(
            name,
            percent(rate),
            percent_range(rate.interval()),
            f"{rate.count:,} of {rate.total:,}",
            place(float(rate) if rate.total else 0.0),
        )
        for name, rate in zip(chain.names, chain.survival, strict=True)
    ]
    return Versions(
        steps,
        survival,
        str(chain.sum_negative_flip_rate),
        str(chain.flip_flop_rate),
        chain.signature,
    )
