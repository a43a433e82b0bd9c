"""Which prompts changed for sure: an exact test per prompt, false discoveries controlled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from muscle_metrics.statistics.discrete import discrete_discoveries
from muscle_metrics.statistics.noise_tables import fisher_tails

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

__all__ = ["CERTAIN", "LIKELY", "Falls", "Sureness", "find_falls"]

Sureness = Literal["certain", "likely", "noise"]

CERTAIN = 0.05
"""Expected share of prompts that did not change among those called certain, at most."""
LIKELY = 0.5
"""The same among the certain and the likely ones together."""


class Falls(NamedTuple):
    """Tests of prompts for a fall of their chance of a right answer.

    Parameters
    ----------
    p_values : numpy.ndarray of float, shape (prompts,)
        Fisher's exact test, one-sided.
    certain, likely : numpy.ndarray of bool, shape (prompts,)
        Discoveries at the rates `CERTAIN` and `LIKELY`; the certain ones are likely too.
    """

    p_values: Floats
    certain: NDArray[np.bool_]
    likely: NDArray[np.bool_]

    def sureness(self, prompt: int) -> Sureness:
        """Class of the fall of one prompt."""
        if self.certain[prompt]:
            return "certain"
        return "likely" if self.likely[prompt] else "noise"


def find_falls(*, old_right: Counts, new_right: Counts, total: Counts) -> Falls:
    """Test every prompt for a fall, given all right generations of both models.

    Parameters
    ----------
    old_right, new_right : numpy.ndarray of int, shape (prompts,)
        Right generations of each prompt. Swap them to test for a rise.
    total : numpy.ndarray of int, shape (prompts,)
        Generations of each prompt by each of the models.

    Returns
    -------
    Falls

    Notes
    -----
    Given the right generations of both models together, a test has few possible p-values: a prompt
    that both models always get right has one, which is 1. `discrete_discoveries` makes use of this.

    Examples
    --------
    >>> old, new, total = (np.array(column) for column in ([5, 5, 3], [0, 5, 3], [5, 5, 5]))
    >>> falls = find_falls(old_right=old, new_right=new, total=total)
    >>> [falls.sureness(prompt) for prompt in range(3)]
    ['certain', 'noise', 'noise']
    """
    p_values = np.ones(total.shape)
    kinds = np.zeros(total.shape, dtype=np.intp)
    supports: list[Floats] = []
    for size in np.unique(total).tolist():
        tails = fisher_tails(size, size)
        for both in range(2 * size + 1):
            of_old = np.arange(max(0, both - size), min(both, size) + 1)
            here = np.flatnonzero((total == size) & (old_right + new_right == both))
            kinds[here] = len(supports)
            p_values[here] = tails[old_right[here], new_right[here]]
            supports.append(tails[of_old, both - of_old])
    certain, likely = (
        discrete_discoveries(p_values, kinds, supports, rate=rate) for rate in (CERTAIN, LIKELY)
    )
    return Falls(p_values, certain, likely)
