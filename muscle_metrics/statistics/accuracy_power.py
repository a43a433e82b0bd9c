"""Sample sizes for a change of accuracy."""

from __future__ import annotations

import math

from muscle_metrics.errors import UsageError
from muscle_metrics.statistics.interval import check_confidence, check_share, normal_quantile

__all__ = ["noninferiority_items", "paired_items"]


def noninferiority_items(
    *,
    flips: float,
    difference: float,
    margin: float,
    power: float = 0.8,
    confidence: float = 0.95,
) -> int:
    """Items needed to show that accuracy fell by less than `margin`.

    Parameters
    ----------
    flips : float
        Share of items that flip, negative and positive together.
    difference : float
        True change of accuracy, new minus old.
    margin : float
        Allowed loss of accuracy, positive.
    power : float, default 0.8
        Probability that the sample shows it, between 0 and 1.
    confidence : float, default 0.95
        One-sided level.

    Returns
    -------
    int
        Normal approximation ``(z_alpha + z_beta)**2 (flips - difference**2) / (difference +
        margin)**2``, rounded up.

    Raises
    ------
    UsageError
        If a value is out of range, or the true loss is as large as the margin.

    Examples
    --------
    >>> noninferiority_items(flips=0.10, difference=0.0, margin=0.02)
    1546
    """
    _check_flips(flips, difference)
    check_share("power", power)
    if not (margin > 0 and difference > -margin):
        raise UsageError(
            f"expected a true change above minus the margin, got {difference!r} and margin "
            f"{margin!r}: no number of items shows it"
        )
    z = normal_quantile(1 - check_confidence(confidence)) + normal_quantile(1 - power)
    return math.ceil(max(z, 0.0) ** 2 * (flips - difference**2) / (difference + margin) ** 2)


def paired_items(
    *,
    flips: float,
    difference: float,
    power: float = 0.8,
    confidence: float = 0.95,
    two_sided: bool = True,
) -> int:
    """Items needed to detect a change of accuracy by McNemar's test.

    Parameters
    ----------
    flips : float
        Share of items that flip, negative and positive together.
    difference : float
        True change of accuracy, new minus old; not 0.
    power : float, default 0.8
        Probability of detecting the change, between 0 and 1.
    confidence : float, default 0.95
        Level of the test, of both sides together unless `two_sided` is false.
    two_sided : bool, default True
        Whether to detect a change in either direction.

    Returns
    -------
    int
        Normal approximation, rounded up.

    Raises
    ------
    UsageError
        If a value is out of range or there is no change.

    References
    ----------
    Connor, "Sample Size for Testing Differences in Proportions for the Paired-Sample Design",
    Biometrics 43 (1987), 207-211.

    Examples
    --------
    >>> paired_items(flips=0.10, difference=0.01)
    7847
    """
    _check_flips(flips, difference)
    check_share("power", power)
    if difference == 0:
        raise UsageError("expected a true change other than 0, got 0: there is nothing to tell")
    alpha = (1 - check_confidence(confidence)) / (2 if two_sided else 1)
    spread = normal_quantile(alpha) * math.sqrt(flips)
    spread += normal_quantile(1 - power) * math.sqrt(flips - difference**2)
    return math.ceil((max(spread, 0.0) / difference) ** 2)


def _check_flips(flips: float, difference: float) -> None:
    if not abs(difference) <= flips <= 1:
        raise UsageError(
            f"expected a share of flips between the change of accuracy and 1, got {flips!r} for a "
            f"change of {difference!r}"
        )
